"""The irreversible part: review, the submit request with all that can go wrong in it, and the receipt."""

from __future__ import annotations

import asyncio
import logging

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from psycopg.types.json import Jsonb

from tasks.demo_portal import store
from tasks.demo_portal.attaching import photo_slot
from tasks.demo_portal.drafting import draft_of, findings_for
from tasks.demo_portal.fields import PAGES, Finding, fields_of
from tasks.demo_portal.gate import Broken, GivenPortal, GivenVisit, PortalRequest, hang_up
from tasks.demo_portal.layout import alerts, facts, moment, notice, page, panel, stepper
from tasks.demo_portal.markup import Child, Markup, el
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.quirks import Duplicates, Quirks
from tasks.demo_portal.store import DraftRow, SubmissionRow, UploadRow

log = logging.getLogger("asbuilt.demo_portal")
_REFUSED = "The as-built was not accepted. Please submit it again."


def keyed_facts(keyed: dict[str, str]) -> list[tuple[str, str, Child]]:
    """All that was keyed, page by page."""
    asset_type = keyed.get("asset_type", "")
    return [(f.key, f.label, keyed.get(f.key, "")) for name in PAGES for f in fields_of(name, asset_type=asset_type)]


@get("/asbuilt/{draft:str}/review")
async def review_page(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]
) -> Response[str]:
    """Show all that will be submitted."""
    row = await draft_of(portal, visit, draft)
    found = findings_for(request, row, "review")
    if row.submitted_at and not found:
        return Redirect(f"/asbuilt/{draft}/confirmation", status_code=303)
    async with portal.pool.connection() as conn:
        uploads = await store.list_uploads(conn, draft=row.id)
    keyed = panel("As keyed", facts(keyed_facts(row.keyed)))
    count = el("p", "Photos attached: ", el("b", len(uploads), data_testid="photo-count"))
    photos = panel("Photos", count, el("ul", (photo_slot(item) for item in uploads), class_="slots small"))
    top = (stepper(draft, current="review", saved=row.saved), alerts(found))
    end = notice("This as-built has been submitted.") if row.submitted_at else _certify(row, found, visit.quirks)
    body = (top, el("div", keyed, photos, class_="two"), end)
    script = "confirm.js" if visit.quirks.drift_dialog else ""
    return page("As-built: review", body, account=visit.account, tab="/asbuilt/new", script=script)


def _certify(row: DraftRow, found: list[Finding], quirks: Quirks) -> Markup:
    anyway: Markup | None = None
    if any(item.field == "anyway" for item in found):
        box = el("input", type="checkbox", id="anyway", name="anyway", value="yes")
        anyway = el("p", box, " ", el("label", "Submit anyway", for_="anyway"))
    text = "I certify that this as-built shows what was constructed"
    words = "File as-built" if quirks.drift_button else "Submit as-built"
    certify = el("input", type="checkbox", id="certify", name="certify", value="yes")
    form = el(
        "form",
        el("p", certify, " ", el("label", text, for_="certify")),
        anyway,
        el("div", el("button", words, type="submit", id="submit", class_="main"), class_="buttons"),
        method="post",
        action=f"/asbuilt/{row.number}/submit",
    )
    return panel("Certification", form)


@post("/asbuilt/{draft:str}/submit", status_code=303, opt={"steady": True})
async def submit(
    request: PortalRequest, portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]
) -> Response[None]:
    """Take the as-built in, or not, and answer, or not: as the switches have it."""
    row = await draft_of(portal, visit, draft)
    form = await request.form()
    found = _incomplete(row, certified=bool(form.get("certify"))) if visit.quirks.validation else []
    outcome = "ok" if found else portal.dice.outcome(visit.quirks)
    if outcome == "slow":
        await asyncio.sleep(visit.quirks.slow_s)
    if outcome == "refused":
        found = [Finding(page="review", field="submit", message=_REFUSED)]
    taken: SubmissionRow | None = None
    if not found and outcome != "error":
        taken, found = await _take(
            portal, row, fence=fence_of(request), duplicates=visit.quirks.duplicates, anyway=bool(form.get("anyway"))
        )
    # After the commit: a line that says accepted must never be about a submission that a crash undid.
    confirmation = taken.confirmation if taken else None
    await portal.ledger.write(reference=row.reference, fence=fence_of(request), confirmation=confirmation)
    fields = {"event": "portal.submit", "reference": row.reference, "outcome": outcome, "accepted": taken is not None}
    log.info("submit request", extra=fields)
    if outcome in ("lost", "closed"):
        await hang_up(request, reset=outcome == "lost")
    if outcome == "error":
        raise Broken
    if found:
        await _remember(portal, row, found)
        return Redirect(f"/asbuilt/{draft}/review?refused=1", status_code=303)
    return Redirect(f"/asbuilt/{draft}/confirmation", status_code=303)


