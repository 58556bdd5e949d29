"""The service's web application: who may call, and how refusals look on the wire."""

from __future__ import annotations

import logging
import secrets

import msgspec
from litestar import Litestar, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException

from tasks.engines.codes import ErrorClass
from tasks.engines.wire import ErrorBody, ErrorEnvelope
from tasks.runner.refusals import Refusal, Unauthorised
from tasks.runner.routes import HANDLERS, Asked
from tasks.runner.runs import Runs

log = logging.getLogger("asbuilt.runner")

_BODY_BYTES = 4 << 20


def create_site(runs: Runs, *, token: str) -> Litestar:
    """The application; without the bearer token nothing answers but refusals."""
    expected = f"Bearer {token}".encode()

    def admit(request: Asked) -> None:
        if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            raise Unauthorised

    return Litestar(
        route_handlers=HANDLERS,
        dependencies={"runs": Provide(lambda: runs, sync_to_thread=False)},
        before_request=admit,
        after_request=_identified,
        exception_handlers={Refusal: _refused, HTTPException: _unreadable, Exception: _broken},
        openapi_config=None,
        request_max_body_size=_BODY_BYTES,
        logging_config=None,
    )


def _identified(response: Response[object]) -> Response[object]:
    response.headers["Request-Id"] = secrets.token_hex(8)
    return response


def _refused(_request: Asked, exc: Refusal) -> Response[bytes]:
    return _envelope(exc.status, exc.code, str(exc), error_class=exc.error_class, wait=exc.retry_after_s)


def _unreadable(_request: Asked, exc: HTTPException) -> Response[bytes]:
    return _envelope(exc.status_code, "NOT_FOUND" if exc.status_code == 404 else "BAD_REQUEST", exc.detail)


def _broken(request: Asked, exc: Exception) -> Response[bytes]:
    log.error("request broke", extra={"event": "runner.request_broke", "path": request.url.path}, exc_info=exc)
    return _envelope(500, "INTERNAL", "the service failed inside itself", error_class="transient")


def _envelope(
    status: int, code: str, message: str, *, error_class: ErrorClass = "bug", wait: int | None = None
) -> Response[bytes]:
    error = ErrorBody(
        code=code, message=message, error_class=error_class, retry_after_s=msgspec.UNSET if wait is None else wait
    )
    headers = {"Request-Id": secrets.token_hex(8)}
    if wait is not None:
        headers["Retry-After"] = str(wait)
    body = msgspec.json.encode(ErrorEnvelope(error=error))
    return Response(body, status_code=status, media_type="application/json", headers=headers)
