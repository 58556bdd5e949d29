"""HTTP of exports: files of everything that matches, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Request, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream

from app.core.auth import Caller
from app.core.blobs import Blobs
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import ExportTooLarge, ProjectUnknown
from app.core.serving import SAFE
from app.lists.exports import service
from app.lists.filters import from_query
from app.lists.schemas import RecordFilter

Ask = Request[Caller, Any, State]
_HEADERS = {**SAFE, "Cache-Control": "no-store"}


@get(
    "/records.csv",
    summary="Everything that matches as a table",
    answers={200: "The table."},
    problems=(ProjectUnknown,),
    media=("text/csv",),
)
async def export_csv(
    request: Ask,
    pool: NamedDependency[Pool],
    wanted: NamedDependency[RecordFilter],
    bom: Annotated[bool, QueryParameter(description="Begin with a byte order mark, for Excel")] = False,
) -> Stream:
    async with unavailable_as_problem():
        lines = await service.csv(pool, request.user, wanted, bom=bom)
    return _file(request, lines, "text/csv; charset=utf-8; header=present", _named("records", ".csv", wanted))


@get(
    "/records.geojson",
    summary="Everything that matches as points on the map",
    answers={200: "A FeatureCollection."},
    problems=(ProjectUnknown,),
    media=("application/geo+json",),
)
async def export_geojson(request: Ask, pool: NamedDependency[Pool], wanted: NamedDependency[RecordFilter]) -> Stream:
    async with unavailable_as_problem():
        parts = await service.features(pool, request.user, wanted)
    return _file(request, parts, "application/geo+json", _named("records", ".geojson", wanted))


@get(
    "/photos.zip",
    summary="The photos of everything that matches, as they were sent",
    answers={200: "A zip file, whose manifest.csv names each photo."},
    problems=(ProjectUnknown, ExportTooLarge),
    media=("application/zip",),
)
async def export_photos(
    request: Ask, pool: NamedDependency[Pool], wanted: NamedDependency[RecordFilter], blobs: NamedDependency[Blobs]
) -> Stream:
    async with unavailable_as_problem():
        parts = await service.photos(pool, request.user, wanted, blobs)
    return _file(request, parts, "application/zip", _named("photos", ".zip", wanted))


def _file(request: Ask, parts: AsyncIterator[bytes], media_type: str, headers: dict[str, str]) -> Stream:
    # The head of a stream is known before its first byte is read.
    return Stream(_nothing() if request.method == "HEAD" else parts, media_type=media_type, headers=headers)


async def _nothing() -> AsyncIterator[bytes]:
    for part in list[bytes]():
        yield part


def _named(what: str, ending: str, wanted: RecordFilter) -> dict[str, str]:
    return {**_HEADERS, "Content-Disposition": f'attachment; filename="{service.filename(what, ending, wanted)}"'}


router = Router(
    "/api/exports",
    route_handlers=[export_csv, export_geojson, export_photos],
    dependencies={"wanted": Provide(from_query, sync_to_thread=False)},
    tags=["Records"],
)
