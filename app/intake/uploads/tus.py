"""HTTP of tus 1.0: creation (also with bytes, also of unknown length), checksum, expiration, termination.

The protocol is at https://tus.io/protocols/resumable-upload. `Upload-Metadata` carries `record_id`, `name`, `sha256`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from litestar import HttpMethod, MediaType, Request, Response, Router, delete, patch, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.core.auth import Caller
from app.core.errors import (
    DigestMismatch,
    MalformedRequest,
    MethodNotAllowed,
    Problem,
    TusVersionUnsupported,
    UnsupportedMedia,
)
from app.core.problems import render
from app.core.settings import Settings
from app.intake import receiving
from app.intake.uploads import service
from app.intake.uploads import tus_headers as read
from app.intake.uploads.service import Piece, Uploads, Wish
from app.intake.uploads.store import Session

Ask = Request[Caller, Any, State]

VERSION = "1.0.0"
PATH = "/api/mobile/files"
CHUNK = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination"
REQUEST_HEADERS = (
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Checksum",
    "X-HTTP-Method-Override",
    "X-Requested-With",
    "X-Request-ID",
    "Content-Type",
)
ANSWER_HEADERS = (
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Location",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Expires",
)
"""What another origin's page may send and read, if its origin is allowed at all."""


class Damaged(DigestMismatch):
    """The bytes were damaged on the way."""

    status = 460


@route(["/", "/{upload:uuid}"], http_method=[HttpMethod.OPTIONS], public=True, summary="What this tus server can do")
async def options(settings: NamedDependency[Settings]) -> Response[None]:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.upload_bytes),
        "Tus-Checksum-Algorithm": "sha1,sha256",
    }
    return _bare(204, headers)


@post("/", summary="Begin a resumable upload of a photo", request_max_body_size=None)
async def create(request: Ask, uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    with_bytes = _has_chunk(request)
    text = request.headers.get("upload-metadata", "")
    known = read.metadata(text)
    digest = read.checksum(request.headers)
    wish = Wish(
        record_id=read.record_id(known),
        name=read.file_name(known),
        length=read.length(request.headers),
        sha256=read.sha256(known),
        metadata=text,
    )
    session = await service.begin(uploads, request.user, wish)
    location = {"Location": f"{PATH}/{session.id}"}
    if with_bytes or session.length == 0:
        piece = Piece(offset=0, body=_body(request, uploads), digest=digest)
        session = await service.append(uploads, request.user, session.id, piece)
    return _bare(201, location | _progress(session))


@route("/{upload:uuid}", http_method=[HttpMethod.HEAD], summary="How far an upload is")
async def offset(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _offset(request, upload, uploads)


@patch("/{upload:uuid}", summary="More bytes of an upload", request_max_body_size=None)
async def append(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _append(request, upload, uploads)


@delete("/{upload:uuid}", summary="Give an upload up", status_code=204)
async def terminate(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _terminate(request, upload, uploads)


@post("/{upload:uuid}", summary="The other methods, for clients that only have POST", request_max_body_size=None)
async def overridden(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    verbs = {"PATCH": _append, "DELETE": _terminate, "HEAD": _offset}
    verb = verbs.get(request.headers.get("x-http-method-override", "").upper())
    if verb is None:
        raise MethodNotAllowed
    return await verb(request, upload, uploads)


async def _offset(request: Ask, upload: UUID, uploads: Uploads) -> Response[None]:
    session = await service.look(uploads, request.user, upload)
    headers = _progress(session)
    if session.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(session.length)
    if session.metadata:
        headers["Upload-Metadata"] = session.metadata
    return _bare(200, headers)


async def _append(request: Ask, upload: UUID, uploads: Uploads) -> Response[None]:
    if not _is_chunk(request):
        raise UnsupportedMedia(f"send {CHUNK}")
    at = read.number(request.headers, "Upload-Offset")
    if at is None:
        raise MalformedRequest("Upload-Offset is missing")
    piece = Piece(
        offset=at,
        body=_body(request, uploads),
        length=read.number(request.headers, "Upload-Length"),
        digest=read.checksum(request.headers),
    )
    return _bare(204, _progress(await service.append(uploads, request.user, upload, piece)))


async def _terminate(request: Ask, upload: UUID, uploads: Uploads) -> Response[None]:
    await service.remove(uploads, request.user, upload)
    return _bare(204, {})


def _admit(request: Ask) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise TusVersionUnsupported(f"send Tus-Resumable: {VERSION}")
    request.user.demand_scope("upload")


def _is_chunk(request: Ask) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == CHUNK


def _has_chunk(request: Ask) -> bool:
    """Whether a creation brings bytes along. Raises `UnsupportedMedia` for bytes of another type."""
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    if not empty and not _is_chunk(request):
        raise UnsupportedMedia(f"send {CHUNK}, or no body")
    return not empty


def _body(request: Ask, uploads: Uploads) -> Callable[[int], AsyncIterator[bytes]]:
    def read_at_most(limit: int) -> AsyncIterator[bytes]:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise UnsupportedMedia("send the body without Content-Encoding")
        receiving.refuse_declared(request.headers.get("content-length"), limit=limit, named="upload_bytes")
        return receiving.bounded(
            request.stream(), limit=limit, named="upload_bytes", idle_s=uploads.intake.settings.body_idle_s
        )

    return read_at_most


def _progress(session: Session) -> dict[str, str]:
    headers = {"Upload-Offset": str(session.received), "Cache-Control": "no-store"}
    if session.state != "accepted":
        headers["Upload-Expires"] = read.http_date(session.expires_at)
    return headers


def _bare(status: int, headers: dict[str, str]) -> Response[None]:
    return Response(None, status_code=status, headers={"Tus-Resumable": VERSION} | headers, media_type=MediaType.TEXT)


def _on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    if isinstance(problem, DigestMismatch):
        problem = Damaged(problem.detail)
    answer = render(request, problem)
    answer.set_header("Tus-Resumable", VERSION)
    answer.set_header("Cache-Control", "no-store")
    if isinstance(problem, TusVersionUnsupported):
        answer.set_header("Tus-Version", VERSION)
    return answer


router = Router(
    PATH,
    route_handlers=[options, create, offset, append, terminate, overridden],
    exception_handlers={Problem: _on_problem},
    tags=["Mobile"],
)
