"""HTTP for the dashboard's pages and static files. Public by design: they hold no data, the pages ask the API for it."""

from __future__ import annotations

from typing import Any, Final

from litestar import MediaType, Request, Response, Router, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.params import FromPath

from app.core.auth import cookie_name
from app.core.errors import NotFound
from app.core.etags import has
from app.core.settings import Settings
from app.dashboard.assets import Asset, load_assets
from app.dashboard.headers import SECURITY_HEADERS
from app.dashboard.problem_pages import problem_pages

_ASSETS: Final = load_assets()
_INDEX: Final = _ASSETS["index.html"]
_SIGNED_OUT: Final = Asset.of(_INDEX.body.replace(b"<html ", b"<html data-signed-out ", 1), _INDEX.content_type)
"""The same for who shows no session: it leads to the sign-in at once, for every refused question stands in the browser's console."""
_PROBLEMS: Final = problem_pages()
_READ: Final = [HttpMethod.GET, HttpMethod.HEAD]

PAGES: Final = (
    "/",
    "/records/{record_id:str}",
    "/operations",
    "/operations/failures",
    "/operations/portals",
    "/operations/questions",
    "/operations/audit",
)
"""The addresses that one page serves; what it shows at each is `static/views.js`. A test holds the two together."""


@route(list(PAGES), http_method=_READ, name="dashboard")
async def index(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    signed_in = request.cookies.get(cookie_name(settings.public_url))
    answer = _answer(request, _INDEX if signed_in else _SIGNED_OUT)
    answer.headers["Vary"] = "Cookie"
    return answer


@route("/sign-in", http_method=_READ, name="sign-in")
async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _answer(request, _ASSETS["sign-in.html"])


@route("/favicon.ico", http_method=_READ)
async def favicon(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _answer(request, _ASSETS["favicon.svg"])


@route("/static/{name:path}", http_method=_READ)
async def static_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """A file by its exact name. Raises `NotFound`."""
    asset = _ASSETS.get(str(name).removeprefix("/"))
    if asset is None:
        raise NotFound
    return _answer(request, asset)


@route("/problems/{code:str}", http_method=_READ)
async def problem(request: Request[Any, Any, Any], code: FromPath[str]) -> Response[bytes]:
    """The page behind an error's `type`. Raises `NotFound`."""
    page = _PROBLEMS.get(code)
    if page is None:
        raise NotFound
    return _answer(request, page)


def _answer(request: Request[Any, Any, Any], asset: Asset) -> Response[bytes]:
    # no-cache means "ask first": a deploy shows at once, and an unchanged file costs a 304.
    headers = {**SECURITY_HEADERS, "ETag": asset.etag, "Cache-Control": "no-cache"}
    if has(request, asset.etag):
        return Response(b"", status_code=304, headers=headers, media_type=MediaType.TEXT)
    return Response(asset.body, headers=headers, media_type=asset.content_type)


router: Final = Router(
    path="/",
    route_handlers=[index, sign_in, favicon, static_file, problem],
    include_in_schema=False,
    opt={"public": True},
)
