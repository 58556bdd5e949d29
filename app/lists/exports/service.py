"""What is exported, read page by page: each page takes a connection and gives it back before it is sent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar

from app.core import pages
from app.core.auth import Caller
from app.core.blobs import Blobs
from app.core.db import Pool
from app.core.errors import ExportTooLarge
from app.lists import store as lists
from app.lists.exports import geojson, store, table
from app.lists.exports.archive import Archive
from app.lists.filters import parameters
from app.lists.schemas import RecordFilter
from sql import Connection

PAGE = 500
PHOTOS_PAGE = 50
MOST_RECORDS_OF_PHOTOS = 5_000
"""A zip file's directory comes last, and is kept in memory until then."""


class _Placed(Protocol):
    """A row that knows its place in the list."""

    @property
    def received_at(self) -> Any: ...
    @property
    def id(self) -> Any: ...


Row = TypeVar("Row", bound=_Placed)


class _Read(Protocol[Row]):
    async def __call__(self, conn: Connection, **params: object) -> list[Row]: ...


async def csv(pool: Pool, caller: Caller, wanted: RecordFilter, *, bom: bool) -> AsyncIterator[bytes]:
    """A table of the records. Raises `ProjectUnknown`."""
    given = parameters(caller, wanted)
    async with pool.reading(caller.sight) as conn:
        forms = await store.FORMS_MATCHING(conn, **given)
    columns = table.field_columns(form.schema for form in forms)

    async def lines() -> AsyncIterator[bytes]:
        yield table.head(columns, bom=bom)
        async for page in _pages(pool, caller, store.EXPORT_PAGE, given, PAGE):
            yield table.lines(page, columns)

    return lines()


async def features(pool: Pool, caller: Caller, wanted: RecordFilter) -> AsyncIterator[bytes]:
    """A GeoJSON FeatureCollection of the records. Raises `ProjectUnknown`."""
    given = parameters(caller, wanted)

    async def parts() -> AsyncIterator[bytes]:
        before = geojson.BEGIN
        async for page in _pages(pool, caller, store.EXPORT_PAGE, given, PAGE):
            yield before + geojson.JOIN.join(geojson.feature(row) for row in page)
            before = geojson.JOIN
        yield (before if before == geojson.BEGIN else b"") + geojson.END

    return parts()


async def photos(pool: Pool, caller: Caller, wanted: RecordFilter, blobs: Blobs) -> AsyncIterator[bytes]:
    """A zip file of the photos as they were sent. Raises `ProjectUnknown` and `ExportTooLarge`."""
    given, first = parameters(caller, wanted), pages.FIRST
    async with pool.reading(caller.sight) as conn:
        found = await lists.COUNT_RECORDS(conn, **given, at=first.at, after=first.id, limit=MOST_RECORDS_OF_PHOTOS + 1)
    if found.count > MOST_RECORDS_OF_PHOTOS:
        raise ExportTooLarge(
            f"photos of at most {MOST_RECORDS_OF_PHOTOS} records go into one file",
            limits={"records": MOST_RECORDS_OF_PHOTOS},
        )

    async def parts() -> AsyncIterator[bytes]:
        with Archive(blobs) as archive:
            async for page in _pages(pool, caller, store.PHOTOS_PAGE, given, PHOTOS_PAGE):
                for row in page:
                    async for part in archive.add(row):
                        yield part
            for part in archive.end():
                yield part

    return parts()


async def _pages(
    pool: Pool, caller: Caller, read: _Read[Row], given: dict[str, Any], size: int
) -> AsyncIterator[list[Row]]:
    place = pages.FIRST
    while True:
        async with pool.reading(caller.sight) as conn:
            rows = await read(conn, **given, at=place.at, after=place.id, limit=size)
        if rows:
            yield rows
        if len(rows) < size:
            return
        place = pages.Place(rows[-1].received_at, rows[-1].id)


def filename(what: str, ending: str, wanted: RecordFilter) -> str:
    """A file's name, of letters, digits and dashes whatever was asked for."""
    named = "-".join(part for part in ("asbuilt", what, wanted.project or "") if part)
    return re.sub(r"[^A-Za-z0-9-]", "_", named) + ending
