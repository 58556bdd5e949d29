"""Drafts, and the two pages on which they are keyed: job and details."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from psycopg.types.json import Jsonb

from tasks.demo_portal import store
from tasks.demo_portal.fields import PAGES, Finding, check, drifted, fields_of
from tasks.demo_portal.gate import GivenPortal, GivenVisit, PortalRequest, Visit
from tasks.demo_portal.layout import alerts, inputs, page, panel, stepper
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.quirks import Quirks
from tasks.demo_portal.store import DraftRow

_TITLES = {"job": "As-built: job", "details": "As-built: construction details"}
_NEXT = {"job": "details", "details": "photos"}


async def draft_of(portal: Portal, visit: Visit, number: str) -> DraftRow:
    """The visitor's own draft `D00001`; anybody else's is not there."""
    digits = number.removeprefix("D")
    if digits == number or not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        raise NotFoundException
    async with portal.pool.connection() as conn:
        row = await store.get_draft(conn, id=int(digits), account=visit.account)
    if row is None:
        raise NotFoundException
    return row


def findings_for(request: PortalRequest, row: DraftRow, page_key: str) -> list[Finding]:
    """The errors of the POST that led here; a plain visit of the page shows none."""
    if "refused" not in request.query_params:
        return []
    return [found for found in msgspec.convert(row.findings, list[Finding]) if found.page == page_key]


@get("/asbuilt/new")
async def new_draft(portal: GivenPortal, visit: GivenVisit) -> Response[None]:
    """Make a draft and go to its first page."""
    async with portal.pool.connection() as conn:
        row = await store.make_draft(conn, account=visit.account)
    return Redirect(f"/asbuilt/{row.number}/job", status_code=303)


@get("/asbuilt/{draft:str}")
async def resume_draft(portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]) -> Response[None]:
    """Go to the first page that is not saved yet."""
    row = await draft_of(portal, visit, draft)
    missing = [key for key in ("job", "details", "photos") if key not in row.saved]
    place = "confirmation" if row.submitted_at else (missing or ["review"])[0]
    return Redirect(f"/asbuilt/{draft}/{place}", status_code=303)


@get("/asbuilt/{draft:str}/{step:str}")
async def keying_page(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str], step: FromPath[str]
) -> Response[str]:
    """Show one page of inputs."""
    row = await draft_of(portal, visit, draft)
    if step not in PAGES:
        raise NotFoundException
    if row.submitted_at:
        return Redirect(f"/asbuilt/{draft}/confirmation", status_code=303)
    if step == "details" and not row.asset_type:
        return Redirect(f"/asbuilt/{draft}/job", status_code=303)
    found = findings_for(request, row, step)
    fields = drifted(fields_of(step, asset_type=row.asset_type), renamed=visit.quirks.drift_label)
    form = el(
        "form",
        inputs(fields, row.keyed, found),
        onward(visit.quirks),
        method="post",
        action=f"/asbuilt/{draft}/{step}",
    )
    top = (stepper(draft, current=step, saved=row.saved), alerts(found))
    return page(_TITLES[step], top, panel(caption(row), form), account=visit.account, tab="/asbuilt/new")


@post("/asbuilt/{draft:str}/{step:str}", status_code=303)
async def save_page(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str], step: FromPath[str]
) -> Response[None]:
    """Keep what was keyed, and go on if nothing is wrong with it."""
    row = await draft_of(portal, visit, draft)
    if step not in PAGES:
        raise NotFoundException
    if row.submitted_at:
        return Redirect(f"/asbuilt/{draft}/confirmation", status_code=303)
    form = await request.form()
    fields = PAGES[step] if step == "job" else fields_of(step, asset_type=row.asset_type)
    keyed = {field.key: clean(form.get(field.key, "")) for field in fields}
    asset_type = keyed.get("asset_type", row.asset_type)
    found = check(step, keyed, asset_type=asset_type, closed_district=visit.quirks.closed_district)
    if not visit.quirks.validation:
        found = []
    await save(portal, row, page=step, keyed=keyed, found=found)
    place = f"{step}?refused=1" if found else _NEXT[step]
    return Redirect(f"/asbuilt/{draft}/{place}", status_code=303)


async def save(portal: Portal, row: DraftRow, *, page: str, keyed: dict[str, str], found: list[Finding]) -> None:
    """Store a page; with findings it does not count as saved."""
    findings = Jsonb(msgspec.to_builtins(found))
    async with portal.pool.connection() as conn:
        await store.save_page(conn, id=row.id, page=page, keyed=Jsonb(keyed), findings=findings)


def clean(value: object) -> str:
    """Text as it is stored: no NUL, one kind of line break, no blanks around it, bounded."""
    text = value if isinstance(value, str) else ""
    return text.replace("\0", "").replace("\r\n", "\n").strip()[:5000]


def onward(quirks: Quirks) -> Markup:
    """The button that saves a page."""
    words = "Continue" if quirks.drift_button else "Save and continue"
    return el("div", el("button", words, type="submit", id="onward", class_="main"), class_="buttons")


def caption(row: DraftRow) -> str:
    """What the panel of a draft is called."""
    return " · ".join(part for part in (f"Draft {row.number}", row.reference, row.asset_type) if part)
