"""Who is asking: bearer tokens of devices, session cookies of people. Closed by default.

What a caller may see goes into every query as its projects and its device; foreign objects answer as if absent.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from app.core.db import Pool, unavailable_as_problem
from app.core.errors import Forbidden, ProjectUnknown, Unauthorised, UnsupportedMedia
from app.core.fairness import Fairness
from app.core.secrets import csrf_token, digest, parse_token, same
from sql import load

Role = Literal["viewer", "reviewer", "operator", "admin"]
_RANK: dict[Role, int] = {"viewer": 0, "reviewer": 1, "operator": 2, "admin": 3}
_SCOPE_ROLE: dict[str, Role] = {"read": "viewer", "review": "reviewer", "operate": "operator"}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ProjectAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A project that a caller may look into, and as what."""

    id: UUID
    code: str
    name: str
    role: Role


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The device or person behind a request. A device sees its own records even without a project role.

    `home` is the project that a device belongs to.
    """

    kind: Literal["device", "user"]
    id: UUID
    name: str
    projects: tuple[ProjectAccess, ...] = ()
    scopes: frozenset[str] = frozenset()
    csrf: str | None = None
    home: UUID | None = None

    @property
    def actor(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def project_ids(self) -> list[UUID]:
        return [project.id for project in self.projects]

    @property
    def sight(self) -> tuple[UUID, ...]:
        """Projects outside which the database itself shows this caller nothing; what they may see there is asked besides."""
        own = () if self.home is None else (self.home,)
        return tuple(sorted({*self.project_ids, *own}))

    @property
    def device_id(self) -> UUID | None:
        return self.id if self.kind == "device" else None

    def project(self, wanted: str) -> ProjectAccess:
        """The project of this id or code. Raises `ProjectUnknown`, also for one the caller may not see."""
        found = next((access for access in self.projects if wanted in (access.code, str(access.id))), None)
        if found is None:
            raise ProjectUnknown
        return found

    def has(self, role: Role, project_id: UUID) -> bool:
        """Whether the caller has at least this role in the project."""
        held = next((project.role for project in self.projects if project.id == project_id), None)
        return held is not None and _RANK[held] >= _RANK[role]

    def demand(self, role: Role, project_id: UUID) -> None:
        """Raise `Forbidden` unless the caller has at least this role in the project."""
        if not self.has(role, project_id):
            raise Forbidden(f"this needs the role {role} in the project")

    def demand_scope(self, scope: str) -> None:
        """Raise `Forbidden` unless the caller is a device whose token has this scope."""
        if scope not in self.scopes:
            raise Forbidden(f"this needs a device token of scope {scope}")


class _TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    secret_hash: bytes
    scopes: list[str]
    device_id: UUID
    label: str
    project_id: UUID
    code: str
    project_name: str


class _SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    user_id: UUID
    name: str
    email: str


class _MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    project_id: UUID
    code: str
    name: str
    role: Role


_Q = load("access")
TOKEN_BY_ID = _Q.opt("token_by_id", _TokenRow)
SESSION_BY_HASH = _Q.opt("session_by_hash", _SessionRow)
MEMBERSHIPS = _Q.many("memberships", _MemberRow)

_NOBODY = bytes(32)


class Doorkeeper:
    """Resolves secrets to callers; remembers each answer for a few seconds, so that a busy phone costs no look-ups.

    Those who show the same secret while it is looked up share the answer: a thousand streams of one device that come back
    in one moment would otherwise want a thousand connections.
    """

    def __init__(self, pool: Pool, *, ttl_s: float = 5.0, size: int = 4096) -> None:
        self._pool = pool
        self._ttl_s = ttl_s
        self._size = size
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}

    async def by_token(self, text: str) -> Caller:
        """Raises `Unauthorised`, the same for every reason."""
        token = parse_token(text)
        if token is None:
            raise Unauthorised
        return await self._known_or(digest(text), lambda: self._load_token(token.id, token.hash))

    async def by_session(self, secret: str) -> Caller:
        """Raises `Unauthorised`."""
        return await self._known_or(digest(secret), lambda: self._load_session(secret))

    def forget(self, secret: str) -> None:
        """Drop a session at once, when it signs out; an answer that is under way will not be remembered."""
        key = digest(secret)
        self._known.pop(key, None)
        self._asking.pop(key, None)

    async def _known_or(self, key: bytes, load: Callable[[], Coroutine[Any, Any, Caller]]) -> Caller:
        caller = self._recall(key)
        if caller is not None:
            return caller
        asked = self._asking.get(key)
        if asked is None:
            asked = self._asking[key] = asyncio.create_task(load())
            asked.add_done_callback(lambda task: self._answered(key, task))
        # One asker that leaves must not take the answer away from the others.
        return await asyncio.shield(asked)

    def _answered(self, key: bytes, asked: asyncio.Task[Caller]) -> None:
        failed = asked.cancelled() or asked.exception() is not None
        if self._asking.get(key) is not asked:
            return
        del self._asking[key]
        if not failed:
            self._remember(key, asked.result())

    async def _load_session(self, secret: str) -> Caller:
        async with unavailable_as_problem(), self._pool.connection() as conn:
            row = await SESSION_BY_HASH(conn, secret_hash=digest(secret))
            if row is None:
                raise Unauthorised
            members = await MEMBERSHIPS(conn, user_id=row.user_id)
        return Caller(
            kind="user",
            id=row.user_id,
            name=row.email,
            projects=tuple(ProjectAccess(id=m.project_id, code=m.code, name=m.name, role=m.role) for m in members),
            csrf=csrf_token(secret),
        )

    async def _load_token(self, token_id: str, secret_hash: bytes) -> Caller:
        async with unavailable_as_problem(), self._pool.connection() as conn:
            row = await TOKEN_BY_ID(conn, id=token_id)
        # An unknown id does the same comparison, so that time tells nothing.
        if not same(row.secret_hash if row else _NOBODY, secret_hash) or row is None:
            raise Unauthorised
        roles = [_SCOPE_ROLE[scope] for scope in row.scopes if scope in _SCOPE_ROLE]
        role = max(roles, key=lambda held: _RANK[held], default=None)
        return Caller(
            kind="device",
            id=row.device_id,
            name=row.label,
            scopes=frozenset(row.scopes),
            home=row.project_id,
            projects=()
            if role is None
            else (ProjectAccess(id=row.project_id, code=row.code, name=row.project_name, role=role),),
        )

    def _recall(self, key: bytes) -> Caller | None:
        until, caller = self._known.get(key, (0.0, None))
        return caller if until > time.monotonic() else None

    def _remember(self, key: bytes, caller: Caller) -> None:
        self._known[key] = (time.monotonic() + self._ttl_s, caller)
        self._known.move_to_end(key)
        while len(self._known) > self._size:
            self._known.popitem(last=False)


def cookie_name(public_url: str) -> str:
    """On plain http (loopback only) browsers refuse the `__Host-` prefix, so the name does without it."""
    return "__Host-asbuilt" if public_url.startswith("https:") else "asbuilt"


class Authentication(AbstractAuthenticationMiddleware):
    """Puts a `Caller` on every request, or refuses it."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        super().__init__(app, exclude_from_auth_key="public")
        self._cookie = cookie_name(public_url)
        self._origin = _origin(public_url)

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        doorkeeper: Doorkeeper = connection.app.state["doorkeeper"]
        header = connection.headers.get("authorization", "")
        if header:
            scheme, _, secret = header.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthorised
            return AuthenticationResult(user=await self._by_token(connection, secret.strip()), auth="token")
        secret = connection.cookies.get(self._cookie, "")
        if not secret:
            raise Unauthorised
        caller = await doorkeeper.by_session(secret)
        if connection.scope.get("method") not in SAFE_METHODS:
            self._refuse_forgery(connection, caller)
        return AuthenticationResult(user=caller, auth="session")

    async def _by_token(self, connection: ASGIConnection[Any, Any, Any, Any], secret: str) -> Caller:
        """A good token is never refused for the wrong ones of others behind the same address: none can be guessed."""
        doorkeeper: Doorkeeper = connection.app.state["doorkeeper"]
        fairness: Fairness = connection.app.state["fairness"]
        try:
            return await doorkeeper.by_token(secret)
        except Unauthorised:
            key = ("token", address(connection))
            fairness.demand_patience(key)
            fairness.failed(key)
            raise

    def _refuse_forgery(self, connection: ASGIConnection[Any, Any, Any, Any], caller: Caller) -> None:
        """A cookie is sent by any page; only ours can also send its token, from our own origin, as JSON."""
        headers = connection.headers
        origin = headers.get("origin", "")
        sent = headers.get("x-csrf-token", "")
        if (origin and origin != self._origin) or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Forbidden("the request comes from another site")
        if not same(sent.encode(), (caller.csrf or "").encode()):
            raise Forbidden("the header X-CSRF-Token is missing or wrong")
        if headers.get("content-type", "") != "application/json":
            raise UnsupportedMedia("Content-Type must be exactly application/json")


def address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Where a request comes from; a trusted proxy in front has said so."""
    return connection.client.host if connection.client else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
