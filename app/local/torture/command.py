"""`asbuilt torture`: raise the stack, upload, let both halves suffer, count, tear down, judge. Output only; no policy."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom
from typing import TextIO

import msgspec

from app.local.torture import counts
from app.local.torture.chaos import Chaos
from app.local.torture.guarded import Guarded, upload
from app.local.torture.report import Outcome, Progress, struck, table, verdict
from app.local.torture.stage import SLOW_S, Stage, raised
from app.local.torture.unguarded import Unguarded

LIMIT_S = 210.0
"""For everything up to the count; stopping takes some seconds more."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line; a seed of 0 draws one."""

    jobs: int
    kill: float
    seed: int


def run(options: Options, *, env: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Exit code 0 only if every guarded record was submitted exactly once. Raises `LocalStackError`."""
    try:
        return asyncio.run(_run(options, env=env, out=out))
    except asyncio.CancelledError:
        return 130


async def _run(options: Options, *, env: Mapping[str, str], out: TextIO) -> int:
    torturing = asyncio.current_task()
    if torturing is None:
        raise RuntimeError("not within a task")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, torturing.cancel)
    seed = options.seed or SystemRandom().randrange(1, 10**6)
    progress = Progress(out)
    progress.say(f"{options.jobs} records, each keyed with the guard and without; seed {seed}. Starting a stack …")
    async with raised(env=env, seed=seed) as stage:
        outcome, kept_logs = await _suffer(options, stage, progress, seed=seed)
    progress.say(table(outcome))
    if kept_logs is not None:
        progress.say(f"The logs are kept in {kept_logs}; repeat with --seed {seed}.")
    progress.say(f"took {progress.took_s:.0f} s")
    progress.say(verdict(outcome))
    return 0 if outcome.held else 1


async def _suffer(options: Options, stage: Stage, progress: Progress, *, seed: int) -> tuple[Outcome, Path | None]:
    chaos = Chaos(seed=seed, kill=options.kill)
    guarded = Guarded(stage, chaos)
    unguarded = Unguarded(stage, chaos, runner=guarded.runner_to_kill)
    telling = asyncio.create_task(_tell(progress, stage, guarded, unguarded))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LIMIT_S):
                await upload(stage, count=options.jobs, seed=seed)
                await stage.release_workers()
                async with asyncio.TaskGroup() as group:
                    group.create_task(guarded.run())
                    group.create_task(unguarded.run())
                # The portal may still be taking in a request whose sender has long given up.
                await asyncio.sleep(SLOW_S + 1)
    finally:
        telling.cancel()
        chaos.calm()
    await stage.stop()
    left_over = await asyncio.to_thread(stage.left_over)
    outcome = _count(stage, guarded, unguarded, left_over=left_over, took_s=progress.took_s)
    return outcome, None if outcome.held else stage.keep()


async def _tell(progress: Progress, stage: Stage, guarded: Guarded, unguarded: Unguarded) -> None:
    while True:
        submissions = counts.read(stage.home.portal_log)
        plain = [line.reference for line in submissions if line.reference.endswith(counts.UNGUARDED)]
        progress.tell(
            f"guarded {guarded.done}/{len(guarded.jobs)} ({struck(guarded.tally)}; "
            f"{len(submissions) - len(plain)} submissions) · unguarded {len(unguarded.settled)}/{len(guarded.jobs)} "
            f"({struck(unguarded.tally)}; {len(plain)} submissions, {len(plain) - len(set(plain))} too many)"
        )
        await asyncio.sleep(0.5)


def _count(stage: Stage, guarded: Guarded, unguarded: Unguarded, *, left_over: int, took_s: float) -> Outcome:
    submissions = counts.read(stage.home.portal_log)
    references = [job.reference for job in guarded.jobs]
    return Outcome(
        guarded=counts.half(references, submissions),
        unguarded=counts.half([reference + counts.UNGUARDED for reference in references], submissions),
        kept=counts.kept(guarded.jobs, submissions),
        guarded_tally=guarded.tally,
        unguarded_tally=unguarded.tally,
        unfinished=len(guarded.jobs) - guarded.done,
        left_over=left_over,
        took_s=took_s,
    )
