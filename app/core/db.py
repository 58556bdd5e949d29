"""The pool of Postgres connections, and what every connection of ours has in common.

Everything is bounded: by the server where it still answers, and by cutting the connection where it does not. So a frozen
or locked database costs an error, not a hung request.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Self
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.abc import Params
from psycopg.pq import TransactionStatus
from psycopg.rows import Row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, TooManyRequests

from app.core.errors import DatabaseUnavailable
from sql import Connection
from sql import load as load_queries

log = logging.getLogger("asbuilt.database")

TROUBLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.InternalError_)
"""The database cannot be reached, does not answer, or says "not now"; or a migration made a function anew under the very
statement that calls it (XX000, "cache lookup failed"). A statement that is wrong raises something else."""

CANCEL_S = 0.5
"""How long a cancelled statement may take to stop. psycopg waits ten seconds for a server that is frozen."""

CLOSE_S = 2.0

RECONNECT_S = 2.0
"""How long the pool tries by itself. Its pauses double, so after a long outage it would sleep past the recovery; when it
has given up, the next caller makes it try at once."""

FULL_S = 10.0
"""For so long it is told that the database had no room. Only a write can find out that it has some again."""

FULL_AGAIN_S = 60.0
"""Each refused write would be a line of the log."""

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)

SET_ACTOR = load_queries("core").exec("set_actor")
SET_SIGHT = load_queries("core").exec("set_sight")
SET_BRIEF = load_queries("core").exec("set_brief")


def connect_arguments(name: str, *, pooler: bool = False) -> dict[str, Any]:
    """libpq parameters: dead peers are noticed in seconds, and Postgres itself ends what takes too long.

    `name` is also who acts when a transaction names nobody else. Times are told in UTC, whatever the server's zone. Behind a
    `pooler` a session belongs to nobody: what is set for one is set for the role instead (docs/pooler.md).
    """
    common: dict[str, Any] = {
        "application_name": name,
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
    }
    if pooler:
        return common | {"prepare_threshold": None}
    options = (
        "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
        f" -c timezone=UTC -c asbuilt.actor={name}"
    )
    return common | {"options": options}


def cut(conn: Connection) -> None:
    """Break the connection from our side, so that whoever waits for the server gets an `OperationalError` at once."""
    with suppress(OSError, psycopg.Error), socket.fromfd(conn.fileno(), socket.AF_UNSPEC, socket.SOCK_STREAM) as sock:
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(conn: Connection, within_s: float) -> Iterator[None]:
    """Cut the connection unless the block ends in time; what it waits for then raises `OperationalError`."""
    # Not asyncio.timeout: a cancelled statement goes on waiting for the server to stop it.
    timer = asyncio.get_running_loop().call_later(within_s, cut, conn)
    try:
        yield
    finally:
        timer.cancel()


class CuttableConnection(AsyncConnection[Any]):
    """A connection whose statements can be cancelled without waiting for a server that is frozen."""

    along: tuple[str, dict[str, object]] | None = None
    """A query with its parameters that is sent along with each statement: what it sets holds for that one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = AccompaniedCursor

    async def cancel_safe(self, *, timeout: float = CANCEL_S) -> None:  # noqa: ASYNC109 - as psycopg names it
        try:
            await super().cancel_safe(timeout=min(timeout, CANCEL_S))
        except psycopg.Error:
            cut(self)
            raise


