"""What every page of the portal works with, in one object made by `server` and handed to handlers as `portal`."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from tasks.demo_portal import store
from tasks.demo_portal.ledger import Ledger
from tasks.demo_portal.quirks import Dice, Quirks

Pool = AsyncConnectionPool[AsyncConnection[Any]]


@dataclass(frozen=True, slots=True)
class Portal:
    """Connections, the submission log and the dice of one portal process."""

    pool: Pool
    ledger: Ledger
    dice: Dice

    async def switches(self) -> tuple[str, Quirks]:
        """The preset last taken and the switches, as they stand in the database now."""
        async with self.pool.connection() as conn:
            row = await store.get_quirks(conn)
        return ("", Quirks()) if row is None else (row.preset, msgspec.convert(row.switches, Quirks))

    async def quirks(self) -> Quirks:
        """The switches alone."""
        return (await self.switches())[1]

    async def set_quirks(self, quirks: Quirks, *, preset: str) -> None:
        """Switch all at once; they hold from the next request on."""
        async with self.pool.connection() as conn:
            await store.put_quirks(conn, preset=preset, switches=Jsonb(msgspec.to_builtins(quirks)))

    async def set_account(self, name: str, *, password: str) -> None:
        """Make the account, or give it this password."""
        salt = secrets.token_bytes(16)
        async with self.pool.connection() as conn:
            await store.put_account(conn, name=name, salt=salt, hash=password_hash(password, salt=salt))


def password_hash(password: str, *, salt: bytes) -> bytes:
    """scrypt with the parameters of RFC 7914, section 2, for interactive use."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def token_hash(token: str) -> bytes:
    """Session tokens are stored hashed; they are random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()
