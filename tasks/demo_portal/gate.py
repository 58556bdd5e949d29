"""The door of every page: maintenance, think time, random faults, then the session. And how to leave unanswered."""

from __future__ import annotations

import asyncio
from asyncio import BaseTransport, Transport
from typing import Any, NoReturn, cast
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from tasks.demo_portal import store
from tasks.demo_portal.portal import Portal, token_hash
from tasks.demo_portal.quirks import Quirks
from tasks.demo_portal.store import SessionRow

PortalRequest = Request[Any, Any, State]
COOKIE = "sid"
_RETURN_TO = {"upload": "photos", "submit": "review"}
CHECKS = {"code": "/otp", "word": "/check"}


class SignInNeeded(Exception):
    """There is no live session; `location` is the sign-in page that leads back."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class UnderMaintenance(Exception):
    """The portal is closed for maintenance."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Broken(Exception):
    """The portal shows its error page, and has done nothing."""


class HungUp(Exception):
    """The connection was closed without an answer."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in page request, and the switches that hold for it."""

    account: str
    quirks: Quirks


GivenPortal = NamedDependency[Portal]
GivenHarbor = NamedDependency[Portal]
GivenQuirks = NamedDependency[Quirks]
GivenVisit = NamedDependency[Visit]


class HangUpProtocol(H11Protocol):
    """HTTP that lets a handler close its connection unanswered, which ASGI has no word for."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Give every request of this connection its transport, as `request.state.transport`."""
        connection = cast("Transport", transport)
        super().connection_made(connection)
        inner = self.app

        async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            if scope["type"] == "http":
                scope.setdefault("state", {})["transport"] = connection
            await inner(scope, receive, send)

        self.app = app


async def hang_up(request: PortalRequest, *, reset: bool) -> NoReturn:
    """Close this request's connection without a byte of answer, by a reset or in an orderly way."""
    transport: Transport = request.state.transport
    if reset:
        transport.abort()
    else:
        transport.close()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise HungUp


async def weather(request: PortalRequest, portal: GivenPortal) -> Quirks:
    """Let the switches act on a page request; a handler marked `steady` is spared the random faults."""
    quirks = await portal.quirks()
    if quirks.maintenance:
        raise UnderMaintenance(quirks.retry_after_s)
    await asyncio.sleep(portal.dice.think_s(quirks))
    if request.route_handler.opt.get("steady"):
        return quirks
    fault = portal.dice.fault(quirks)
    if fault == "drop":
        await hang_up(request, reset=True)
    if fault == "error":
        raise Broken
    return quirks


async def visit(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Visit:
    """The live session behind the cookie, counting this page against its limit.

    Raises `SignInNeeded`.
    """
    session = await session_of(request, portal, quirks, cost=1)
    if session is None:
        raise SignInNeeded(_sign_in(request))
    if session.awaiting:
        raise SignInNeeded(f"{CHECKS[session.awaiting[0]]}?next={quote(_page_of(request))}")
    return Visit(account=session.account, quirks=quirks)


async def account_of(request: PortalRequest, portal: Portal, quirks: Quirks) -> str | None:
    """Who is signed in and has answered all there was to answer, or nobody; counts against no limit."""
    session = await session_of(request, portal, quirks, cost=0)
    return None if session is None or session.awaiting else session.account


async def session_of(request: PortalRequest, portal: Portal, quirks: Quirks, *, cost: int) -> SessionRow | None:
    """The session behind the cookie; `cost` is what the request counts against its limit."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    async with portal.pool.connection() as conn:
        return await store.visit_session(
            conn,
            token_hash=token_hash(token),
            cost=cost,
            max_requests=quirks.session_requests,
            max_minutes=quirks.session_minutes,
        )


def _page_of(request: PortalRequest) -> str:
    path = request.url.path
    if request.method == "GET":
        return path
    # These addresses answer a POST only; the page they were posted from is the one to come back to.
    head, _, last = path.rpartition("/")
    return f"{head}/{_RETURN_TO.get(last, last)}"


def _sign_in(request: PortalRequest) -> str:
    expired = "expired=1&" if request.cookies.get(COOKIE) else ""
    return f"/login?{expired}next={quote(_page_of(request))}"
