"""Everything at once for a while: phones, pages, and a nemesis over all of it; then the checker's report, as a page of docs.

Run: `python -m tests.faults.soak --minutes 10 --seed 1 --write`; exit code 1 when there is a violation.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from tests.faults.checker import Demands, Report
from tests.faults.clients import Crowd
from tests.faults.cluster import cluster
from tests.faults.nemesis import Nemesis

PAGE = Path(__file__).parent.parent.parent / "docs" / "soak.md"
SHOWN = {
    "acked": "uploads acknowledged",
    "unknown": "requests whose outcome the client did not learn",
    "records": "records stored",
    "jobs_completed": "jobs completed",
    "jobs_failed": "jobs failed (not submitted)",
    "jobs_needs_input": "jobs that wait for a person (an outcome nobody can prove)",
    "jobs_cancelled": "jobs cancelled",
    "effects": "submissions the portal accepted",
    "attempts": "attempts",
    "lost_attempts": "attempts lost with their worker",
    "detached": "attempts handed over by a worker that was told to stop",
    "kills_that_hit": "kills that hit a worker with a running job",
    "zombies": "workers that woke after another had taken their job",
    "streams": "streams followed",
    "heard": "events heard on them",
    "reconnects": "resumptions of a stream",
}


def demands(minutes: float) -> Demands:
    """The guards against a run that saw nothing, for ten minutes; less for less."""
    part = min(1.0, minutes / 10)
    return Demands(
        acked=int(200 * part),
        unknown=int(20 * part),
        kills_that_hit=int(10 * part),
        zombies=int(5 * part),
        reconnects=int(30 * part),
        effects=int(150 * part),
        snapshots_on_resume=0.05,
    )


async def soak(*, minutes: float, seed: int) -> tuple[Report, Nemesis, float]:
    """The report, what was done, and how many seconds it took."""
    began = time.monotonic()
    async with cluster(workers=3, seconds=2.5) as c:
        crowd = Crowd(c, seed=seed)
        nemesis = Nemesis(c, seed=seed)
        raging = asyncio.create_task(nemesis.rage(for_s=minutes * 60))
        for _ in range(3):
            crowd.watch(restless_s=6.0)
        await crowd.load(per_s=1.5, until=raging.done, photos=0.1, follow=0.15, restless_s=4.0)
        await raging
        await c.calm(within_s=120)
        await crowd.leave()
        report = await c.judge(demands=demands(minutes))
    return report, nemesis, time.monotonic() - began


def page(report: Report, nemesis: Nemesis, *, minutes: float, seed: int) -> str:
    acts = "\n".join(f"| {name} | {count} |" for name, count in sorted(nemesis.done.items()))
    figures = "\n".join(f"| {text} | {report.figures.get(name, 0):g} |" for name, text in SHOWN.items())
    return f"""# The soak

`python -m tests.faults.soak --minutes {minutes:g} --seed {seed} --write` wrote this page: real processes (a web process, three
workers, Postgres and Valkey of their own, a stand-in for automation service and portal that logs every submission it is
sent), timings scaled down (lease 5 s, sweep 1 s, runs of 2.5 s), eight phones that insist, pages that come and go, and a
nemesis. Afterwards the [checker](faults.md) judged what everybody saw.

**{len(report.violations)} violations.**

| what was done | times |
| --- | --- |
{acts}

| what came of it | count |
| --- | --- |
{figures}

Resumptions answered by a snapshot instead of the missing events: {report.figures["snapshots_on_resume"]:.1%}.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Soak the whole product under faults.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/soak.md")
    arguments = parser.parse_args()
    try:
        report, nemesis, took_s = asyncio.run(soak(minutes=arguments.minutes, seed=arguments.seed))
    except AssertionError as exc:
        print(exc, *getattr(exc, "__notes__", []), sep="\n")
        return 1
    text = page(report, nemesis, minutes=arguments.minutes, seed=arguments.seed)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
    print(f"{took_s:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
