"""HTTP of signing in: who am I, a session by password or one-time code, and its end."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.core import access
from app.core.auth import Caller, Doorkeeper, ProjectAccess, address, cookie_name
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import Forbidden, MalformedRequest, TooManyRequests, Unauthorised
from app.core.fairness import Fairness
from app.core.settings import Settings


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The caller; `csrf` goes into the header X-CSRF-Token of every changing call by cookie."""

    kind: str
    name: str
    csrf: str | None
    projects: tuple[ProjectAccess, ...]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either `code`, or `email` and `password`."""

    code: str = ""
    email: str = ""
    password: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    name: str


@get("/me", summary="Who is asking, and which projects are open to them", answers={200: "The caller."})
async def get_me(request: Request[Caller, Any, State]) -> Me:
    caller = request.user
    return Me(kind=caller.kind, name=caller.name, csrf=caller.csrf, projects=caller.projects)


@post(
    "/session",
    status_code=200,
    public=True,
    summary="Sign in",
    answers={200: "Signed in: the session is in the cookie."},
    problems=(Unauthorised, TooManyRequests),
)
async def sign_in(
    request: Request[Any, Any, State],
    data: JSONBody[SignIn],
    pool: NamedDependency[Pool],
    settings: NamedDependency[Settings],
    fairness: NamedDependency[Fairness],
) -> Response[SignedIn]:
    # A page of another site could otherwise sign a visitor in as somebody else.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("the request comes from another site")
    key = ("sign-in", address(request))
    fairness.demand_patience(key)
    try:
        async with unavailable_as_problem():
            session = await _signed_in(pool, data)
    except Unauthorised:
        fairness.failed(key)
        raise
    cookie = Cookie(
        key=cookie_name(settings.public_url),
        value=session.secret,
        httponly=True,
        samesite="strict",
        secure=settings.public_url.startswith("https:"),
        path="/",
        max_age=int(access.SESSION_S),
    )
    return Response(SignedIn(name=session.name), cookies=[cookie])


async def _signed_in(pool: Pool, given: SignIn) -> access.Session:
    if given.code:
        async with pool.connection() as conn:
            return await access.sign_in_by_code(conn, given.code)
    if given.email and given.password:
        return await access.sign_in_by_password(pool, email=given.email, password=given.password)
    raise MalformedRequest("give code, or email and password")


@delete("/session", status_code=204, summary="Sign out", answers={204: "Signed out."})
async def sign_out(
    request: Request[Caller, Any, State],
    pool: NamedDependency[Pool],
    doorkeeper: NamedDependency[Doorkeeper],
    settings: NamedDependency[Settings],
) -> Response[None]:
    name = cookie_name(settings.public_url)
    secret = request.cookies.get(name, "")
    async with unavailable_as_problem(), pool.connection() as conn:
        await access.sign_out(conn, secret)
    doorkeeper.forget(secret)
    response: Response[None] = Response(None, status_code=204)
    response.delete_cookie(name)
    return response


router = Router("/api", route_handlers=[get_me, sign_in, sign_out], tags=["Access"])
