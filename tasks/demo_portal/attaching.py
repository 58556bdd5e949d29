"""The page on which photos are attached to a draft, from its script or as a plain multipart form."""

from __future__ import annotations

import asyncio

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from tasks.demo_portal import store
from tasks.demo_portal.drafting import caption, clean, draft_of, findings_for, onward, save
from tasks.demo_portal.fields import Finding
from tasks.demo_portal.gate import GivenPortal, GivenVisit, PortalRequest, Visit
from tasks.demo_portal.layout import alerts, page, panel, stepper
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.photos import PhotoRefused, take_in
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.store import DraftRow, UploadRow


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that was not taken, and why."""

    name: str
    message: str


class UploadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a script learns about its upload."""

    accepted: list[UploadRow]
    refused: list[Refusal]


@get("/asbuilt/{draft:str}/photos")
async def photos_page(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]
) -> Response[str]:
    """Show the photo slots."""
    row = await draft_of(portal, visit, draft)
    if row.submitted_at:
        return Redirect(f"/asbuilt/{draft}/confirmation", status_code=303)
    return await _photos(portal, visit, row, findings_for(request, row, "photos"), status=200)


@post("/asbuilt/{draft:str}/photos", status_code=303)
async def save_photos(portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]) -> Response[None]:
    """Go on to the review once there is a photo."""
    row = await draft_of(portal, visit, draft)
    async with portal.pool.connection() as conn:
        uploads = await store.list_uploads(conn, draft=row.id)
    found = [Finding(page="photos", field="photos", message="Attach at least 1 photo")]
    if uploads or not visit.quirks.validation:
        found = []
    await save(portal, row, page="photos", keyed={}, found=found)
    return Redirect(f"/asbuilt/{draft}/{'photos?refused=1' if found else 'review'}", status_code=303)


@get("/asbuilt/{draft:str}/upload")
async def upload_page(draft: FromPath[str]) -> Response[None]:
    """Reached by a reload only."""
    return Redirect(f"/asbuilt/{draft}/photos", status_code=303)


@post("/asbuilt/{draft:str}/upload", status_code=201, request_max_body_size=128 * 2**20)
async def upload(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]
) -> Response[str] | Response[UploadAnswer]:
    """Take photos in, from the page's script (JSON) or as a plain multipart form (the page again)."""
    row = await draft_of(portal, visit, draft)
    form = await request.form()
    accepted: list[UploadRow] = []
    refused: list[Refusal] = []
    for file in form.getall("photos", []):
        if not isinstance(file, UploadFile) or not file.filename:
            continue
        name = clean(file.filename.replace("\\", "/").rsplit("/", 1)[-1])[:120] or "photo"
        taken = await _take(portal, visit, row, name, await file.read())
        if isinstance(taken, UploadRow):
            accepted.append(taken)
        else:
            refused.append(taken)
    status = 201 if accepted else 422
    if "application/json" in request.headers.get("accept", ""):
        return Response(UploadAnswer(accepted=accepted, refused=refused), status_code=status)
    found = [Finding(page="photos", field="photos", message=f"{item.name}: {item.message}") for item in refused]
    if not accepted and not refused:
        found = [Finding(page="photos", field="photos", message="Choose at least 1 photo")]
    return await _photos(portal, visit, row, found, status=status)


async def _take(portal: Portal, visit: Visit, row: DraftRow, name: str, body: bytes) -> UploadRow | Refusal:
    quirks = visit.quirks
    largest = int(quirks.photo_max_mb * 2**20) if quirks.validation else None
    try:
        picture = await asyncio.to_thread(take_in, body, largest=largest, exif=quirks.photo_exif)
    except PhotoRefused as exc:
        return Refusal(name=name, message=str(exc))
    async with portal.pool.connection() as conn:
        stored = await store.put_upload(conn, draft=row.id, name=name, **msgspec.structs.asdict(picture))
    return stored or Refusal(name=name, message="this as-built is submitted already")


async def _photos(portal: Portal, visit: Visit, row: DraftRow, found: list[Finding], *, status: int) -> Response[str]:
    async with portal.pool.connection() as conn:
        uploads = await store.list_uploads(conn, draft=row.id)
    base = f"/asbuilt/{row.number}"
    sender = el(
        "form",
        el("label", "Attach photos", for_="photos", class_="required"),
        el("input", id="photos", name="photos", type="file", multiple=True, accept="image/jpeg,image/png"),
        el("button", "Upload", type="submit"),
        el("small", f"JPEG or PNG, at most {visit.quirks.photo_max_mb:g} MB each; at least 1"),
        method="post",
        action=f"{base}/upload",
        enctype="multipart/form-data",
        id="sender",
        class_="sender",
    )
    slots = el("ul", (photo_slot(item) for item in uploads), class_="slots", id="slots")
    saver = el("form", onward(visit.quirks), method="post", action=f"{base}/photos")
    top = (stepper(row.number, current="photos", saved=row.saved), alerts(found))
    body = panel(caption(row), sender, slots, saver)
    return page(
        "As-built: photos", top, body, account=visit.account, tab="/asbuilt/new", status=status, script="upload.js"
    )


def photo_slot(item: UploadRow) -> Markup:
    """A photo that has arrived."""
    picture = el("img", src=f"/pictures/{item.id}/thumb", alt="", loading="lazy")
    link = el("a", picture, href=f"/pictures/{item.id}/large")
    size = f"{item.width} × {item.height} · {item.size // 1024:,} KB"
    return el("li", link, el("b", item.name), el("small", size), data_photo=item.name, data_sha256=item.sha256)
