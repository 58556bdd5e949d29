"""HTTP of resumable uploads as the IETF drafts them: begun at a photo's own address, continued at an upload's.

Written to draft-ietf-httpbis-resumable-upload-12. No 104 is sent: ASGI cannot. A client that begins with an empty
`Upload-Complete: ?0` needs none.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import HttpMethod, MediaType, Request, Response, Router, delete, get, patch, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.core.auth import Caller
from app.core.db import unavailable_as_problem
from app.core.errors import (
    CompletedUpload,
    InconsistentLength,
    MalformedRequest,
    OffsetConflict,
    Problem,
    UnsupportedMedia,
)
from app.core.problems import MEDIA_TYPE, render
from app.core.settings import Settings
from app.intake.receipts import proof_of_photo, receipt
from app.intake.uploads import ietf_headers as read
from app.intake.uploads import service
from app.intake.uploads.bodies import BEGUN, FOUND, TAKEN, body_of
from app.intake.uploads.context import Uploads
from app.intake.uploads.schemas import UploadView
from app.intake.uploads.service import Wish
from app.intake.uploads.store import Session
from app.intake.uploads.writing import Piece

Ask = Request[Caller, Any, State]

PATH = "/api/mobile/uploads"
PHOTO = "/records/{record_id:uuid}/photos/{name:str}"
CHUNK = "application/partial-upload"
PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types#"
_TYPES: dict[type[Problem], str] = {
    OffsetConflict: "mismatching-upload-offset",
    InconsistentLength: "inconsistent-upload-length",
    CompletedUpload: "completed-upload",
}


def _on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """With the problem types of the draft, and whether it is the transfer that failed or what came of it."""
    answer = render(request, problem)
    body = msgspec.json.decode(answer.content)
    if type(problem) in _TYPES:
        body["type"] = PROBLEM_TYPES + _TYPES[type(problem)]
    if isinstance(problem, OffsetConflict):
        body |= {"expected-offset": problem.expected, "provided-offset": problem.provided}
        answer.set_header("Upload-Offset", str(problem.expected))
    settings: Settings = request.app.state["settings"]
    answer.set_header("Upload-Limit", read.limits(settings.upload_bytes, age_s=settings.upload_ttl_s))
    answer.set_header("Upload-Complete", "?1" if problem.of_content else "?0")
    answer.set_header("Cache-Control", "no-store")
    answer.content = msgspec.json.encode(body)
    answer.media_type = MEDIA_TYPE
    return answer


@route(
    PHOTO,
    http_method=[HttpMethod.OPTIONS],
    public=True,
    status_code=204,
    include_in_schema=False,
)
async def photo_options(settings: NamedDependency[Settings]) -> Response[None]:
    return _options(settings)


@route(
    "/{upload:uuid}",
    http_method=[HttpMethod.OPTIONS],
    public=True,
    status_code=204,
    include_in_schema=False,
)
async def upload_options(settings: NamedDependency[Settings]) -> Response[None]:
    return _options(settings)


@post(
    PHOTO,
    summary="Begin a resumable upload of a photo",
    request_max_body_size=None,
    body={"application/octet-stream": bytes},
    answers={201: "Begun; its address is in Location. With `?1`: the photo is stored, or waits for its record."},
    receipted=True,
    headers={
        "Upload-Complete": "`?0` to begin, `?1` with the whole photo.",
        "Upload-Length": "Bytes in all.",
        "Repr-Digest": "`sha-256=:…:` of the whole photo.",
        "Content-Digest": "`sha-256=:…:` of these bytes.",
    },
    problems=BEGUN,
    exception_handlers={Problem: _on_problem},
)
async def begin_upload(
    request: Ask, record_id: FromPath[UUID], name: FromPath[str], uploads: NamedDependency[Uploads]
) -> Response[Any]:
    request.user.demand_scope("upload")
    complete = read.boolean(request.headers, "upload-complete")
    if complete is None:
        raise MalformedRequest(
            "Upload-Complete is missing: send ?0 to begin, ?1 with the whole photo; or PUT the photo"
        )
    wish = Wish(
        record_id=record_id,
        name=name,
        length=read.length(request.headers, offset=0, complete=complete),
        sha256=read.sha256(request.headers),
    )
    digest = read.digest(request.headers, "content-digest")
    piece = Piece(offset=0, body=body_of(request), digest=digest, completes=complete)
    session = await service.begin_with(uploads, request.user, wish, piece)
    location = {"Location": f"{PATH}/{session.id}"}
    if complete:
        return await _processed(request, uploads, session, location)
    return _bare(201, location | _progress(uploads, session))


@route("/{upload:uuid}", http_method=[HttpMethod.HEAD], status_code=204, summary="How far an upload is", problems=FOUND)
async def head_upload(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    return await _offset(request, upload, uploads)


@get("/{upload:uuid}", summary="How far an upload is", status_code=204, problems=FOUND)
async def get_upload(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    return await _offset(request, upload, uploads)


@patch(
    "/{upload:uuid}",
    summary="More bytes of an upload",
    request_max_body_size=None,
    body={CHUNK: bytes},
    answers={204: "Taken.", 201: "The last bytes: the photo is stored, or waits for its record."},
    receipted=True,
    headers={
        "Upload-Offset": "Where these bytes begin.",
        "Upload-Complete": "`?1` with the last bytes, else `?0`.",
        "Upload-Length": "Bytes in all.",
        "Content-Digest": "`sha-256=:…:` of these bytes.",
    },
    problems=(*TAKEN, CompletedUpload),
)
async def append_to_upload(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[Any]:
    request.user.demand_scope("upload")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CHUNK:
        raise UnsupportedMedia(f"send {CHUNK}")
    at = read.integer(request.headers, "upload-offset")
    complete = read.boolean(request.headers, "upload-complete")
    if at is None or complete is None:
        raise MalformedRequest("Upload-Offset and Upload-Complete are both needed")
    piece = Piece(
        offset=at,
        body=body_of(request),
        length=read.length(request.headers, offset=at, complete=complete),
        digest=read.digest(request.headers, "content-digest"),
        completes=complete,
    )
    try:
        session = await service.append(uploads, request.user, upload, piece)
    except CompletedUpload:
        if request.headers.get("content-length") == "0":
            raise
        raise InconsistentLength("the upload is complete, and more bytes came") from None
    if complete:
        return await _processed(request, uploads, session, {})
    return _bare(204, _progress(uploads, session))


@delete("/{upload:uuid}", summary="Give an upload up", status_code=204, problems=FOUND)
async def cancel_upload(request: Ask, upload: FromPath[UUID], uploads: NamedDependency[Uploads]) -> Response[None]:
    request.user.demand_scope("upload")
    await service.remove(uploads, request.user, upload)
    return _bare(204, {})


def _options(settings: Settings) -> Response[None]:
    limits = read.limits(settings.upload_bytes, age_s=settings.upload_ttl_s)
    return _bare(204, {"Accept-Patch": CHUNK, "Upload-Limit": limits})


async def _offset(request: Ask, upload: UUID, uploads: Uploads) -> Response[None]:
    request.user.demand_scope("upload")
    if "upload-offset" in request.headers or "upload-complete" in request.headers:
        raise MalformedRequest("Upload-Offset and Upload-Complete are for us to tell")
    return _bare(204, _progress(uploads, await service.look(uploads, request.user, upload)))


async def _processed(request: Ask, uploads: Uploads, session: Session, headers: dict[str, str]) -> Response[Any]:
    """What the photo's own address would have answered; a photo that waits for its record has no receipt yet."""
    headers = headers | _progress(uploads, session)
    if session.state != "accepted":
        waiting = UploadView(record_id=session.record_id, name=session.name, size=session.received)
        return Response(waiting, status_code=201, headers=headers)
    async with unavailable_as_problem(), uploads.intake.pool.connection() as conn:
        stored = await receipt(conn, request.user, session.record_id)
    return Response(stored, status_code=201, headers=headers | proof_of_photo(stored.photos, session.name))


def _progress(uploads: Uploads, session: Session) -> dict[str, str]:
    return read.progress(session, most=uploads.intake.settings.upload_bytes)


def _bare(status: int, headers: dict[str, str]) -> Response[None]:
    return Response(None, status_code=status, headers=headers, media_type=MediaType.TEXT)


AT_A_PHOTO = (photo_options, begin_upload)
"""Registered with the other handlers of that address, and before them: Litestar would bring an OPTIONS of its own."""

router = Router(
    PATH,
    route_handlers=[upload_options, head_upload, get_upload, append_to_upload, cancel_upload],
    exception_handlers={Problem: _on_problem},
    tags=["Mobile"],
)
