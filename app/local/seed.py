"""Makes a fresh stack usable: demo portal and project, forms, a person with a sign-in link, a token to upload with.

Safe to repeat: what is there stays, only the link is new each time.
"""

from __future__ import annotations

from importlib.resources import files
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Json, Jsonb

from app.core.access import create_link, create_token, create_user
from app.core.auth import TOKEN_BY_ID
from app.core.secrets import parse_token, same
from sql import Connection, load

PROJECT = "demo"
SECOND = "harbor"
EMAIL = "demo@asbuilt.example"
MAX_RUNS = 6
"""As many as the local worker and the reference service run at once."""
_PROJECTS = (
    (PROJECT, "Northfield demo", "Northfield Power & Light", "npl"),
    (SECOND, "Harbor demo", "Harbor Fiber Cooperative", "harbor"),
)
"""Code, name, customer and portal; the second portal needs a browser, so the demo's records go to the first."""


class Seeded(msgspec.Struct, frozen=True, kw_only=True):
    """The code of a one-time sign-in link, and a device token of scope `upload`."""

    sign_in_code: str
    upload_token: str


class _There(msgspec.Struct, frozen=True, kw_only=True):
    there: bool


class _Logins(msgspec.Struct, frozen=True, kw_only=True):
    app: bool
    worker: bool


class _Account(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    form_key: str
    version: int
    title: str
    schema: dict[str, object]
    shots: list[object]
    measures: list[object]
    rules: dict[str, object]


_Q = load("local")
HAS_DATABASE = _Q.one("has_database", _There)
CREATE_DATABASE = _Q.exec("create_database")
HAS_LOGINS = _Q.one("has_logins", _Logins)
CREATE_APP_LOGIN = _Q.exec("create_app_login")
CREATE_WORKER_LOGIN = _Q.exec("create_worker_login")
PUT_PORTALS = _Q.exec("put_portals")
PUT_PORTAL_ACCOUNT = _Q.one("put_portal_account", _Account)
PUT_PROJECT = _Q.exec("put_project")
PUT_FORM = _Q.exec("put_form")


async def create_database(server_url: str) -> None:
    """Make the database of the local server, unless it is there."""
    async with await AsyncConnection.connect(server_url, autocommit=True, connect_timeout=30) as conn:
        if not (await HAS_DATABASE(conn)).there:
            await CREATE_DATABASE(conn)


async def make_logins(database_url: str) -> None:
    """Make the accounts of the local web process and worker, unless they are there; the roles are."""
    async with await AsyncConnection.connect(database_url, autocommit=True, connect_timeout=30) as conn:
        there = await HAS_LOGINS(conn)
        if not there.app:
            await CREATE_APP_LOGIN(conn)
        if not there.worker:
            await CREATE_WORKER_LOGIN(conn)


async def seed(database_url: str, *, portal_url: str, token: str = "", max_runs: int = MAX_RUNS) -> Seeded:
    """Put everything a demo needs into a migrated database; `token` is used again when the database knows it."""
    async with await AsyncConnection.connect(database_url, autocommit=True, connect_timeout=30) as conn:
        async with conn.transaction():
            await PUT_PORTALS(conn, url=portal_url)
            for code, name, customer, portal in _PROJECTS:
                account = await PUT_PORTAL_ACCOUNT(conn, portal=portal, max_runs=max_runs)
                await PUT_PROJECT(conn, code=code, name=name, customer=customer, account=account.id)
            await _put_forms(conn)
            for code, *_ in _PROJECTS:
                user, _ = await create_user(conn, email=EMAIL, name="Demo", project=code, role="admin", password=False)
            code = await create_link(conn, user)
            if not await _is_known(conn, token):
                token = await create_token(
                    conn, project=PROJECT, scopes=["upload"], label="demo phone", crew="Demo crew"
                )
        return Seeded(sign_in_code=code, upload_token=token)


async def _put_forms(conn: Connection) -> None:
    folder = files("app.intake") / "forms"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            form = msgspec.json.decode(entry.read_bytes(), type=_Form)
            await PUT_FORM(
                conn,
                form_key=form.form_key,
                version=form.version,
                title=form.title,
                schema=Json(form.schema),
                shots=Jsonb(form.shots),
                measures=Jsonb(form.measures),
                rules=Jsonb(form.rules),
            )


async def _is_known(conn: Connection, text: str) -> bool:
    token = parse_token(text)
    row = await TOKEN_BY_ID(conn, id=token.id) if token is not None else None
    return token is not None and row is not None and same(row.secret_hash, token.hash)
