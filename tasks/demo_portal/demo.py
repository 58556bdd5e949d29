"""Behind the curtain: the panel of bad habits, and the count of submissions a reference. No sign-in, no bad habits."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Response, get, post
from litestar.exceptions import ClientException

from tasks.demo_portal import store
from tasks.demo_portal.drafting import clean
from tasks.demo_portal.gate import GivenPortal, PortalRequest
from tasks.demo_portal.layout import moment, page, panel, table
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.quirks import PRESETS, Quirks, problems


class QuirksView(msgspec.Struct, frozen=True, kw_only=True):
    """The switches, and the preset they were last taken from."""

    preset: str
    switches: Quirks


class SubmissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as tests and the demo command count it."""

    reference: str
    confirmation: str
    fence: int | None
    at: datetime
    photos: int


@get("/_demo/submissions")
async def submissions(request: PortalRequest, portal: GivenPortal) -> list[SubmissionView]:
    """Submissions of one reference, or the latest of all, regardless of the index."""
    reference = clean(request.query_params.get("reference", ""))
    async with portal.pool.connection() as conn:
        if reference:
            rows = await store.find_submissions(conn, reference=reference, lag_s=0)
        else:
            rows = await store.list_submissions(conn, limit=1000)
    return [
        SubmissionView(
            reference=row.reference,
            confirmation=row.confirmation,
            fence=row.fence,
            at=row.submitted_at,
            photos=row.photos,
        )
        for row in rows
    ]


@get("/_demo/quirks")
async def quirks_now(portal: GivenPortal) -> QuirksView:
    """The switches as they stand."""
    return await _view(portal)


@post("/_demo/quirks", status_code=200)
async def set_quirks(request: PortalRequest, portal: GivenPortal) -> QuirksView:
    """Change switches: `{"preset": "realistic", "seed": 7, "index_lag_s": 2}`; the others go over the preset."""
    if request.content_type[0] != "application/json":
        # A page of another site can send a form here, but not this type without asking first.
        raise ClientException("send application/json", status_code=415)
    try:
        wanted = msgspec.json.decode(await request.body(), type=dict[str, object])
        preset = msgspec.convert(wanted.pop("preset", ""), str)
        seed = msgspec.convert(wanted.pop("seed", None), int | None)
        quirks = _merged(PRESETS[preset] if preset else await portal.quirks(), wanted)
    except KeyError as exc:
        raise ClientException(f"no preset {exc}; there are {', '.join(PRESETS)}") from exc
    except msgspec.MsgspecError as exc:
        raise ClientException(str(exc)) from exc
    if found := problems(quirks):
        raise ClientException("; ".join(found))
    if seed is not None:
        portal.dice.reseed(seed)
    if preset or wanted:
        await portal.set_quirks(quirks, preset=preset if not wanted else "custom")
    return await _view(portal)


async def _view(portal: Portal) -> QuirksView:
    preset, switches = await portal.switches()
    return QuirksView(preset=preset, switches=switches)


def _merged(start: Quirks, wanted: dict[str, object]) -> Quirks:
    """`submit` is replaced as a whole: weights only mean something beside each other."""
    given: dict[str, object] = msgspec.to_builtins(start)
    return msgspec.convert(given | wanted, Quirks)


@get("/_demo")
async def demo_panel(portal: GivenPortal) -> Response[str]:
    """The switches as a page."""
    now, quirks = await portal.switches()
    presets = el("p", (_preset(name, chosen=name == now) for name in PRESETS), class_="presets")
    plain = {name: value for name, value in msgspec.structs.asdict(quirks).items() if name != "submit"}
    switches = el(
        "form",
        (_switch(name, value) for name, value in plain.items()),
        (_weight(name, weight) for name, weight in msgspec.structs.asdict(quirks.submit).items()),
        el("div", el("button", "Apply switches", type="submit", class_="main"), class_="buttons"),
        id="switches",
    )
    said = el(
        "p", f"Now: {now}. A change holds from the next request on.", id="said", role="status", class_="notice info"
    )
    count = el("p", el("a", "Submissions per reference", href="/_demo/counter"))
    return page("Demo panel", said, panel("Presets", presets), panel("Switches", switches), count, script="panel.js")


def _preset(name: str, *, chosen: bool) -> Markup:
    return el("button", name, type="button", data_preset=name, aria_pressed="true" if chosen else "false")


def _switch(name: str, value: object) -> Markup:
    words = f"{name[:-2]} (s)" if name.endswith("_s") else name
    label = el("label", words.replace("_", " "), for_=name)
    if isinstance(value, bool):
        control = el("input", type="checkbox", id=name, name=name, checked=value, data_kind="flag")
    elif name == "duplicates":
        options = (el("option", kind, selected=kind == value) for kind in ("reject", "warn", "accept"))
        control = el("select", options, id=name, name=name, data_kind="text")
    else:
        kind = "text" if isinstance(value, str) else "number"
        control = el("input", id=name, name=name, value=str(value), class_="short", data_kind=kind)
    return el("div", label, el("div", control), class_="row")


def _weight(name: str, weight: float) -> Markup:
    control = el("input", id=f"submit-{name}", value=f"{weight:g}", class_="short", data_odds=name)
    return el("div", el("label", f"submit: {name}", for_=f"submit-{name}"), el("div", control), class_="row")


@get("/_demo/counter")
async def counter_page(portal: GivenPortal) -> Response[str]:
    """The visible proof: submissions per reference, renewed every two seconds."""
    async with portal.pool.connection() as conn:
        totals = await store.count_submissions(conn)
        rows = await store.count_references(conn, limit=200)
    duplicates = totals.submissions - totals.references
    head = el(
        "div",
        _figure("submissions", totals.submissions, "submissions"),
        _figure("references", totals.references, "references"),
        _figure("duplicates", duplicates, "duplicate" if duplicates == 1 else "duplicates", bad=duplicates > 0),
        class_="figures",
    )
    cells = [
        (row.reference, _count(row.submissions), ", ".join(row.confirmations), moment(row.last_at)) for row in rows
    ]
    heads = ("Contractor reference", "Submissions", "Confirmation", "Last")
    body = el("div", head, panel("Per reference", table(heads, cells, testid="counter")), id="live")
    return page("Submissions per reference", body, script="counter.js")


def _count(submissions: int) -> Markup:
    return el("b", submissions, class_="bad" if submissions > 1 else None)


def _figure(testid: str, value: int, label: str, *, bad: bool = False) -> Markup:
    return el("p", el("b", value, data_testid=testid), el("span", label), class_="bad" if bad else None)
