"""From a change made with SQL to the pixels of a real browser, beside an idle system and beside a page that polls."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import msgspec

from tests.bench import figures
from tests.bench.office import Office, office
from tests.bench.stage import Database, Stage
from tests.e2e.stacks import clean_env
from tests.faults.processes import Proc
from tests.faults.room import Room

WHAT = """**Screen.** From a change (`changed_at`, the database's clock in the statement of a plain `UPDATE` on a connection of its own) to the
frame of a real Chromium that shows it, in a list of 50 records, with 1,000 viewers of the same project, each with a stream of its own. The
peers are the same page with nobody else looking, and twelve clients that ask for the job every five seconds, as the forerunner's dashboard
did; they get their time without drawing anything."""

VIEWERS = 1000
RECORDS = 50
CHANGES = 120
ROUNDS = 2
POLL_S = 5.0
POLLERS = 12

WATCH = """(id) => {
  window.shown = {};
  const note = document.querySelector(`tr[data-id="${id}"] .note`);
  new MutationObserver(() => {
    const text = note.textContent;
    if (text in shown) return;
    shown[text] = null;
    // The row is drawn in a frame's callback; a message is handled when that frame is on the screen.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { shown[text] = performance.timeOrigin + performance.now(); };
    port2.postMessage(null);
  }).observe(note, { childList: true, characterData: true, subtree: true });
}"""
CHANGE = (
    "update automation_job set confirmation = %s where id = %s returning extract(epoch from changed_at)::float8 * 1000"
)


def run(
    stage: Stage, *, viewers: int = VIEWERS, changes: int = CHANGES, rounds: int = ROUNDS
) -> list[figures.Comparison]:
    """How long a change takes to the screen."""
    watched, alone, polled = asyncio.run(
        _measure(stage, stage.database(), viewers=viewers, changes=changes, rounds=rounds)
    )
    found = []
    for name, at in (("median", 0.5), ("99th percentile", 0.99)):
        for peer, took in (("nobody else looking", alone), ("asked for every 5 s", polled)):
            what = f"to the screen, {viewers:,} viewers, {name}; peer: {peer}"
            found.append(figures.by_quantile(what, unit="ms", ours=watched, peer=took, at=at))
    return found


async def _measure(
    stage: Stage, database: Database, *, viewers: int, changes: int, rounds: int
) -> Sequence[list[float]]:
    watched: list[float] = []
    alone: list[float] = []
    polled: list[float] = []
    async with office(stage, database, records=RECORDS) as there:
        await there.page.evaluate(WATCH, str(there.made[0].record_id))
        await _changes(there, 5)
        for _ in range(rounds):
            alone += (await _changes(there, changes // rounds))[0]
            async with _looking(stage, there, viewers), _polling(there) as pollers:
                took, changed = await _changes(there, changes // rounds)
                watched += took
                await asyncio.sleep(POLL_S + 1)
            polled += [lag for poller in pollers for lag in poller.lags(changed)]
    return watched, alone, polled


async def _changes(there: Office, count: int) -> tuple[list[float], dict[str, float]]:
    """One after another at random gaps; milliseconds of each, and when each was made."""
    made: dict[str, float] = {}
    for _ in range(count):
        await asyncio.sleep(random.uniform(0.1, 0.5))
        name = f"NPL-{random.randrange(10**9):09}"
        row = await (await there.conn.execute(CHANGE, (name, there.made[0].job_id))).fetchone()
        made[name] = row[0] if row else 0.0
        await there.page.wait_for_function("(name) => shown[name]", arg=name, timeout=30_000)
    shown: dict[str, float] = await there.page.evaluate("() => shown")
    return [shown[name] - at for name, at in made.items()], made


@asynccontextmanager
async def _looking(stage: Stage, there: Office, count: int) -> AsyncIterator[None]:
    """The crowd has a process of its own: what it hears would take the time of whoever measures."""
    command = (sys.executable, "-m", "tests.faults.room", there.url, there.token, str(count))
    room = Room(Proc("room", command, env=clean_env(), folder=stage.folder))
    try:
        await room.start()
        await room.all_open(within_s=120)
        await asyncio.sleep(1)
        yield
    finally:
        await room.stop()


class _Poller(msgspec.Struct):
    """Asks for the list every five seconds; `seen` is when it first saw which text."""

    seen: dict[str, float] = {}

    def lags(self, changed: dict[str, float]) -> list[float]:
        """Of each change, until this poller had it or a later one."""
        names = list(changed)
        at = {names.index(name): seen for name, seen in self.seen.items() if name in changed}
        firsts = [min((seen for index, seen in at.items() if index >= n), default=None) for n in range(len(names))]
        return [seen - changed[name] for name, seen in zip(names, firsts, strict=True) if seen is not None]


@asynccontextmanager
async def _polling(there: Office) -> AsyncIterator[list[_Poller]]:
    pollers = [_Poller() for _ in range(POLLERS)]
    headers = {"Authorization": f"Bearer {there.token}"}
    async with httpx.AsyncClient(base_url=there.url, headers=headers, timeout=30, trust_env=False) as http:

        async def poll(poller: _Poller, first: float) -> None:
            await asyncio.sleep(first)
            while True:
                job = (await http.get(f"/api/jobs/{there.made[0].job_id}")).raise_for_status().json()
                # The machine's one clock is the database's and the browser's, too.
                poller.seen.setdefault(job["confirmation"], time.time() * 1000)
                await asyncio.sleep(POLL_S)

        tasks = [asyncio.create_task(poll(poller, n * POLL_S / POLLERS)) for n, poller in enumerate(pollers)]
        try:
            yield pollers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
