"""Close-outs: drafts that save themselves, their photos, and the one request that sends them."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import msgspec
from litestar import Response, get, patch, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from psycopg.types.json import Jsonb

from tasks.demo_portal.drafting import clean
from tasks.demo_portal.gate import Broken, GivenPortal, PortalRequest, hang_up
from tasks.demo_portal.harbor import store
from tasks.demo_portal.harbor.fields import KEYS, SECTIONS, Problem, check
from tasks.demo_portal.harbor.session import Crew, GivenCrew, Refused, account_of
from tasks.demo_portal.harbor.store import CloseoutRow, PhotoRow
from tasks.demo_portal.photos import PhotoRefused, take_in
from tasks.demo_portal.quirks import Quirks
from tasks.demo_portal.submitting import fence_of

log = logging.getLogger("asbuilt.demo_portal")
_GONE = Refused(404, "gone", "This close-out is no longer on your desk.")


class OnDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A close-out as the desk lists it."""

    id: str
    reference: str
    saved_at: datetime


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What is not sent yet; there is no list of what was."""

    items: list[OnDesk]


class Closeout(msgspec.Struct, frozen=True, kw_only=True):
    """A close-out with all that was keyed."""

    id: str
    values: dict[str, str]
    photos: list[PhotoRow]
    saved_at: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Values to keep; with a section, it is checked as a whole."""

    values: dict[str, str] = {}
    section: str = ""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """Kept in any case; problems keep the visitor on the section."""

    saved_at: datetime
    problems: list[Problem]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Said once, and nowhere else."""

    number: str


@get("/api/closeouts")
async def desk(portal: GivenPortal, crew: GivenCrew) -> Desk:
    """The close-outs that are not sent yet."""
    async with portal.pool.connection() as conn:
        rows = await store.list_closeouts(conn, account=crew.account)
    return Desk(
        items=[OnDesk(id=row.code, reference=row.keyed.get("reference", ""), saved_at=row.saved_at) for row in rows]
    )


@post("/api/closeouts", status_code=201)
async def start(portal: GivenPortal, crew: GivenCrew) -> Closeout:
    """Put an empty close-out on the desk."""
    async with portal.pool.connection() as conn:
        row = await store.start_closeout(conn, account=crew.account)
    return _view(row, [])


@get("/api/closeouts/{code:str}")
async def closeout(portal: GivenPortal, crew: GivenCrew, code: FromPath[str]) -> Closeout:
    """One close-out of the desk."""
    async with portal.pool.connection() as conn:
        row = await store.get_closeout(conn, id=_id(code), account=crew.account)
        photos = await store.list_photos(conn, closeout=row.id) if row else []
    if row is None:
        raise _GONE
    return _view(row, photos)


@patch("/api/closeouts/{code:str}")
async def save(data: JSONBody[Change], portal: GivenPortal, crew: GivenCrew, code: FromPath[str]) -> Saved:
    """Keep what was keyed; says what is wrong with the section, if one is named."""
    values = {key: clean(value) for key, value in data.values.items() if key in KEYS}
    async with portal.pool.connection() as conn:
        row = await store.save_closeout(conn, id=_id(code), account=crew.account, keyed=Jsonb(values))
        photos = await store.list_photos(conn, closeout=row.id) if row else []
    if row is None:
        raise _GONE
    return Saved(saved_at=row.saved_at, problems=_problems(crew, row, photos, [data.section]))


@post("/api/closeouts/{code:str}/photos", status_code=201, request_max_body_size=32 * 2**20)
async def add_photo(request: PortalRequest, portal: GivenPortal, crew: GivenCrew, code: FromPath[str]) -> PhotoRow:
    """Take one photo in."""
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused(422, "photo-refused", "There is no photo in the request.")
    name = clean(file.filename.replace("\\", "/").rsplit("/", 1)[-1])[:120] or "photo"
    quirks = crew.quirks
    largest = int(quirks.photo_max_mb * 2**20) if quirks.validation else None
    try:
        picture = await asyncio.to_thread(take_in, await file.read(), largest=largest, exif=quirks.photo_exif)
    except PhotoRefused as exc:
        raise Refused(422, "photo-refused", f"{name}: {exc}") from exc
    async with portal.pool.connection() as conn:
        row = await store.get_closeout(conn, id=_id(code), account=crew.account)
        taken = row and await store.put_photo(
            conn, closeout=row.id, name=name, size=picture.size, sha256=picture.sha256, thumb=picture.thumb
        )
    if not taken:
        raise _GONE
    return taken


@get("/api/photos/{photo:int}", media_type="image/jpeg")
async def thumbnail(request: PortalRequest, portal: GivenPortal, photo: FromPath[int]) -> Response[bytes]:
    """A small rendition of a photo, for its owner; costs no think time and no request of the session."""
    account = await account_of(request, portal, Quirks(), cost=0)
    if account is None or not 0 < photo < 2**62:
        raise NotFoundException
    async with portal.pool.connection() as conn:
        row = await store.get_photo(conn, id=photo, account=account)
    if row is None:
        raise NotFoundException
    return Response(row.body, media_type="image/jpeg")


@post("/api/closeouts/{code:str}/send", status_code=200, opt={"steady": True})
async def send(request: PortalRequest, portal: GivenPortal, crew: GivenCrew, code: FromPath[str]) -> Receipt:
    """Take the close-out in, or not, and answer, or not: as the switches have it. Never asks whether it was sent before."""
    async with portal.pool.connection() as conn:
        row = await store.closeout_to_send(conn, id=_id(code), account=crew.account)
        photos = await store.list_photos(conn, closeout=row.id) if row else []
    if row is None:
        raise _GONE
    problems = _problems(crew, row, photos, [*SECTIONS, "photos"])
    outcome = "ok" if problems else portal.dice.outcome(crew.quirks)
    if outcome == "slow":
        await asyncio.sleep(crew.quirks.slow_s)
    fence = fence_of(request)
    reference = row.keyed.get("reference", "") or row.code
    taken: str | None = None
    if not problems and outcome not in ("error", "refused"):
        async with portal.pool.connection() as conn:
            taken = (await store.send_closeout(conn, id=row.id, reference=reference, fence=fence)).number
    # After the commit: a line that says accepted must never be about a submission that a crash undid.
    await portal.ledger.write(reference=reference, fence=fence, confirmation=taken, portal=portal.key)
    fields = {"event": "portal.submit", "reference": reference, "outcome": outcome, "accepted": taken is not None}
    log.info("send request", extra={**fields, "portal": portal.key})
    if outcome in ("lost", "closed"):
        await hang_up(request, reset=outcome == "lost")
    if outcome == "error":
        raise Broken
    if taken is None:
        message = " ".join(problem.message for problem in problems) or "The close-out was not taken. Send it again."
        raise Refused(422, "not-taken", message)
    return Receipt(number=taken)


def _problems(crew: Crew, row: CloseoutRow, photos: list[PhotoRow], sections: list[str]) -> list[Problem]:
    if not crew.quirks.validation:
        return []
    found = [problem for section in sections for problem in check(section, row.keyed)]
    if "photos" in sections and not photos:
        found.append(Problem(field="photos", message="Add at least one photo."))
    return found


def _view(row: CloseoutRow, photos: list[PhotoRow]) -> Closeout:
    return Closeout(id=row.code, values=row.keyed, photos=photos, saved_at=row.saved_at)


def _id(code: str) -> int:
    digits = code.removeprefix("C")
    known = digits != code and digits.isascii() and digits.isdigit() and len(digits) <= 12
    return int(digits) if known else 0
