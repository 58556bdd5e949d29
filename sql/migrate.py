"""Bring a database to this version: Procrastinate's own schema, our numbered migrations, functions and views, then grants.

Forward only. Each file runs in its own transaction, is entered into the ledger with its hash, and is refused if it was
edited after it had been applied; functions and views run again whenever their text has changed, the grants every time.
What a file makes is nobody's but its callers' from the start, whatever becomes of the files after it.
A function or view is replaced where it stands, so that whoever is calling it notices nothing; it is dropped first only when
its answer has another type, and for good when its file is gone. Procrastinate's upgrades find their tables without our
triggers, which come back with the functions.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection
from psycopg.errors import (
    DeadlockDetected,
    Diagnostic,
    InvalidFunctionDefinition,
    InvalidTableDefinition,
    LockNotAvailable,
)

from sql import loader

_Q = loader.load("migrate")
PAUSES_S = (0.2, 0.3, 0.6)
"""Between two tries of a file that did not get its locks. Requests wait behind each try, so there are gaps for them."""
_ANOTHER_TYPE = (InvalidFunctionDefinition, InvalidTableDefinition)
_HOOKS = re.compile(r"\bcreate or replace trigger app_\w+ [^;]* on procrastinate_", re.IGNORECASE)


class _Applied(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    name: str
    sha256: str


class _There(msgspec.Struct, frozen=True, kw_only=True):
    there: bool


class _Statement(msgspec.Struct, frozen=True, kw_only=True):
    statement: str


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One file to apply."""

    source: str
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


HOLD_LOCK = _Q.exec("hold_lock")
BOUND_LOCKS = _Q.exec("bound_locks")
RELEASE_LOCK = _Q.exec("release_lock")
CREATE_LEDGER = _Q.exec("create_ledger")
APPLIED = _Q.many("applied", _Applied)
HAS_QUEUE = _Q.one("has_queue", _There)
HAS_LEDGER = _Q.one("has_ledger", _There)
NOTE = _Q.exec("note")
MADE_BY = _Q.many("made_by", _Statement)
OPEN_FUNCTIONS = _Q.many("open_functions", _Statement)
OUR_QUEUE_TRIGGERS = _Q.many("our_queue_triggers", _Statement)
FORGET = _Q.exec("forget")
DEFER_BODY_CHECKS = _Q.exec("defer_body_checks")


class EditedMigration(RuntimeError):
    """A numbered migration was changed after it had been applied to this database."""


async def migrate(database_url: str, *, warn: Callable[[str], None] = lambda _: None) -> list[str]:
    """Apply what is missing and answer the names applied. Two at once are safe: the second waits, then finds nothing.

    `warn` is told, in a sentence, what could not be done and stops nothing: roles that this user may not make, a database that
    a newer release has migrated. That is left as it is, so that the release before can be put back.

    Raises `EditedMigration`, and psycopg's errors; a file that fails leaves nothing of itself behind.
    """
    async with await AsyncConnection.connect(database_url, autocommit=True, application_name="asbuilt-migrate") as conn:
        conn.add_notice_handler(lambda notice: _pass_on(notice, warn))
        await HOLD_LOCK(conn)
        try:
            await BOUND_LOCKS(conn)
            await CREATE_LEDGER(conn)
            if newer := _newer(await _done(conn)):
                warn(f"this database has {newer[-1]}, of a newer release: nothing is changed")
                return []
            await _free_the_queue(conn)
            pending = await _pending(conn)
            for script in pending:
                await _apply(conn, script)
            await _remove_gone(conn)
            # Always: what is new has none yet, a view that was made anew has lost them, and roles are the cluster's.
            for script in _grants():
                await _apply(conn, script)
            return [script.name for script in pending]
        finally:
            await RELEASE_LOCK(conn)


def _pass_on(notice: Diagnostic, warn: Callable[[str], None]) -> None:
    if notice.severity_nonlocalized == "WARNING":
        warn("; ".join(part for part in (notice.message_primary, notice.message_hint) if part))


async def missing(conn: loader.Connection) -> list[str]:
    """The names of what `migrate` would apply; changes nothing."""
    done = await _done(conn) if (await HAS_LEDGER(conn)).there else {}
    if _newer(done):
        return []
    wanted = _queue_upgrades() + _numbered()
    lacking = [script for script in wanted if (script.source, script.name) not in done]
    return [script.name for script in lacking + _changed(done)]


def _newer(done: Mapping[tuple[str, str], str]) -> list[str]:
    """Numbered migrations that this release does not have."""
    ours = {script.name for script in _numbered()}
    return sorted(name for source, name in done if source == "asbuilt" and name not in ours)


