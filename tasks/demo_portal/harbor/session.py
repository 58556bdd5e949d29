"""Signing in at Harbor, and the crew behind a request."""

from __future__ import annotations

import hmac
import secrets

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from tasks.demo_portal.gate import GivenPortal, GivenQuirks, PortalRequest
from tasks.demo_portal.harbor import store
from tasks.demo_portal.portal import Portal, password_hash, token_hash
from tasks.demo_portal.quirks import Quirks

COOKIE = "harbor_sid"
PATH = "/harbor"


class Refused(Exception):
    """The request is answered with this status, code and sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in form sends."""

    user: str
    password: str


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in request, and the switches that hold for it."""

    account: str
    quirks: Quirks


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, and the switches that change how the page looks."""

    user: str
    drift: list[str]


GivenCrew = NamedDependency[Crew]


async def crew(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Crew:
    """The live session behind the cookie, counting this request against its limit; raises `Refused`."""
    account = await account_of(request, portal, quirks, cost=1)
    if account is None:
        raise Refused(401, "signed-out", "Please sign in.")
    return Crew(account=account, quirks=quirks)


async def account_of(request: PortalRequest, portal: Portal, quirks: Quirks, *, cost: int) -> str | None:
    """Who is signed in, or nobody; `cost` is what the request counts against the session's limit."""
    async with portal.pool.connection() as conn:
        row = await store.visit_session(
            conn,
            token_hash=token_hash(request.cookies.get(COOKIE, "")),
            cost=cost,
            max_requests=quirks.session_requests,
            max_minutes=quirks.session_minutes,
        )
    return None if row is None else row.account


@get("/api/session")
async def who(crew: GivenCrew) -> Who:
    """Who is signed in."""
    return _who(crew.account, crew.quirks)


@post("/api/session", status_code=200)
async def sign_in(data: JSONBody[Credentials], portal: GivenPortal, quirks: GivenQuirks) -> Response[Who]:
    """Check the password and open a session."""
    name = data.user.strip().replace("\0", "")
    async with portal.pool.connection() as conn:
        account = await store.get_account(conn, name=name)
        # An unknown name costs the same hash as a wrong password.
        given = password_hash(data.password, salt=account.salt if account else b"nobody")
        if account is not None and account.locked_at is not None:
            raise Refused(423, "locked", "This account is locked. Call the cooperative.")
        if account is None or not hmac.compare_digest(given, account.hash):
            await store.sign_in_wrong(conn, name=name, lockout_after=quirks.lockout_after)
            await conn.commit()
            raise Refused(403, "sign-in-failed", "That user name and password do not match.")
        await store.sign_in_right(conn, name=name)
        token = secrets.token_urlsafe(32)
        await store.open_session(conn, account=name, token_hash=token_hash(token), single=quirks.single_session)
    answer = Response(_who(name, quirks))
    answer.set_cookie(key=COOKIE, value=token, httponly=True, samesite="lax", path=PATH)
    return answer


@delete("/api/session", status_code=200)
async def sign_out(request: PortalRequest, portal: GivenPortal) -> Response[None]:
    """End the session, if there is one."""
    async with portal.pool.connection() as conn:
        await store.close_session(conn, token_hash=token_hash(request.cookies.get(COOKIE, "")))
    answer = Response(None)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


def _who(name: str, quirks: Quirks) -> Who:
    kinds = {"button": quirks.drift_button, "label": quirks.drift_label, "dialog": quirks.drift_dialog}
    return Who(user=name, drift=[kind for kind, on in kinds.items() if on])
