"""HTTP of the office: one record, its photos, what people decide on it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from app.core import serving
from app.core.auth import Caller
from app.core.blobs import Blobs
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import (
    BlockerOpen,
    DefectNotOpen,
    DefectUnknown,
    MatchMissing,
    ReasonMissing,
    RecordUnknown,
    StaleRevision,
)
from app.core.etags import has, tagged
from app.core.renditions import Renditions, rounded
from app.review import deciding, service
from app.review.schemas import DefectView, RecordDetail, ReviewRequest, ReviewView, WaiveRequest

Ask = Request[Caller, Any, State]


@get(
    "/records/{record_id:uuid}",
    summary="A record whole",
    answers={200: "The record."},
    problems=(RecordUnknown,),
    tagged=True,
)
async def get_record(request: Ask, record_id: FromPath[UUID], pool: NamedDependency[Pool]) -> Response[RecordDetail]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        record = await service.get_record(conn, request.user, record_id)
    return tagged(request, record, prefix=f"{record.review.version}.")


@post(
    "/records/{record_id:uuid}/review",
    status_code=200,
    summary="Approve a record, or send it back to its crew",
    description=(
        "Sent back, its job starts no run until the crew has corrected it or it is approved; a run that may be under way "
        "goes on. Of two reviewers who looked at the same state, the second gets 412."
    ),
    headers={"If-Match": "The ETag of the record that was looked at, or its `review.version`."},
    answers={200: "The decision."},
    problems=(RecordUnknown, BlockerOpen, StaleRevision, ReasonMissing, MatchMissing),
)
async def review(
    request: Ask, record_id: FromPath[UUID], data: JSONBody[ReviewRequest], pool: NamedDependency[Pool]
) -> Response[ReviewView]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        done = await deciding.review(conn, request.user, record_id, data, if_match=request.headers.get("if-match"))
    return Response(done, headers={"ETag": f'"{done.version}"'})


@get(
    "/records/{record_id:uuid}/photos/{name:str}",
    summary="A photo: re-encoded with w, else the original",
    answers={200: "The photo.", 206: "The range that was asked for."},
    problems=(RecordUnknown,),
    media=("image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "application/octet-stream"),
    headers={"Range": "One range of bytes of the original."},
    tagged=True,
)
async def get_photo(
    request: Ask,
    record_id: FromPath[UUID],
    name: FromPath[str],
    pool: NamedDependency[Pool],
    blobs: NamedDependency[Blobs],
    renditions: NamedDependency[Renditions],
    w: Annotated[int | None, QueryParameter(ge=16, le=2048, description="Width in pixels")] = None,
) -> Response[Any]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        row = await service.find_photo(conn, request.user, record_id, name)
    if w is None:
        return await serving.original(
            request, blobs, sha256=row.blob_sha256, size=row.size, media_type=row.type, filename=row.name
        )
    etag = serving.tag(row.blob_sha256, f"-{rounded(w)}")
    if has(request, etag):
        return serving.unchanged(etag)
    jpeg = await renditions.jpeg(row.blob_sha256, width=w)
    headers = {**serving.SAFE, "ETag": etag, "Content-Disposition": "inline"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@post(
    "/records/{record_id:uuid}/defects/{defect_id:uuid}/waive",
    status_code=200,
    summary="Let a defect stand as it is; the last open blocker releases the job",
    answers={200: "The defect, waived."},
    problems=(DefectUnknown, DefectNotOpen, ReasonMissing),
)
async def waive(
    request: Ask,
    record_id: FromPath[UUID],
    defect_id: FromPath[UUID],
    data: JSONBody[WaiveRequest],
    pool: NamedDependency[Pool],
) -> DefectView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.waive(conn, request.user, record_id, defect_id, reason=data.reason)


router = Router("/api", route_handlers=[get_record, get_photo, review, waive], tags=["Review"])
