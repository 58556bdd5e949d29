"""Giving access: tokens for devices, accounts for people, one-time sign-in links. The secrets are shown once, here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.core.auth import Role
from app.core.db import Pool
from app.core.errors import ProjectUnknown, Unauthorised
from app.core.secrets import digest, new_secret, new_token, password_hash, same
from sql import Connection, load

SESSION_S = 12 * 3600.0
LINK_S = 24 * 3600.0


class _DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    device_id: UUID


class _IdRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class _ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    project_id: UUID


class _UserRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    password_hash: bytes | None
    password_salt: bytes | None


class _LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    user_id: UUID


class _NameRow(msgspec.Struct, frozen=True, kw_only=True):
    name: str


_Q = load("access")
ADD_TOKEN = _Q.opt("add_token", _DeviceRow)
PUT_USER = _Q.one("put_user", _IdRow)
PUT_MEMBERSHIP = _Q.opt("put_membership", _ProjectRow)
ADD_LINK = _Q.exec("add_link")
USER_BY_EMAIL = _Q.opt("user_by_email", _UserRow)
USE_LINK = _Q.opt("use_link", _LinkRow)
OPEN_SESSION = _Q.one("open_session", _NameRow)
CLOSE_SESSION = _Q.exec("close_session")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session just opened; `secret` goes into the cookie and is kept nowhere else."""

    secret: str
    name: str


async def create_token(conn: Connection, *, project: str, scopes: Sequence[str], label: str, crew: str = "") -> str:
    """A new device of the project with a token of these scopes. Raises `ProjectUnknown`."""
    token = new_token()
    row = await ADD_TOKEN(
        conn, project=project, label=label, crew=crew, id=token.id, secret_hash=token.hash, scopes=list(scopes)
    )
    if row is None:
        raise ProjectUnknown(f"there is no project {project}")
    return str(token)


async def create_user(
    conn: Connection, *, email: str, name: str, project: str, role: Role, password: bool = True
) -> tuple[UUID, str]:
    """A person with a role in a project; answers the id and the generated password ("" without one).

    Raises `ProjectUnknown`, and then nothing is stored.
    """
    secret = secrets.token_urlsafe(15) if password else ""
    salt = secrets.token_bytes(16) if password else None
    async with conn.transaction():
        user = await PUT_USER(
            conn,
            email=email,
            name=name,
            password_salt=salt,
            password_hash=password_hash(secret, salt) if salt else None,
        )
        if await PUT_MEMBERSHIP(conn, user_id=user.id, project=project, role=role) is None:
            raise ProjectUnknown(f"there is no project {project}")
    return user.id, secret


async def create_link(conn: Connection, user_id: UUID) -> str:
    """The code of a one-time sign-in link, good for a day."""
    code = new_secret()
    await ADD_LINK(conn, secret_hash=digest(code), user_id=user_id, ttl_s=LINK_S)
    return code


async def sign_in_by_code(conn: Connection, code: str) -> Session:
    """Use a one-time link up. Raises `Unauthorised`."""
    row = await USE_LINK(conn, secret_hash=digest(code))
    if row is None:
        raise Unauthorised("this sign-in link was used already, or has expired")
    return await _open(conn, row.user_id)


async def sign_in_by_password(pool: Pool, *, email: str, password: str) -> Session:
    """Raises `Unauthorised`, the same for an unknown address and a wrong password."""
    async with pool.connection() as conn:
        row = await USER_BY_EMAIL(conn, email=email)
    salt = row.password_salt if row and row.password_salt else bytes(16)
    # Hash even for an unknown address, so that time tells nothing. In a thread and with no connection lent: it takes
    # half a second, for which nobody else was answered, and on a busy machine the connection was cut.
    given = await asyncio.to_thread(password_hash, password, salt)
    if row is None or row.password_hash is None or not same(given, row.password_hash):
        raise Unauthorised("the address or the password is wrong")
    async with pool.connection() as conn:
        return await _open(conn, row.id)


async def sign_out(conn: Connection, secret: str) -> None:
    await CLOSE_SESSION(conn, secret_hash=digest(secret))


async def _open(conn: Connection, user_id: UUID) -> Session:
    secret = new_secret()
    row = await OPEN_SESSION(conn, secret_hash=digest(secret), user_id=user_id, ttl_s=SESSION_S)
    return Session(secret=secret, name=row.name)