def _incomplete(row: DraftRow, *, certified: bool) -> list[Finding]:
    missing = [key for key in ("job", "details", "photos") if key not in row.saved]
    found = [Finding(page="review", field=key, message=f"Page {key} is not complete") for key in missing]
    if not certified:
        found.append(Finding(page="review", field="certify", message="You must certify the as-built"))
    return found


async def _take(
    portal: Portal, row: DraftRow, *, fence: int | None, duplicates: Duplicates, anyway: bool
) -> tuple[SubmissionRow | None, list[Finding]]:
    reference = row.reference or row.number
    async with portal.pool.connection() as conn:
        await store.lock_reference(conn, reference=reference)
        known = await store.find_submissions(conn, reference=reference, lag_s=0)
        if known and (duplicates == "reject" or (duplicates == "warn" and not anyway)):
            field = "reference" if duplicates == "reject" else "anyway"
            message = f"A submission with contractor reference {reference} already exists"
            return None, [Finding(page="review", field=field, message=message)]
        return await store.add_submission(conn, draft=row.id, reference=reference, fence=fence), []


async def _remember(portal: Portal, row: DraftRow, found: list[Finding]) -> None:
    async with portal.pool.connection() as conn:
        await store.put_findings(conn, id=row.id, findings=Jsonb(msgspec.to_builtins(found)))


def fence_of(request: PortalRequest) -> int | None:
    """The attempt that a gated submit request names; only the demo portal reads it."""
    raw = request.headers.get("x-asbuilt-fence", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


@get("/asbuilt/{draft:str}/confirmation")
async def confirmation_page(portal: GivenPortal, visit: GivenVisit, draft: FromPath[str]) -> Response[str]:
    """The receipt."""
    row = await draft_of(portal, visit, draft)
    async with portal.pool.connection() as conn:
        made = await store.submissions_of_draft(conn, draft=row.id)
        uploads = await store.list_uploads(conn, draft=row.id)
    if not made:
        return Redirect(f"/asbuilt/{draft}/review", status_code=303)
    return page("As-built submitted", receipt(made[0], uploads), account=visit.account)


@get("/submissions/{confirmation:str}")
async def submission_page(portal: GivenPortal, visit: GivenVisit, confirmation: FromPath[str]) -> Response[str]:
    """Read-back of one submission: what was keyed, and the photos."""
    async with portal.pool.connection() as conn:
        row = await store.get_submission(conn, confirmation=confirmation.replace("\0", ""))
        uploads = await store.list_uploads(conn, draft=row.draft) if row else []
    if row is None:
        raise NotFoundException
    return page(f"Submission {row.confirmation}", receipt(row, uploads), account=visit.account, tab="/submissions")


def receipt(row: SubmissionRow, uploads: list[UploadRow]) -> Markup:
    """A submission with everything that was keyed, printable."""
    strong = el("strong", row.confirmation, data_testid="confirmation")
    number = el("p", "Confirmation number", strong, "Keep this number for your records.", class_="number")
    head = facts(
        [
            ("submitted_at", "Submitted", moment(row.submitted_at)),
            ("account", "Submitted by", row.account),
            ("photos", "Photos", row.photos),
        ]
    )
    photos = el("ul", (photo_slot(item) for item in uploads), class_="slots small")
    return el(
        "div",
        panel("Receipt", number, head),
        el("div", panel("As keyed", facts(keyed_facts(row.keyed))), panel("Photos", photos), class_="two"),
        class_="receipt",
    )
