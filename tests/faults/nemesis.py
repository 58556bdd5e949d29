"""Does things to a running cluster, one after another, in an order that only its seed decides; each is written down."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import psycopg

from tests.faults.cluster import Cluster
from tests.faults.history import Act, now
from tests.faults.processes import DEADLINE_S, Proc

ZOMBIE_S = 8.0
BACKENDS = """select pg_terminate_backend(pid) from pg_stat_activity
               where application_name like 'asbuilt-%' and random() < 0.3"""
EDITS = (
    "delete from procrastinate_jobs where id = (select queue_job_id from automation_job where state = 'queued' limit 1)",
    "update procrastinate_jobs set status = 'todo' where id in (select id from procrastinate_jobs where status = 'failed' limit 1)",
    "update procrastinate_jobs set status = 'succeeded' where id = (select queue_job_id from automation_job where state = 'processing' limit 1)",
    "update procrastinate_jobs set priority = 3 where status = 'todo'",
    "select ops.retry(id, 'the soak') from automation_job where state = 'failed' limit 1",
)


class Nemesis:
    """`done` counts what was done."""

    def __init__(self, cluster: Cluster, *, seed: int) -> None:
        self._c = cluster
        self._random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._acts: list[tuple[str, int, Callable[[], Awaitable[None]]]] = [
            ("kill -9 of a worker", 6, self.kill_worker),
            ("worker stopped past its lease, then continued", 5, self.zombie),
            ("worker told to stop, another put in its place", 3, self.drain),
            ("kill -9 of the web process", 3, self.kill_api),
            ("Postgres restarted without warning", 1, self.restart_postgres),
            ("Postgres frozen for 4 s", 1, self.freeze_postgres),
            ("connections terminated", 3, self.terminate),
            ("Redis killed and started empty", 1, self.kill_redis),
            ("Redis stopped for 4 s", 1, self.stop_redis),
            ("automation service busy for 4 s", 1, self.busy_service),
            ("automation service answers 500 for 1 s", 1, self.broken_service),
            ("answer to a submission cut off", 2, self.cut_answers),
            ("edit by hand", 3, self.edit),
        ]

    async def rage(self, *, for_s: float) -> None:
        """Until the time is over; whatever was begun is put right before it returns."""
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            await asyncio.sleep(self._random.uniform(1, 4))
            [(name, _, act)] = self._random.choices(self._acts, weights=[weight for _, weight, _ in self._acts])
            try:
                async with asyncio.timeout(DEADLINE_S):
                    await act()
            except psycopg.OperationalError:
                name = "an act that an earlier one prevented"
            self.done[name] += 1

    def _worker(self) -> Proc | None:
        up = [worker.now for worker in self._c.workers if worker.up.is_set() and worker.now is not None]
        return self._random.choice(up) if up else None

    async def kill_worker(self) -> None:
        if (worker := self._worker()) is not None:
            await self._c.signal(worker, "kill", signal.SIGKILL)

    async def zombie(self) -> None:
        if (worker := self._worker()) is None:
            return
        await self._c.signal(worker, "stop", signal.SIGSTOP)
        await asyncio.sleep(ZOMBIE_S)
        self._c.nemesis.write(Act(at=now(), act="cont", target=worker.name))
        worker.send(signal.SIGCONT)

    async def drain(self) -> None:
        if (worker := self._worker()) is not None:
            await self._c.signal(worker, "term", signal.SIGTERM)

    async def kill_api(self) -> None:
        api = self._c.api
        if api is None or api.now is None or not api.up.is_set():
            return
        began = now()
        api.now.send(signal.SIGKILL)
        await asyncio.sleep(0.2)
        await api.up.wait()
        self._c.outage(began, now(), of="web")

    async def restart_postgres(self) -> None:
        gone, back = await self._c.database.restart(down_s=self._random.uniform(0, 2))
        self._c.outage(gone, back + 2, of="postgres")

    async def freeze_postgres(self) -> None:
        began = now()
        with self._c.database.frozen():
            await asyncio.sleep(4)
        self._c.outage(began, now() + 2, of="postgres")

    async def terminate(self) -> None:
        began = now()
        async with self._c.connect() as conn:
            await conn.execute(BACKENDS)
        self._c.outage(began, now() + 1, of="connections")

    async def kill_redis(self) -> None:
        self._c.cache.stop()
        await asyncio.sleep(2)
        await asyncio.to_thread(self._c.cache.start)

    async def stop_redis(self) -> None:
        self._c.cache.send(signal.SIGSTOP)
        await asyncio.sleep(4)
        self._c.cache.send(signal.SIGCONT)

    async def busy_service(self) -> None:
        await self._c.behave(start="busy", retry_after_s=2)
        await asyncio.sleep(4)
        await self._c.behave(start="ok")

    async def broken_service(self) -> None:
        await self._c.behave(start="500")
        await asyncio.sleep(1)
        await self._c.behave(start="ok")

    async def cut_answers(self) -> None:
        await self._c.behave(commit="drop", once=True)
        await asyncio.sleep(2)
        await self._c.behave(commit="ok")

    async def edit(self) -> None:
        try:
            async with self._c.connect() as conn:
                await conn.execute(self._random.choice(EDITS).encode())
        except psycopg.errors.DatabaseError as exc:
            if (exc.sqlstate or "")[:2] != "AB":
                raise
