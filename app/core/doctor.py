"""A check of a whole installation, part by part: what runs, what is stored, and what must be true of it.

It reads only: nothing is made, moved or mended.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from typing import Literal, TextIO
from uuid import UUID

import httpx
import msgspec
import psycopg
from psycopg import AsyncConnection
from redis.exceptions import RedisError

from app.core import health
from app.core.blobs import Blobs
from app.core.cache import STREAM, commands
from app.core.db import connect_arguments
from app.core.errors import StorageUnavailable
from app.core.settings import Settings, variable
from app.core.storage import open_blobs
from sql import Connection, load
from sql.migrate import missing

Level = Literal["ok", "note", "bad"]
OLDEST = 150000
PAGE = 1000
SHOWN = 50


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report; `note` is a choice that costs something, `bad` wants mending."""

    part: str
    level: Level
    sentence: str


class _Server(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    number: int
    standby: bool


class _Workers(msgspec.Struct, frozen=True, kw_only=True):
    alive: int
    jobs: int


class _Engine(msgspec.Struct, frozen=True, kw_only=True):
    engine: str
    portal: str


class _Blob(msgspec.Struct, frozen=True, kw_only=True):
    sha256: bytes
    size: int


class _Ailment(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    job_id: UUID | None
    record_id: UUID | None
    sentence: str
    hint: str


_Q = load("doctor")
SERVER = _Q.one("server", _Server)
TAKE_TIME = _Q.exec("take_time")
WORKERS = _Q.one("workers", _Workers)
ENGINES = _Q.many("engines", _Engine)
BLOBS = _Q.many("blobs", _Blob)
AILMENTS = _Q.many("ailments", _Ailment)


async def examine(settings: Settings, *, deep: bool = False) -> AsyncIterator[Finding]:
    """Every finding, as it is made. `deep` reads each stored file and compares its hash, not only its size."""
    yield await _redis(settings)
    yield await _automation(settings)
    yield _secrets(settings)
    try:
        async with await AsyncConnection.connect(
            settings.database_url, autocommit=True, **connect_arguments("asbuilt-doctor", pooler=settings.pooler)
        ) as conn:
            async for finding in _database(conn, settings, deep=deep):
                yield finding
    except psycopg.Error as exc:
        yield _bad("postgres", f"failed: {' '.join(str(exc).split())}")


async def report(settings: Settings, *, deep: bool, out: TextIO) -> int:
    """Write a line for each finding; answers the exit code: 0 when nothing is bad."""
    code = 0
    async for finding in examine(settings, deep=deep):
        out.write(f"{finding.level:<5} {finding.part:<11} {finding.sentence}\n")
        out.flush()
        code = max(code, int(finding.level == "bad"))
    return code


async def _database(conn: Connection, settings: Settings, *, deep: bool) -> AsyncIterator[Finding]:
    server = await SERVER(conn)
    if server.number < OLDEST:
        yield _bad("postgres", f"is {server.version}; 15 is the oldest that will do")
    elif server.standby:
        yield _bad("postgres", f"{server.version} is a standby: nothing can be stored, and LISTEN does not work")
    else:
        yield _ok("postgres", server.version)
    lacking = await missing(conn)
    if lacking:
        yield _bad("migrations", f"{len(lacking)} are missing, {lacking[0]} first; run: asbuilt migrate")
        return
    yield _ok("migrations", "all are applied")
    yield await _workers(conn, settings)
    for engine in await ENGINES(conn):
        yield _engine(engine, settings)
    try:
        async for finding in _blobs(conn, settings, deep=deep):
            yield finding
    except StorageUnavailable:
        yield _bad("blobs", f"{settings.bucket or settings.blobs} does not answer")
    async for finding in _invariants(conn, settings):
        yield finding


async def _redis(settings: Settings) -> Finding:
    redis = commands(settings.redis_url)
    if redis is None:
        return Finding(part="redis", level="note", sentence="is not configured: progress is not shown live")
    try:
        await redis.exists(STREAM)
    except (RedisError, OSError) as exc:
        return _bad("redis", f"does not answer ({type(exc).__name__}): progress is not shown live")
    finally:
        await redis.aclose()
    return _ok("redis", "answers")


async def _automation(settings: Settings) -> Finding:
    if not settings.automation_url:
        return _bad("automation", "AUTOMATION_URL is not set: no job can run")
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await health.automation(settings, client)()
    except httpx.HTTPError as exc:
        return _bad("automation", f"does not answer at {settings.automation_url} ({type(exc).__name__})")
    if answer != "ok":
        return _bad("automation", f"refuses at {settings.automation_url}; is AUTOMATION_TOKEN the same on both sides?")
    return _ok("automation", f"answers at {settings.automation_url}")


def _secrets(settings: Settings) -> Finding:
    if not settings.secret_key:
        sentence = "ASBUILT_SECRET_KEY is not set: questions of a portal, one-time codes among them, cannot be answered"
        return Finding(part="secrets", level="note", sentence=sentence)
    return _ok("secrets", f"answers are sealed; {len(settings.secret_key)} key{'s' * (len(settings.secret_key) > 1)}")


async def _workers(conn: Connection, settings: Settings) -> Finding:
    seen = await WORKERS(conn, alive_s=3 * settings.heartbeat_s)
    if seen.alive == 0:
        return _bad("workers", f"none is alive, and {seen.jobs} jobs wait for one")
    return _ok("workers", f"{seen.alive} alive")


def _engine(used: _Engine, settings: Settings) -> Finding:
    """A third party that keys a portal; it is not called, since that may cost."""
    field = {"skyvern": "skyvern_api_key", "browser-use": "browser_use_api_key"}[used.engine]
    if getattr(settings, field):
        return _ok("engines", f"{used.engine} has its key")
    return _bad(
        "engines",
        f"portal {used.portal} is keyed by {used.engine}, and {variable(field)} is not set: its jobs fail",
    )


async def _blobs(conn: Connection, settings: Settings, *, deep: bool) -> AsyncIterator[Finding]:
    """Every stored photo and picture has its file, whole."""
    store, broken, seen, after = open_blobs(settings), 0, 0, b""
    while page := await BLOBS(conn, after=after, limit=PAGE):
        for wrong in await _look(store, page, deep=deep):
            broken += 1
            if broken <= SHOWN:
                yield _bad("blobs", wrong)
        seen, after = seen + len(page), page[-1].sha256
    if broken > SHOWN:
        yield _bad("blobs", f"and {broken - SHOWN} more")
    if seen == 0:
        yield _ok("blobs", "nothing is stored yet")
    elif not broken:
        yield _ok("blobs", f"{seen} files are {'read and ' if deep else ''}whole")
    if settings.blobs.is_dir() and (free := shutil.disk_usage(settings.blobs).free) < settings.free_disk_bytes:
        yield _bad(
            "blobs",
            f"{free // 2**20} MiB are free, and {settings.free_disk_bytes // 2**20} are kept: no upload is taken",
        )


async def _look(store: Blobs, page: list[_Blob], *, deep: bool) -> list[str]:
    wrong: list[str] = []
    for blob, size in zip(page, await store.sizes([blob.sha256 for blob in page]), strict=True):
        name = store.named(blob.sha256)
        if size is None:
            wrong.append(f"{name} is missing")
        elif size != blob.size:
            wrong.append(f"{name} has {size} bytes and not {blob.size}")
        elif deep:
            digest = hashlib.sha256()
            async for chunk in store.stream(blob.sha256):
                digest.update(chunk)
            if digest.digest() != blob.sha256:
                wrong.append(f"{name} does not hold what its name says")
    return wrong


async def _invariants(conn: Connection, settings: Settings) -> AsyncIterator[Finding]:
    async with conn.transaction():
        await TAKE_TIME(conn)
        ailments = await AILMENTS(conn, grace_s=settings.lease_s + settings.reconcile_s + 5)
    for ailment in ailments[:SHOWN]:
        of = (
            f"job {ailment.job_id}"
            if ailment.job_id
            else f"record {ailment.record_id}"
            if ailment.record_id
            else "queue"
        )
        yield _bad("invariants", f"{ailment.rule} {of}: {ailment.sentence} ({ailment.hint})")
    if len(ailments) > SHOWN:
        yield _bad("invariants", f"and {len(ailments) - SHOWN} more; ops.doctor() has them all")
    if not ailments:
        yield _ok("invariants", "all hold")


def _ok(part: str, sentence: str) -> Finding:
    return Finding(part=part, level="ok", sentence=sentence)


def _bad(part: str, sentence: str) -> Finding:
    return Finding(part=part, level="bad", sentence=sentence)
