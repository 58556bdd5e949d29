"""Every error as `application/problem+json` (RFC 9457), with the `code` and the `retry` word a phone decides on.

Never a stack trace, SQL, a path or a token: what is not ours to say is `internal`, and its cause goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from psycopg import DataError, InterfaceError, OperationalError
from psycopg.errors import InternalError_

from app.core import errors
from app.core.errors import FieldError, Problem

log = logging.getLogger("asbuilt.http")

MEDIA_TYPE = "application/problem+json"
JSON_BYTES = 2**20
"""How large the JSON body of a request may be, but for uploads, which have limits of their own."""
_BY_STATUS: dict[int, type[Problem]] = {
    400: errors.MalformedRequest,
    401: errors.Unauthorised,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
    429: errors.TooManyRequests,
}

_UNSTORABLE = frozenset({None, "22003", "22008", "22021", "22P02", "22P03", "22P05"})
"""What only a value from outside can cause: NUL (psycopg itself refuses it), a surrogate, a number out of range."""


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error answer. `instance` is the request's id, also in `X-Request-Id`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    retry: str
    errors: list[FieldError] = []
    limits: dict[str, int] = {}


def encode(problem: Problem, *, request_id: str) -> bytes:
    """The body of a problem's answer."""
    body = ProblemBody(
        type=f"/problems/{problem.code}",
        title=problem.title(),
        status=problem.status,
        detail=problem.detail,
        instance=request_id,
        code=problem.code,
        retry=problem.retry,
        errors=problem.errors,
        limits=dict(problem.limits or {}),
    )
    return msgspec.json.encode(body)


def render(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """The answer to a problem."""
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = encode(problem, request_id=str(request.scope.get("state", {}).get("request_id", "")))
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def _on_problem(request: Request[Any, Any, Any], exc: Problem) -> Response[bytes]:
    if isinstance(exc, errors.DatabaseUnavailable):
        _tell_database(exc.__cause__ or exc)
    return render(request, exc)


def _on_http(request: Request[Any, Any, Any], exc: HTTPException) -> Response[bytes]:
    kind = _BY_STATUS.get(exc.status_code)
    if kind is None:
        return _on_anything(request, exc)
    detail = exc.detail if exc.status_code in (400, 405) else ""
    extra = exc.extra if isinstance(exc.extra, list) else []
    problem = kind(detail, limits={"json_bytes": JSON_BYTES} if kind is errors.TooLarge else None)
    problem.errors = [
        FieldError(pointer="/" + str(item.get("key", "")).replace(".", "/"), code="invalid", message=item["message"])
        for item in extra
        if isinstance(item, dict) and "message" in item
    ]
    response = render(request, problem)
    for name, value in (exc.headers or {}).items():
        response.set_header(name, value)
    return response


def _on_depth(request: Request[Any, Any, Any], _exc: RecursionError) -> Response[bytes]:
    # Only a body nested a thousand deep recurses that far; it would otherwise look like a fault of ours.
    return render(request, errors.MalformedRequest("the body is nested too deep"))


def _on_database(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    _tell_database(exc)
    return render(request, errors.DatabaseUnavailable(retry_after_s=2))


def _tell_database(exc: BaseException) -> None:
    log.warning("the database failed a request", extra={"event": "http.database", "error": type(exc).__name__})


def _on_data(request: Request[Any, Any, Any], exc: DataError) -> Response[bytes]:
    if exc.sqlstate not in _UNSTORABLE:
        return _on_anything(request, exc)
    return render(request, errors.MalformedRequest("a value cannot be stored: NUL, a lone surrogate, or out of range"))


def _on_anything(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    log.error("a request failed", exc_info=exc, extra={"event": "http.internal"})
    return render(request, Problem())


HANDLERS: dict[int | type[Exception], Callable[..., Response[Any]]] = {
    Problem: _on_problem,
    HTTPException: _on_http,
    RecursionError: _on_depth,
    DataError: _on_data,
    OperationalError: _on_database,
    InterfaceError: _on_database,
    InternalError_: _on_database,
    Exception: _on_anything,
}
