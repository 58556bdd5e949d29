"""A list of 500 rows under 5,000 changes: no long task in the browser, no row that is wrong, memory that stays flat."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.bench import figures
from tests.bench.office import Office, office
from tests.bench.stage import Database, Stage

WHAT = """**Rows.** A list of 500 records in a real Chromium while 5,000 changes come, 500 a second, each of another row. Waited for is the frame that
shows a change; memory is the page's JavaScript heap afterwards, once collected, and growth what it has more than after the first 500
changes. The run fails if a row ends up wrong, if the page's thread is busy for over 50 ms at a stretch, or if the heap grows by 2 MiB."""

RECORDS = 500
CHANGES = 5_000
PER_S = 500
AT_ONCE = 25
GROWTH_MIB = 2.0
"""What a page may gain by 5,000 changes: less than the views of 5,000 jobs take."""

WATCH = """() => {
  window.tasks = [];
  window.frames = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) tasks.push(entry.duration); }).observe({ type: 'longtask' });
  window.lags = [];
  document.querySelector('connection-status').addEventListener('latency', ({ detail }) => { lags.push(...detail.ms); frames += 1; });
}"""
CHANGE = "update automation_job set confirmation = 'NPL-' || right(id::text, 4) || '-' || (seq + 1) where id = any(%s::uuid[])"
NOTES = """() => Object.fromEntries([...document.querySelectorAll('tr[data-id]')]
  .map((row) => [row.dataset.id, row.querySelector('.note').textContent]))"""


def run(
    stage: Stage, *, records: int = RECORDS, changes: int = CHANGES, seconds: float = CHANGES / PER_S
) -> list[figures.Wait]:
    """How long a change takes to the screen while they all come.

    Raises `RuntimeError` when a row is wrong, the page was busy for too long at a stretch, or its memory grew.
    """
    seen = asyncio.run(_measure(stage, stage.database(), records=records, changes=changes, seconds=seconds))
    if seen.long_tasks:
        raise RuntimeError(f"the page's thread was busy for over 50 ms {seen.long_tasks} times")
    if seen.growth is None or seen.growth >= GROWTH_MIB:
        raise RuntimeError(f"the page's memory grew by {seen.growth} MiB")
    return [seen]


async def _measure(stage: Stage, database: Database, *, records: int, changes: int, seconds: float) -> figures.Wait:
    async with office(stage, database, records=records) as there:
        await there.page.evaluate(WATCH)
        # Once around first: what is made once and kept is no growth.
        await change_all(there, changes=records, seconds=records / PER_S)
        before = await heap_mib(there)
        await there.page.evaluate("() => { tasks.length = 0; lags.length = 0; frames = 0; }")
        await change_all(there, changes=changes, seconds=seconds)
        seen: dict[str, Any] = await there.page.evaluate("() => ({ tasks, lags, frames })")
        after = await heap_mib(there)
    longest = max(seen["tasks"], default=0)
    print(
        f"  rows: {len(seen['tasks'])} tasks over 50 ms, the longest {longest:.0f} ms; {seen['frames']} frames;"
        f" heap {before:.1f} MiB before, {after:.1f} after",
        flush=True,
    )
    return figures.Wait(
        what=f"{changes:,} changes on {records} rows, to the screen",
        took=[lag / 1000 for lag in seen["lags"]],
        memory=after,
        long_tasks=len(seen["tasks"]),
        growth=after - before,
    )


async def change_all(there: Office, *, changes: int, seconds: float) -> None:
    """So many changes evenly over the rows and the time, and then all of them on the page."""
    jobs = [made.job_id for made in there.made]
    loop = asyncio.get_running_loop()
    began = loop.time()
    for done in range(0, changes, AT_ONCE):
        await asyncio.sleep(max(0.0, began + seconds * done / changes - loop.time()))
        await there.conn.execute(CHANGE, ([jobs[n % len(jobs)] for n in range(done, done + AT_ONCE)],))
    rows = await (await there.conn.execute("select record_id::text, confirmation from automation_job")).fetchall()
    wanted: dict[str, str] = dict(rows)
    for _ in range(300):
        if await there.page.evaluate(NOTES) == wanted:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("the page does not show what is in the database")


async def heap_mib(there: Office) -> float:
    """The page's JavaScript heap, after a collection."""
    session = await there.page.context.new_cdp_session(there.page)
    for _ in range(2):
        await session.send("HeapProfiler.collectGarbage")
    used = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return float(used["usedSize"]) / 2**20