async def _free_the_queue(conn: loader.Connection) -> None:
    """Take our triggers off Procrastinate's tables before an upgrade of theirs, and have them made anew after it."""
    done = await _done(conn)
    if not done or all((script.source, script.name) in done for script in _queue_upgrades()):
        return
    async with conn.transaction():
        for row in await OUR_QUEUE_TRIGGERS(conn):
            await conn.execute(row.statement)
        for script in repeatables():
            if _HOOKS.search(script.text):
                await FORGET(conn, name=script.name)


async def _pending(conn: loader.Connection) -> list[Script]:
    done = await _done(conn)
    wanted: list[Script] = []
    if (await HAS_QUEUE(conn)).there:
        wanted += _queue_upgrades()
    else:
        wanted.append(Script(source="procrastinate", name="schema", text=SchemaManager.get_schema()))
        for script in _queue_upgrades():  # the fresh schema contains them all
            await NOTE(conn, source=script.source, name=script.name, sha256=script.sha256)
            done[script.source, script.name] = script.sha256
    wanted += _numbered()
    for script in wanted:
        known = done.get((script.source, script.name))
        if known and known != script.sha256 and script.source == "asbuilt":
            raise EditedMigration(script.name)
    return [script for script in wanted if (script.source, script.name) not in done] + _changed(done)


async def _done(conn: loader.Connection) -> dict[tuple[str, str], str]:
    return {(row.source, row.name): row.sha256 for row in await APPLIED(conn)}


def _changed(done: Mapping[tuple[str, str], str]) -> list[Script]:
    wanted = repeatables() + _grants()
    return [script for script in wanted if done.get((script.source, script.name)) != script.sha256]


async def _remove_gone(conn: loader.Connection) -> None:
    """Views, functions and their triggers whose file is not there any more; views first, as they call functions."""
    there = {script.name for script in repeatables() + _grants()}
    gone = [name for source, name in await _done(conn) if source == "repeatable" and name not in there]
    for name in sorted(gone, reverse=True):
        async with conn.transaction():
            await _drop(conn, name, touched=True)
            await FORGET(conn, name=name)


async def _drop(conn: loader.Connection, name: str, *, touched: bool) -> None:
    """What a file of functions or views made; `touched`: also what this transaction has just made or replaced."""
    folder, _, file = name.partition("/")
    stem = file.removesuffix(".sql")
    schema, made = ("ops", stem.removeprefix("ops_")) if stem.startswith("ops_") else ("public", stem)
    for row in await MADE_BY(conn, folder=folder, schema=schema, made=made, touched=touched):
        await conn.execute(row.statement)


async def _apply(conn: loader.Connection, script: Script) -> None:
    """Raises `LockNotAvailable` or `DeadlockDetected` when it did not get its locks within three seconds."""
    for pause_s in PAUSES_S:
        try:
            return await _apply_once(conn, script)
        except (LockNotAvailable, DeadlockDetected):
            await asyncio.sleep(pause_s)
    return await _apply_once(conn, script)


async def _apply_once(conn: loader.Connection, script: Script) -> None:
    try:
        await _run(conn, script)
    except _ANOTHER_TYPE:
        if script.source != "repeatable":
            raise
        # What is dropped loses its grants: given back later, uploads would be refused meanwhile.
        await _run(conn, script, anew=True, beside=_grants())


async def _run(conn: loader.Connection, script: Script, *, anew: bool = False, beside: Sequence[Script] = ()) -> None:
    async with conn.transaction():
        await DEFER_BODY_CHECKS(conn)
        if anew:
            await _drop(conn, script.name, touched=True)
        # Files of this package and of Procrastinate's: no value from outside ever reaches them.
        await conn.execute(script.text)
        if script.source == "repeatable":
            # With other arguments a function is another one, and the old one would still be found by calls that fit it.
            await _drop(conn, script.name, touched=False)
        for row in await OPEN_FUNCTIONS(conn):
            await conn.execute(row.statement)
        for each in beside:
            await conn.execute(each.text)
        await NOTE(conn, source=script.source, name=script.name, sha256=script.sha256)


def _queue_upgrades() -> list[Script]:
    folder = Path(SchemaManager.get_migrations_path())
    return [
        Script(source="procrastinate", name=path.name, text=path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    ]


def _numbered() -> list[Script]:
    return [Script(source="asbuilt", name=name, text=text) for name, text in _scripts("migrations")]


def repeatables() -> list[Script]:
    """Functions with their triggers, then views, each in the order of their names."""
    return _repeatables("functions") + _repeatables("views")


def _grants() -> list[Script]:
    return _repeatables("grants")


def _repeatables(folder: str) -> list[Script]:
    return [Script(source="repeatable", name=f"{folder}/{name}", text=text) for name, text in _scripts(folder)]


def _scripts(folder: str) -> Iterator[tuple[str, str]]:
    for entry in sorted((files("sql") / folder).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".sql"):
            yield entry.name, entry.read_text(encoding="utf-8")
