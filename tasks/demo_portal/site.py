"""Puts the pages together: routes, what handlers are given, and the page that each trouble becomes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from tasks.demo_portal import account, attaching, curtain, demo, drafting, lookup, proving, submitting
from tasks.demo_portal.gate import Broken, HungUp, SignInNeeded, UnderMaintenance, visit, weather
from tasks.demo_portal.harbor import harbor_router
from tasks.demo_portal.layout import notice, page
from tasks.demo_portal.portal import Portal

log = logging.getLogger("asbuilt.demo_portal")
AnyRequest = Request[Any, Any, Any]
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC = {file.name: file for file in (Path(__file__).parent / "static").iterdir() if file.suffix in _TYPES}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@get("/static/{name:str}")
async def static_file(name: FromPath[str]) -> Response[bytes]:
    """Style, scripts and the company's mark."""
    file = _STATIC.get(name)
    if file is None:
        raise NotFoundException
    return Response(file.read_bytes(), media_type=_TYPES[file.suffix])


def create_site(portal: Portal, harbor: Portal) -> Litestar:
    """The web application of both portals."""
    handlers = [
        account.login_page, account.login, account.logout, account.landing,
        drafting.new_draft, drafting.resume_draft, drafting.keying_page, drafting.save_page, attaching.photos_page,
        attaching.save_photos, attaching.upload_page, attaching.upload,
        submitting.review_page, submitting.submit, submitting.confirmation_page, submitting.submission_page,
        lookup.search_page, lookup.drafts_page, lookup.picture, lookup.status_page,
        proving.otp_page, proving.otp, proving.check_page, proving.check, proving.word_picture,
        proving.phone, proving.phone_page,
        static_file, demo.submissions, demo.quirks_now, demo.set_quirks, demo.unlock,
        curtain.demo_panel, curtain.counter_page,
    ]  # fmt: skip
    return Litestar(
        route_handlers=[*handlers, harbor_router(harbor)],
        dependencies={
            "portal": Provide(lambda: portal, sync_to_thread=False),
            "harbor": Provide(lambda: harbor, sync_to_thread=False),
            "quirks": Provide(weather),
            "visit": Provide(visit),
        },
        exception_handlers={
            SignInNeeded: _to_sign_in,
            UnderMaintenance: _maintenance,
            Broken: _broken,
            HungUp: _unanswered,
            HTTPException: _http_error,
            Exception: _unexpected,
        },
        response_headers=_HEADERS,
        openapi_config=None,
        logging_config=None,
    )


def _to_sign_in(_: AnyRequest, exc: SignInNeeded) -> Response[Any]:
    return Redirect(exc.location, status_code=303)


def _maintenance(_: AnyRequest, exc: UnderMaintenance) -> Response[Any]:
    text = "The contractor portal is closed for scheduled maintenance. Please come back later."
    answer = page("Scheduled maintenance", notice(text, tone="warn"), status=503)
    answer.headers["Retry-After"] = str(exc.retry_after_s)
    return answer


def _broken(_: AnyRequest, __: Broken) -> Response[Any]:
    text = "An unexpected error has occurred. Reference NPL-500. Please try again."
    return page("Application error", notice(text, tone="bad"), status=500)


def _unanswered(_: AnyRequest, __: HungUp) -> Response[Any]:
    # Goes nowhere: the connection is closed already.
    return Response(b"", media_type=MediaType.TEXT, status_code=500)


def _http_error(request: AnyRequest, exc: HTTPException) -> Response[Any]:
    if request.url.path.startswith("/_demo/"):
        return Response({"error": exc.detail}, status_code=exc.status_code)
    if exc.status_code == 404:
        return page("Not found", notice("There is no such page, or it is not yours.", tone="warn"), status=404)
    return page("Request refused", notice("The request could not be read.", tone="bad"), status=exc.status_code)


def _unexpected(request: AnyRequest, exc: Exception) -> Response[Any]:
    log.error("page failed", exc_info=exc, extra={"event": "portal.failed", "path": request.url.path})
    return page("Application error", notice("The portal is not available at the moment.", tone="bad"), status=500)
