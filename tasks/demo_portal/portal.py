"""What every page of the portal works with, in one object made by `server` and handed to handlers as `portal`."""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from tasks.demo_portal import store
from tasks.demo_portal.ledger import Ledger
from tasks.demo_portal.quirks import Dice, Quirks, problems

log = logging.getLogger("asbuilt.demo_portal")
Key = Literal["npl", "harbor"]
Pool = AsyncConnectionPool[AsyncConnection[Any]]


@dataclass(frozen=True, slots=True)
class Portal:
    """One company's portal in this process: connections, the submission log, the dice, and its own switches."""

    pool: Pool
    ledger: Ledger
    dice: Dice
    key: Key = "npl"

    async def switches(self) -> tuple[str, Quirks]:
        """The preset last taken and the switches, as they stand in the database now.

        Switches that an UPDATE by hand made senseless count as all off, under the preset "unreadable".
        """
        get = store.get_quirks if self.key == "npl" else store.get_harbor_quirks
        async with self.pool.connection() as conn:
            row = await get(conn)
        if row is None:
            return "", Quirks()
        try:
            quirks = msgspec.convert(row.switches, Quirks)
        except msgspec.ValidationError as exc:
            return self._unreadable(str(exc))
        if found := problems(quirks):
            return self._unreadable("; ".join(found))
        return row.preset, quirks

    def _unreadable(self, reason: str) -> tuple[str, Quirks]:
        log.warning(
            "switches unreadable, all are off",
            extra={"event": "portal.switches_unreadable", "portal": self.key, "reason": reason},
        )
        return "unreadable", Quirks()

    async def quirks(self) -> Quirks:
        """The switches alone."""
        return (await self.switches())[1]

    async def set_quirks(self, quirks: Quirks, *, preset: str) -> None:
        """Switch all at once; they hold from the next request on."""
        put = store.put_quirks if self.key == "npl" else store.put_harbor_quirks
        async with self.pool.connection() as conn:
            await put(conn, preset=preset, switches=Jsonb(msgspec.to_builtins(quirks)))

    async def set_account(self, name: str, *, password: str) -> None:
        """Make the account, or give it this password."""
        put = store.put_account if self.key == "npl" else store.put_harbor_account
        salt = secrets.token_bytes(16)
        async with self.pool.connection() as conn:
            await put(conn, name=name, salt=salt, hash=password_hash(password, salt=salt))


def password_hash(password: str, *, salt: bytes) -> bytes:
    """scrypt with the parameters of RFC 7914, section 2, for interactive use."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def token_hash(token: str) -> bytes:
    """Session tokens are stored hashed; they are random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()
