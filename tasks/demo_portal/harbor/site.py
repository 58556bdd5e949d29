"""Puts Harbor together: its shell and files, its API, and the JSON that each trouble becomes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from tasks.demo_portal.gate import Broken, HungUp, UnderMaintenance
from tasks.demo_portal.harbor import closeouts, session
from tasks.demo_portal.harbor.session import PATH, Refused
from tasks.demo_portal.markup import document, el
from tasks.demo_portal.portal import Portal

log = logging.getLogger("asbuilt.demo_portal")
AnyRequest = Request[Any, Any, Any]
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC = {file.name: file for file in (Path(__file__).parent / "static").iterdir() if file.suffix in _TYPES}


@get("/")
async def door() -> Response[None]:
    """The address on the business card."""
    return Redirect(f"{PATH}/app", status_code=303)


@get("/app", media_type=MediaType.HTML)
async def shell() -> str:
    """An empty page: all that is to be seen is drawn by its script."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("title", "Crew Desk · Harbor Fiber Cooperative"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("link", rel="stylesheet", href=f"{PATH}/static/desk.css"),
        el("link", rel="icon", href=f"{PATH}/static/buoy.svg"),
        el("script", src=f"{PATH}/static/desk.js", type="module"),
    )
    return document(head, el("body", el("div", id="app"), el("noscript", "This site needs JavaScript.")))


@get("/static/{name:str}")
async def static_file(name: FromPath[str]) -> Response[bytes]:
    """Style, scripts and the cooperative's mark."""
    file = _STATIC.get(name)
    if file is None:
        raise NotFoundException
    return Response(file.read_bytes(), media_type=_TYPES[file.suffix])


def harbor_router(harbor: Portal) -> Router:
    """Everything under /harbor."""
    return Router(
        path=PATH,
        route_handlers=[
            door, shell, static_file, session.who, session.sign_in, session.sign_out,
            closeouts.desk, closeouts.start, closeouts.closeout, closeouts.save, closeouts.add_photo,
            closeouts.thumbnail, closeouts.send,
        ],
        # `quirks` comes from the layer above, and is computed from this layer's `portal`.
        dependencies={
            "portal": Provide(lambda: harbor, sync_to_thread=False),
            "crew": Provide(session.crew),
        },
        exception_handlers={
            Refused: _refused,
            UnderMaintenance: _maintenance,
            Broken: _broken,
            HungUp: _unanswered,
            HTTPException: _http_error,
            Exception: _unexpected,
        },
    )  # fmt: skip


def _trouble(status: int, code: str, message: str) -> Response[Any]:
    return Response({"code": code, "message": message}, status_code=status)


def _refused(_: AnyRequest, exc: Refused) -> Response[Any]:
    return _trouble(exc.status, exc.code, exc.message)


def _maintenance(_: AnyRequest, exc: UnderMaintenance) -> Response[Any]:
    answer = _trouble(503, "maintenance", "The Crew Desk is closed for maintenance.")
    answer.headers["Retry-After"] = str(exc.retry_after_s)
    return answer


def _broken(_: AnyRequest, __: Broken) -> Response[Any]:
    return _trouble(500, "error", "Something went wrong on our side.")


def _unanswered(_: AnyRequest, __: HungUp) -> Response[Any]:
    # Goes nowhere: the connection is closed already.
    return Response(b"", media_type=MediaType.TEXT, status_code=500)


def _http_error(_: AnyRequest, exc: HTTPException) -> Response[Any]:
    code = "gone" if exc.status_code == 404 else "unreadable"
    return _trouble(exc.status_code, code, "There is nothing here." if code == "gone" else "The request is unreadable.")


def _unexpected(request: AnyRequest, exc: Exception) -> Response[Any]:
    log.error("request failed", exc_info=exc, extra={"event": "portal.failed", "path": request.url.path})
    return _trouble(500, "error", "Something went wrong on our side.")
