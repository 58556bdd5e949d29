"""Finding things again: submissions by reference, drafts, pictures, and the public status page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from tasks.demo_portal import store
from tasks.demo_portal.drafting import clean
from tasks.demo_portal.gate import GivenPortal, GivenVisit, PortalRequest, account_of
from tasks.demo_portal.layout import moment, notice, page, panel, submission_link, table
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.quirks import Quirks
from tasks.demo_portal.store import SubmissionRow


@get("/submissions")
async def search_page(request: PortalRequest, portal: GivenPortal, visit: GivenVisit) -> Response[str]:
    """Submissions with exactly this contractor reference, as far as the index has come."""
    wanted = clean(request.query_params.get("q", ""))
    form = el(
        "form",
        el("label", "Contractor reference", for_="q"),
        el("input", id="q", name="q", value=wanted, type="search", autocomplete="off"),
        el("button", "Search", type="submit", class_="main"),
        el("small", "The exact reference, as it was keyed"),
        method="get",
        action="/submissions",
        class_="sender",
    )
    result: Markup | None = None
    if wanted:
        lag_s = visit.quirks.index_lag_s
        as_of = datetime.now(UTC) - timedelta(seconds=lag_s)
        async with portal.pool.connection() as conn:
            rows = await store.find_submissions(conn, reference=wanted, lag_s=lag_s)
        stamp = el("p", "Index as of ", moment(as_of), class_="quiet", data_testid="as-of")
        result = panel("Result", _results(rows) if rows else _nothing(wanted), stamp)
    return page("Look up a submission", panel("Search", form), result, account=visit.account, tab="/submissions")


def _results(rows: list[SubmissionRow]) -> Markup:
    cells = [
        (
            submission_link(row, testid="conf"),
            row.reference,
            row.keyed.get("asset_type", ""),
            row.photos,
            moment(row.submitted_at),
        )
        for row in rows
    ]
    return table(("Confirmation", "Contractor reference", "Asset type", "Photos", "Submitted"), cells, testid="results")


def _nothing(wanted: str) -> Markup:
    return el("p", f"No submission with reference {wanted}.", data_testid="no-results", class_="notice info")


@get("/drafts")
async def drafts_page(portal: GivenPortal, visit: GivenVisit) -> Response[str]:
    """The visitor's drafts, newest first."""
    async with portal.pool.connection() as conn:
        drafts = await store.list_drafts(conn, account=visit.account)
    rows = [
        (
            el("a", row.number, href=f"/asbuilt/{row.number}"),
            row.reference or "–",
            row.asset_type or "–",
            "Submitted" if row.submitted_at else f"{len(row.saved)} of 3 pages saved",
            moment(row.changed_at),
        )
        for row in drafts
    ]
    heads = ("Draft", "Contractor reference", "Asset type", "State", "Last changed")
    body = table(heads, rows, testid="drafts") if rows else el("p", "You have no drafts.", class_="quiet")
    return page("My drafts", panel("The latest 50", body), account=visit.account, tab="/drafts")


@get("/pictures/{picture:int}/{size:str}", media_type="image/jpeg")
async def picture(
    request: PortalRequest, portal: GivenPortal, picture: FromPath[int], size: FromPath[str]
) -> Response[bytes]:
    """A rendition of a photo, for its owner; costs no think time and no page of the session."""
    account = await account_of(request, portal, Quirks())
    if account is None or size not in ("thumb", "large") or not 0 < picture < 2**62:
        raise NotFoundException
    async with portal.pool.connection() as conn:
        row = await store.get_picture(conn, id=picture, size=size, account=account)
    if row is None:
        raise NotFoundException
    return Response(row.body, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=300"})


@get("/status", media_type=MediaType.HTML)
async def status_page(request: PortalRequest, portal: GivenPortal) -> Response[str]:
    """How the portal says it is doing; answers during maintenance too."""
    quirks = await portal.quirks()
    account = await account_of(request, portal, Quirks())
    said = notice("All systems operational.", tone="good")
    if quirks.maintenance:
        said = notice("Closed for scheduled maintenance.", tone="warn")
    index = "Up to date" if not quirks.index_lag_s else f"About {quirks.index_lag_s:g} s behind"
    rows = [
        ("As-built entry", "Closed" if quirks.maintenance else "Operational"),
        ("Photo intake", "Closed" if quirks.maintenance else "Operational"),
        ("Submission index", index),
    ]
    return page(
        "System status", said, panel("Services", table(("Service", "State"), rows)), account=account, tab="/status"
    )
