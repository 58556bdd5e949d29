"""A plain queue without any guard, for `asbuilt torture` to compare with: one process an attempt, a new key each time.

It opens the gate at once, looks nothing up, tries again after any failure, and delivers again what took too long.
Never used by the product. Run `python -m tasks.naive`; it keys every record of the database, under a reference of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter, deque
from uuid import UUID, uuid4

import msgspec
from psycopg import AsyncConnection

from app.core.settings import Settings, load
from sql import load as statements
from tasks import store
from tasks.engines import AsbuiltEngine, errors
from tasks.engines import events as told
from tasks.engines.contract import CommitGrant, RunSpec
from tasks.inputs import files, keyed

AT_ONCE = 4
TRIES = 4
DELIVERIES = 8
VISIBLE_S = 9.0
"""How long a delivery may take before the queue believes it lost."""
_LOOK_S = 0.03


class Keyable(msgspec.Struct, frozen=True, kw_only=True):
    record_id: UUID
    reference: str
    portal: str
    account: str
    recipe: str
    recipe_version: int


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of standard output."""

    what: str
    reference: str
    attempt: int
    pid: int = 0


KEYABLE = statements("torture").many("keyable_records", Keyable)


async def specs(settings: Settings) -> list[RunSpec]:
    """What is to be keyed, under references that tell the unguarded submissions from the guarded ones."""
    async with await AsyncConnection.connect(settings.database_url, autocommit=True, connect_timeout=30) as conn:
        found = []
        for row in await KEYABLE(conn):
            inputs = await store.RUN_INPUTS(conn, record=row.record_id)
            found.append(_spec(settings, row, inputs))
        return found


def _spec(settings: Settings, row: Keyable, inputs: store.InputsRow) -> RunSpec:
    return RunSpec(
        job_id=row.record_id,
        record_id=row.record_id,
        attempt=1,
        portal=row.portal,
        account=row.account,
        recipe=row.recipe,
        recipe_version=row.recipe_version,
        external_ref=f"{row.reference}-U",
        inputs=keyed(inputs),
        files=files(settings, inputs),
        screenshots="off",
    )


async def attempt(settings: Settings, spec: RunSpec) -> bool:
    """One try. Whether the service reports success."""
    engine = AsbuiltEngine(settings.automation_url, token=settings.automation_token)
    try:
        run = await engine.start(spec, key=uuid4().hex)
        async for event in engine.events(run, deadline_s=settings.attempt_s):
            if event.type == "commit.requested":
                token = event.read(told.CommitRequested).token
                await engine.authorize_commit(run, CommitGrant(token=token, attempt=spec.attempt))
            elif event.terminal:
                return event.type == "run.succeeded"
    except errors.EngineError:
        return False
    finally:
        await engine.close()
    return False


class Queue:
    """Deliveries, failures and what is settled; one forked process a delivery."""

    def __init__(self, settings: Settings, todo: list[RunSpec]) -> None:
        self._settings = settings
        self._todo = todo
        self._waiting = deque(range(len(todo)))
        self._delivered = Counter[int]()
        self._failed = Counter[int]()
        self._settled: set[int] = set()
        self._running: dict[int, tuple[int, int, float]] = {}
        self._overdue: set[int] = set()

    def drain(self) -> None:
        """Until every record is settled and every process has ended."""
        while self._waiting or self._running:
            while self._waiting and len(self._running) - len(self._overdue) < AT_ONCE:
                self._deliver(self._waiting.popleft())
            self._reap()
            self._believe_lost()
            time.sleep(_LOOK_S)

    def _deliver(self, number: int) -> None:
        if number in self._settled:
            return
        self._delivered[number] += 1
        spec = msgspec.structs.replace(self._todo[number], attempt=self._delivered[number])
        pid = os.fork()
        if pid == 0:
            done = False
            try:
                done = asyncio.run(attempt(self._settings, spec))
            finally:
                os._exit(0 if done else 1)
        self._running[pid] = (number, spec.attempt, time.monotonic())
        _tell(Told(what="began", reference=spec.external_ref, attempt=spec.attempt, pid=pid))

    def _reap(self) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                number, tried, _ = self._running.pop(pid)
                was_overdue = pid in self._overdue
                self._overdue.discard(pid)
                self._settle(number, tried, code=os.waitstatus_to_exitcode(status), again=not was_overdue)

    def _settle(self, number: int, tried: int, *, code: int, again: bool) -> None:
        what = "done" if code == 0 else "failed" if code > 0 else "lost"
        if code == 0:
            self._settled.add(number)
        elif again and number not in self._settled:
            self._failed[number] += code > 0
            if self._failed[number] < TRIES and self._delivered[number] < DELIVERIES:
                self._waiting.append(number)
            else:
                what = "given up"
                self._settled.add(number)
        _tell(Told(what=what, reference=self._todo[number].external_ref, attempt=tried))

    def _believe_lost(self) -> None:
        for pid, (number, _, began) in self._running.items():
            if pid not in self._overdue and time.monotonic() - began > VISIBLE_S:
                self._overdue.add(pid)
                if number not in self._settled and self._delivered[number] < DELIVERIES:
                    self._waiting.append(number)


def _tell(line: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.flush()


def main() -> None:
    settings = load("database_url", "automation_url", "automation_token")
    Queue(settings, asyncio.run(specs(settings))).drain()


if __name__ == "__main__":
    main()