class AccompaniedCursor(AsyncCursor[Row]):
    """Sends what its connection has along with each statement that stands alone."""

    async def execute(
        self, query: Any, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        conn = self.connection
        along = conn.along if isinstance(conn, CuttableConnection) else None
        if along is None or conn.info.transaction_status != TransactionStatus.IDLE:
            return await super().execute(query, params, prepare=prepare, binary=binary)
        # What a pipeline sends is one transaction, from its beginning to its end: nothing is set for longer, and there is one
        # round trip, where "begin" and "commit" would make three.
        async with conn.pipeline():
            await AsyncCursor(conn).execute(*along)
            await super().execute(query, params, prepare=prepare, binary=binary)
        return self


class Pool(AsyncConnectionPool[AsyncConnection[Any]]):
    """Lends each connection for `deadline_s` seconds, waiting for it included; one that is still busy then is cut.

    At most `most_waiting` callers wait for one; the next is refused at once. The pool's own `max_waiting` goes on counting
    those that have given up until a connection comes, and refuses before it tries to connect: after an outage it refused
    for ever.
    """

    deadline_s = 2.0
    most_waiting = 64
    refused_full = 0
    """Writes that the database had no room for."""
    _asking = 0
    _full_at = -math.inf
    _told_full_at = -math.inf

    @property
    def full(self) -> bool:
        """Whether the database just had no room for a write of ours. It may serve reads, and writes that fit, all the same."""
        return time.monotonic() - self._full_at < FULL_S

    async def getconn(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as psycopg names it
    ) -> AsyncConnection[Any]:
        """Raises `TooManyRequests` and `PoolTimeout`."""
        if self._asking >= self.most_waiting:
            raise TooManyRequests(f"{self._asking} wait for a connection already")
        self._asking += 1
        try:
            return await super().getconn(timeout)
        finally:
            self._asking -= 1

    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as psycopg names it
        *,
        deadline_s: float | None = None,
    ) -> AsyncIterator[AsyncConnection[Any]]:
        """Raises psycopg's `OperationalError`, of which `PoolTimeout` is one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (deadline_s or self.deadline_s)
        async with super().connection(timeout) as conn:
            with deadline(conn, until - loop.time()), self._noticing_full():
                yield conn

    @contextmanager
    def _noticing_full(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.DiskFull as exc:
            self._is_full(exc.diag.message_primary)
            raise

    def _is_full(self, why: str | None) -> None:
        """`why` names the file that cannot grow, and nothing of what was to be written."""
        self.refused_full += 1
        self._full_at = time.monotonic()
        if self._full_at - self._told_full_at > FULL_AGAIN_S:
            self._told_full_at = self._full_at
            log.error("the database's disk is full", extra={"event": "database.disk_full", "why": why})

    @asynccontextmanager
    async def reading(self, sight: Iterable[UUID]) -> AsyncIterator[Connection]:
        """A connection whose every statement finds rows of these projects only, whatever it asks for (decision 0016).

        A transaction on it has the sight that it sets itself, as `acting` does. Raises as `connection` does.
        """
        projects = f"{{{','.join(map(str, sight))}}}"
        async with self._accompanied(SET_SIGHT.block.text, {"projects": projects}) as conn:
            yield conn

    @asynccontextmanager
    async def brief(self, within_s: float) -> AsyncIterator[Connection]:
        """A connection whose every statement raises `QueryCanceled` after that time, its locks given back; nor does its commit
        wait for the disk with them. For what may be done again after a crash."""
        async with self._accompanied(SET_BRIEF.block.text, {"within_ms": round(1000 * within_s)}) as conn:
            yield conn

    @asynccontextmanager
    async def _accompanied(self, query: str, params: dict[str, object]) -> AsyncIterator[Connection]:
        async with self.connection() as conn:
            if not isinstance(conn, CuttableConnection):
                raise TypeError("nothing goes along with the statements of this pool's connections")
            conn.along = query, params
            try:
                yield conn
            finally:
                conn.along = None

    async def close(self, timeout: float = CLOSE_S) -> None:  # noqa: ASYNC109 - as psycopg names it
        """Waits at most two seconds for its own tasks, which may be connecting to a server that is frozen."""
        await super().close(min(timeout, CLOSE_S))


@asynccontextmanager
async def pool(
    url: str,
    *,
    name: str,
    size: int,
    wait_s: float = 0.8,
    deadline_s: float = Pool.deadline_s,
    pooler: bool = False,
) -> AsyncIterator[Pool]:
    """An open pool of up to `size` autocommit connections; a caller waits at most `wait_s` seconds for one."""
    opened = Pool(
        url,
        connection_class=CuttableConnection,
        min_size=min(2, size),
        max_size=size,
        timeout=wait_s,
        reconnect_timeout=RECONNECT_S,
        open=False,
        kwargs={"autocommit": True, **connect_arguments(name, pooler=pooler)},
    )
    opened.deadline_s = deadline_s
    opened.most_waiting = size * 8
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def unavailable_as_problem() -> AsyncIterator[None]:
    """Turn trouble with the database into `DatabaseUnavailable`; a statement's own errors pass."""
    try:
        yield
    except TROUBLE as exc:
        raise DatabaseUnavailable(retry_after_s=2) from exc


@asynccontextmanager
async def acting(conn: Connection, actor: str, *, projects: Sequence[UUID] | None = None) -> AsyncIterator[Connection]:
    """A transaction whose events and audit rows name this actor, and whose acts find only what is in these projects."""
    async with conn.transaction():
        await SET_ACTOR(conn, actor=actor, projects=None if projects is None else list(projects))
        yield conn
