"""Keeps the children alive: starts them, starts again whichever ends, and stops all of them in order.

It knows nothing of what they do; `stack` tells it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from app.local.child import Child, ChildSpec
from app.local.errors import LocalStackError
from app.local.lock import Recorded, identity
from app.local.logbook import last_lines
from app.local.restarts import Restarts

READY_S = 60.0
"""Longest wait for a first ready: a start took 22 s on a machine with a load of 47."""
_LOOK_S = 0.03

Say = Callable[[str], None]
Record = Callable[[list[Recorded]], None]


class Supervisor:
    """`say` tells a person one sentence; `record` keeps the list of running children on disk."""

    def __init__(self, *, say: Say, record: Record) -> None:
        self._say = say
        self._record = record
        self._running: dict[str, Child] = {}
        self._recorded: dict[str, Recorded] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._exits: dict[str, int] = {}
        self._stood: set[str] = set()
        self._stopping: dict[str, asyncio.Event] = {}
        self._hurry = asyncio.Event()

    async def start(self, spec: ChildSpec) -> None:
        """Start a child and return when it is ready; from then on it is kept alive.

        Raises `LocalStackError` with the end of its log when it does not get up.
        """
        self._exits[spec.name] = 0
        self._stopping[spec.name] = asyncio.Event()
        self._keepers[spec.name] = asyncio.create_task(self._keep(spec), name=f"keep {spec.name}")
        deadline = time.monotonic() + READY_S
        while not (spec.name in self._running and self._running[spec.name].is_ready()):
            if self._exits[spec.name] >= spec.tries or time.monotonic() > deadline:
                tail = "".join(f"\n    {line}" for line in last_lines(spec.log))
                raise LocalStackError(f"{spec.name} does not start; the end of {spec.log}:{tail}", exit_code=1)
            await asyncio.sleep(_LOOK_S)
        self._stood.add(spec.name)

    def pid(self, name: str) -> int | None:
        """The process that is this child at the moment."""
        child = self._running.get(name)
        return child.pid if child is not None else None

    def hurry(self) -> None:
        """Stop waiting for anybody: whoever still runs is killed."""
        self._hurry.set()

    async def stop(self, order: Sequence[str]) -> None:
        """Stop the children one after the other, each with its own deadline; names that never ran are passed over."""
        for name in order:
            if name not in self._keepers:
                continue
            self._stopping[name].set()
            if name in self._running:
                await self._end(self._running[name])
            await self._keepers[name]
            self._forget(name)

    async def _keep(self, spec: ChildSpec) -> None:
        restarts, stopping = Restarts(), self._stopping[spec.name]
        while not stopping.is_set():
            try:
                child = await Child.start(spec)
            except (OSError, subprocess.SubprocessError) as exc:
                how = f"could not be started ({exc})"
            else:
                self._running[spec.name] = child
                self._remember(child)
                if stopping.is_set():
                    # Asked to stop while it was being started: `stop` saw only the one before.
                    await self._end(child)
                how = how_it_ended(await child.wait())
                child.end_group()
            if stopping.is_set():
                return
            self._exits[spec.name] += 1
            delay = restarts.after_exit(now=time.monotonic())
            # While the stack starts, `start` tells about it, once.
            if spec.name in self._stood:
                self._say(f"{spec.name} {how}; starting it again{_in(delay)} (log: {spec.log}).")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=delay)

    async def _end(self, child: Child) -> None:
        if not await child.stop(hurry=self._hurry):
            self._say(f"{child.spec.name} did not stop in time and was killed.")

    def _remember(self, child: Child) -> None:
        known = identity(child.pid)
        if known is not None:
            name = child.spec.name
            self._recorded.pop(name, None)
            self._recorded[name] = Recorded(
                name=name, pid=child.pid, identity=known, stop_signal=int(child.spec.stop_signal)
            )
            self._record(list(self._recorded.values()))

    def _forget(self, name: str) -> None:
        if self._recorded.pop(name, None) is not None:
            self._record(list(self._recorded.values()))


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _in(delay: float) -> str:
    return f" in {delay:.0f} s" if delay >= 1 else ""
