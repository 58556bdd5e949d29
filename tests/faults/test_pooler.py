"""Everything through pgbouncer in transaction mode: nothing is prepared, nothing set for a session, changes are polled for (failure mode 24)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from psycopg import conninfo

from tests.factories import value
from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.timings import percentile, slack
from tests.logins import PASSWORD, as_role, login
from tests.machine import free_port

pytestmark = pytest.mark.slow

POLL_S = 1.0
LOGINS = (login("app"), login("worker"))
PICKED_UP = "select extract(epoch from started_at - queued_at)::float8 from automation_attempt"


def _program() -> str:
    """pgbouncer: the machine's, or one that is installed where that is allowed."""
    if (found := shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")) is None and os.geteuid() == 0:
        for words in (["update", "-q"], ["install", "-yq", "--no-install-recommends", "pgbouncer"]):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", *words], env=env, check=False, stdout=subprocess.DEVNULL)
        found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    assert found is not None, "this test needs pgbouncer: apt-get install pgbouncer"
    return found


@contextmanager
def pgbouncer(c: Cluster) -> Iterator[dict[str, str]]:
    """In front of the cluster's Postgres, with fewer connections than clients; settings that lead through it, by role."""
    port = free_port()
    folder = c.folder / "pgbouncer"
    folder.mkdir()
    (folder / "users").write_text("".join(f'"{login}" "{PASSWORD}"\n' for login in LOGINS))
    (folder / "ini").write_text(
        f"""[databases]
* = host={c.database.sockets} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder / "users"}
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
logfile = {folder / "log"}
"""
    )
    # It refuses to be root, and another user could not reach the server's socket.
    prefix = ["unshare", "--user", "--map-user=65534"] if os.geteuid() == 0 else []
    process = subprocess.Popen([*prefix, _program(), "-q", folder / "ini"], stderr=subprocess.DEVNULL)
    try:
        made = {
            role: conninfo.make_conninfo(as_role(role, c.database_url), host="127.0.0.1", port=str(port))
            for role in ("app", "worker")
        }
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(made["app"], prepare_threshold=None).close()
                break
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield made
    finally:
        process.terminate()
        process.wait()


async def _notify(c: Cluster) -> str:
    async with httpx.AsyncClient(base_url=c.url, trust_env=False) as http:
        return str((await http.get("/health/ready")).json()["parts"]["notify"]["status"])


def _complaints(c: Cluster) -> dict[str, list[str]]:
    """What the processes said of statements that were prepared elsewhere, and of failed requests."""
    found = {
        log.name: re.findall(r"prepared statement|http\.internal|http\.database|unsupported startup", log.read_text())
        for log in c.folder.glob("*.log")
    }
    return {name: said for name, said in found.items() if said}


@pytest.mark.parametrize("direct", [False, True])
async def test_records_go_through_a_transaction_pooler(direct: bool) -> None:
    async with cluster(workers=0, api=False, seconds=0.3) as c:
        with pgbouncer(c) as urls:
            settings = {"ASBUILT_POOLER": "1", "ASBUILT_POLL_S": str(POLL_S)}
            heard = {role: {"ASBUILT_LISTEN_URL": as_role(role, c.database_url)} if direct else {} for role in urls}
            async with await psycopg.AsyncConnection.connect(urls["app"], prepare_threshold=None) as conn:
                assert await value(conn, "show statement_timeout") == "15s"
            await c.serve(DATABASE_URL=urls["app"], **settings, **heard["app"])
            await c.work(2, DATABASE_URL=urls["worker"], **settings, **heard["worker"])
            assert await _notify(c) == ("listen" if direct else "poll")
            crowd = Crowd(c)
            await crowd.load(per_s=6, total=40, follow=0.2)
            await c.calm(within_s=120)
            await crowd.leave()
            took = [seconds for (seconds,) in await c.all(PICKED_UP)]
            assert percentile(took, 0.95) <= (0.5 if direct else POLL_S + 0.5) * slack(), took
            await c.judge(demands=Demands(acked=40, effects=40))
            assert _complaints(c) == {}
            by_role = await c.all(
                "select usename::text, setting from pg_stat_activity, pg_settings where name = 'max_connections' and usename = any(%s)",
                list(LOGINS),
            )
            assert len(by_role) <= 2 * 4 + (3 if direct else 0)
