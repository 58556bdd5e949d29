"""The schema and the code are changed while everything goes on (failure modes 20 and 21)."""

from __future__ import annotations

import asyncio
import io
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection

from sql.migrate import migrate
from sql.snapshot import committed, snapshot
from tests.faults.clients import Crowd, Phone
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Call, lines
from tests.faults.office import PAGES, looking, office, pages_of
from tests.faults.processes import ROOT, WORKER, Proc
from tests.faults.timings import percentile, slack
from tests.logins import make_logins
from tests.machine import free_port

pytestmark = pytest.mark.slow

PER_S = 8.0
SLOWEST_S = 1.0
"""What 99 of 100 uploads may take on an idle machine, the migration running."""
DONE_BY = "select count(*) from automation_attempt where outcome = 'completed' and worker like %s"


@asynccontextmanager
async def uploading(c: Cluster) -> AsyncIterator[Crowd]:
    """Uploads go on inside; afterwards each has been acknowledged at its first try, and in time."""
    crowd = Crowd(c)
    over = asyncio.Event()
    load = asyncio.create_task(crowd.load(per_s=PER_S, until=over.is_set))
    try:
        await _more(crowd, 20, load)
        yield crowd
        await _more(crowd, 20, load)
    finally:
        over.set()
        await load
    calls = [call for call in lines(c.calls.path, Call) if call.phase != "invoke"]
    assert [call for call in calls if call.phase != "ok"] == []
    took = [call.took_s for call in calls if call.took_s is not None]
    assert percentile(took, 0.99) < SLOWEST_S * slack(), percentile(took, 0.99)


async def _more(crowd: Crowd, count: int, load: asyncio.Task[None]) -> None:
    wanted = len(crowd.jobs) + count
    async with asyncio.timeout(60):
        while len(crowd.jobs) < wanted:
            assert not load.done()
            await asyncio.sleep(0.02)


async def _forget(c: Cluster, pattern: str) -> list[str]:
    """As if the text of these functions and views had changed in a release."""
    rows = await c.all(
        "update schema_migration set sha256 = 'older' where source = 'repeatable' and name like %s returning name",
        pattern,
    )
    return sorted(name for (name,) in rows)


async def test_every_function_trigger_and_view_is_made_anew_and_nobody_notices() -> None:
    """Three times over, under uploads and somebody who looks at everything; each answer is as it should be."""
    async with cluster(seconds=0.3) as c, office(c) as http:
        async with uploading(c) as crowd:
            looked_at = [*PAGES, *await pages_of(c, crowd.jobs[:20])]
            async with looking(http, lambda: looked_at) as answers:
                for _ in range(3):
                    forgotten = await _forget(c, "%")
                    assert len(forgotten) > 100
                    assert sorted(await migrate(c.database_url)) == forgotten
        assert set(answers) == {(200, "")}
        assert answers[200, ""] > len(looked_at)
        await c.calm(within_s=120)
        await c.judge()


async def test_a_migration_gives_up_on_a_long_transaction_and_nobody_waits_for_it() -> None:
    """Whoever comes after one that waits for a lock waits behind it: with a patient migration no upload would come through."""
    async with cluster(seconds=0.3) as c, uploading(c):
        forgotten = await _forget(c, "functions/job_stamp.sql")
        async with await AsyncConnection.connect(c.database_url) as idle:
            await idle.execute(
                "update automation_job set attempt = attempt where id = (select id from automation_job limit 1)"
            )
            began = time.monotonic()
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await migrate(c.database_url)
            assert time.monotonic() - began < 3.0 * slack()
        assert await migrate(c.database_url) == forgotten


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).stdout


@contextmanager
def release_before() -> Iterator[Path]:
    """The tree before the last change of the schema; in a checkout without history, this one, for all there is to try."""
    last = _git("log", "-1", "--format=%H", "--", "sql/migrations").decode().strip()
    archive = _git("archive", f"{last}^", "app", "tasks", "sql") if last else b""
    if not archive:
        yield ROOT
        return
    with tempfile.TemporaryDirectory(prefix="asbuilt-before-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder)


class Upgraded(Cluster):
    """An installation that begins with the schema, the project and the processes of the release before."""

    def __init__(self, folder: Path, *, before: Path) -> None:
        super().__init__(folder)
        self.before = before

    def old(self, **changes: str) -> dict[str, str]:
        return self.env(PYTHONPATH=str(self.before), **changes)

    async def furnish(self) -> None:
        path = Path(await self._by_old_code("import app; print(app.__file__)"))
        assert path.is_relative_to(self.before)
        await self._by_old_code(
            "from sql.migrate import migrate; import asyncio, os; asyncio.run(migrate(os.environ['DATABASE_URL']))"
        )
        self.token = await self._by_old_code(
            "from app.local.seed import seed; import asyncio, os;"
            "made = asyncio.run(seed(os.environ['DATABASE_URL'], portal_url='http://portal.example', max_runs=64));"
            "print(made.upload_token)"
        )
        await self.furnish_forms()

    async def _by_old_code(self, text: str) -> str:
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", text, env=self.old(), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await done.communicate()
        assert done.returncode == 0
        return said.decode().strip()


@asynccontextmanager
async def upgraded() -> AsyncIterator[Upgraded]:
    folder = Path(tempfile.mkdtemp(prefix="asbuilt-fault-"))
    with release_before() as before:
        made = Upgraded(folder, before=before)
        try:
            await made.begin()
            await made.behave(seconds=0.3)
            yield made
        except BaseException as exc:
            exc.add_note(f"logs: {made.keep_logs()}")
            raise
        finally:
            await made.end()
            shutil.rmtree(folder, ignore_errors=True)


def _loose(c: Upgraded, name: str, command: Sequence[str], env: Mapping[str, str]) -> Proc:
    made = Proc(name, command, env=env, folder=c.folder)
    c.loose.append(made)
    return made


async def test_old_and_new_code_serve_side_by_side_on_the_new_schema() -> None:
    """The schema first, then process by process, as docs/upgrade.md has it; nobody on the phones notices."""
    async with upgraded() as c:
        # -P: the working directory is this tree, and must not be where the old code comes from.
        await _loose(c, "old-api", (sys.executable, "-P", "-m", "app.cli", "serve"), c.old()).start()
        old = await _loose(c, "old-worker", WORKER, c.old()).start()
        async with uploading(c) as crowd:
            applied = await migrate(c.database_url)
            assert (applied != []) == (c.before != ROOT)
            async with c.connect() as conn:
                assert await snapshot(conn) == committed(), "an upgraded database differs from a new one"
            await asyncio.to_thread(make_logins, c.database_url)
            done = await c.one(DONE_BY, f"%:{old.pid}")
            async with asyncio.timeout(60):
                while await c.one(DONE_BY, f"%:{old.pid}") < done + 5:
                    await asyncio.sleep(0.1)  # the old worker, on the new schema
            new = await c.worker("new-worker").start()
            port = free_port()
            await c.web("new-api", ASBUILT_PORT=str(port)).start()
            phone = Phone(c, "phone-of-the-new", seed=99)
            phone.http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
            crowd.jobs += [await phone.upload() for _ in range(10)]
            await phone.close()
            old.send(signal.SIGTERM)
            assert await old.ended(within_s=60) == 0
        await c.calm(within_s=120)
        assert await c.one(DONE_BY, f"%:{new.pid}") >= 10
        assert await c.one("select count(*) from automation_job where state <> 'completed'") == 0
        await c.judge()
