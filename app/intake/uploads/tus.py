"""HTTP of tus 1.0: creation (also with bytes, also of unknown length), checksum, expiration, termination.

The protocol is at https://tus.io/protocols/resumable-upload. `Upload-Metadata` carries `record_id`, `name`, `sha256`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import HttpMethod, MediaType, Request, Response, Router, delete, patch, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.core.auth import Caller
from app.core.errors import (
    DigestMismatch,
    IdleTimeout,
    MalformedRequest,
    MethodNotAllowed,
    Problem,
    TusVersionUnsupported,
    UnsupportedMedia,
)
from app.core.problems import render
from app.core.settings import Settings
from app.intake.uploads import service
from app.intake.uploads import tus_headers as read
from app.intake.uploads.bodies import BEGUN, FOUND, TAKEN, body_of
from app.intake.uploads.context import Uploads
from app.intake.uploads.service import Wish
from app.intake.uploads.store import Session
from app.intake.uploads.writing import Piece

Ask = Request[Caller, Any, State]

VERSION = "1.0.0"
PATH = "/api/mobile/files"
CHUNK = "application/offset+octet-stream"
CHECKSUM = "`sha1` or `sha256`, a space, and the digest of this request's bytes in base64."
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


class Stalled(IdleTimeout):
    """The body stopped arriving."""

    status = 423


@route(
    ["/", "/{upload:uuid}"],
    http_method=[HttpMethod.OPTIONS],
    public=True,
    status_code=204,
    include_in_schema=False,
)
async def tus_options(settings: NamedDependency[Settings]) -> Response[None]:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.upload_bytes),
        "Tus-Checksum-Algorithm": "sha1,sha256",
    }
    return _bare(204, headers)


@post(
    "/",
    summary="Begin a resumable upload of a photo",
    request_max_body_size=None,
    answers={201: "Begun; its address is in Location."},
    receipted=True,
    headers={
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "Bytes in all.",
        "Upload-Defer-Length": "1: the length comes later.",
        "Upload-Metadata": "`record_id`, `name` and `sha256`, each with its value in base64.",
        "Upload-Checksum": CHECKSUM,
    },
    problems=(*BEGUN, TusVersionUnsupported),
)
async def tus_create(request: Ask, uploads: NamedDependency[Uploads]) -> Response[None]:
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
    if with_bytes or wish.length == 0:
        piece = Piece(offset=0, body=body_of(request), digest=digest)
        session = await service.begin_with(uploads, request.user, wish, piece)
    else:
        session = await service.begin(uploads, request.user, wish)
    proof = await service.proof(uploads, request.user, session)
    return _bare(201, {"Location": f"{PATH}/{session.id}"} | _progress(session) | proof)


@route(
    "/{upload:uuid}",
    http_method=[HttpMethod.HEAD],
    summary="How far an upload is",
    headers={"Tus-Resumable": "1.0.0"},
    problems=(*FOUND, TusVersionUnsupported),
)
async def tus_offset(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _offset(request, upload, uploads)


@patch(
    "/{upload:uuid}",
    summary="More bytes of an upload",
    request_max_body_size=None,
    body={CHUNK: bytes},
    answers={204: "Taken; Upload-Offset says how far the upload is."},
    receipted=True,
    headers={
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "Where these bytes begin.",
        "Upload-Length": "Bytes in all, where the creation deferred it.",
        "Upload-Checksum": CHECKSUM,
    },
    problems=(*TAKEN, TusVersionUnsupported),
)
async def tus_append(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _append(request, upload, uploads)


@delete(
    "/{upload:uuid}",
    summary="Give an upload up",
    status_code=204,
    headers={"Tus-Resumable": "1.0.0"},
    problems=(*FOUND, TusVersionUnsupported),
)
async def tus_terminate(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    _admit(request)
    return await _terminate(request, upload, uploads)


@post(
    "/{upload:uuid}",
    summary="The other methods, for clients that only have POST",
    request_max_body_size=None,
    answers={200: "As HEAD answers.", 204: "As PATCH and DELETE answer."},
    receipted=True,
    headers={"X-HTTP-Method-Override": "HEAD, PATCH or DELETE; the other headers are theirs."},
    problems=(*TAKEN, TusVersionUnsupported, MethodNotAllowed),
)
async def tus_post(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
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
        body=body_of(request),
        length=read.number(request.headers, "Upload-Length"),
        digest=read.checksum(request.headers),
    )
    session = await service.append(uploads, request.user, upload, piece)
    return _bare(204, _progress(session) | await service.proof(uploads, request.user, session))


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
    if isinstance(problem, IdleTimeout):
        # The clients of tus go on after 409, 423 and 5xx only: a 408 would end the upload on just the line it is for.
        problem = Stalled(problem.detail)
    answer = render(request, problem)
    answer.set_header("Tus-Resumable", VERSION)
    answer.set_header("Cache-Control", "no-store")
    if isinstance(problem, TusVersionUnsupported):
        answer.set_header("Tus-Version", VERSION)
    return answer


router = Router(
    PATH,
    route_handlers=[tus_options, tus_create, tus_offset, tus_append, tus_terminate, tus_post],
    exception_handlers={Problem: _on_problem},
    tags=["Mobile"],
)
