"""Behind the curtain, as pages: the panel of bad habits, and the count of submissions a reference, of both portals."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from litestar import Response, get

from tasks.demo_portal import store
from tasks.demo_portal.gate import GivenHarbor, GivenPortal, PortalRequest
from tasks.demo_portal.layout import moment, page, panel, table
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.quirks import PRESETS, Quirks
from tasks.demo_portal.switchboard import GROUPS, ODDS, Switch, has

_NAMES = {"npl": "Northfield Power & Light", "harbor": "Harbor Fiber Cooperative"}


@get("/_demo")
async def demo_panel(request: PortalRequest, portal: GivenPortal, harbor: GivenHarbor) -> Response[str]:
    """The switches as a page; `?portal=harbor` for the second portal."""
    chosen = harbor if request.query_params.get("portal") == "harbor" else portal
    now, quirks = await chosen.switches()
    presets = el("p", (_preset(name, chosen=name == now) for name in PRESETS), class_="presets")
    form = el(
        "form",
        _switches(chosen, quirks),
        el("div", el("button", "Apply switches", type="submit", class_="main"), class_="buttons"),
        id="switches",
        data_portal=chosen.key,
    )
    text = f"Now: {now}. A change holds from the next request on."
    said = el("p", text, id="said", role="status", class_="notice info")
    unlock = el("p", el("button", "Unlock all accounts", type="button", id="unlock"), class_="presets")
    body = (_doors(chosen), said, panel("Presets", presets, unlock), form)
    return page("Demo panel", body, script="panel.js")


def _doors(chosen: Portal) -> Markup:
    portals = (
        el("a", name, href=f"/_demo?portal={key}", aria_current="page" if key == chosen.key else None)
        for key, name in _NAMES.items()
    )
    pages = (("Submissions per reference", "/_demo/counter"), ("The account holder's phone", "/_demo/phone"))
    return el("nav", portals, (el("a", text, href=path) for text, path in pages), aria_label="Demo")


def _switches(chosen: Portal, quirks: Quirks) -> Iterator[Markup]:
    values = msgspec.structs.asdict(quirks)
    weights = msgspec.structs.asdict(quirks.submit)
    for title, switches in GROUPS:
        rows = [
            _row(switch, _control(switch.name, values[switch.name]))
            for switch in switches
            if has(chosen.key, switch.name)
        ]
        if title == "Submit request":
            rows += [_row(switch, _weight(switch.name, weights[switch.name])) for switch in ODDS]
        if rows:
            yield panel(title, rows)


def _row(switch: Switch, control: Markup) -> Markup:
    name = switch.name if switch not in ODDS else f"submit-{switch.name}"
    return el("div", el("label", switch.label, for_=name), el("div", control, el("small", switch.says)), class_="row")


def _preset(name: str, *, chosen: bool) -> Markup:
    return el("button", name, type="button", data_preset=name, aria_pressed="true" if chosen else "false")


def _control(name: str, value: object) -> Markup:
    if isinstance(value, bool):
        return el("input", type="checkbox", id=name, name=name, checked=value, data_kind="flag")
    if name == "duplicates":
        options = (el("option", kind, selected=kind == value) for kind in ("reject", "warn", "accept"))
        return el("select", options, id=name, name=name, data_kind="text")
    kind = "text" if isinstance(value, str) else "number"
    return el("input", id=name, name=name, value=str(value), class_="short", data_kind=kind)


def _weight(name: str, weight: float) -> Markup:
    return el("input", id=f"submit-{name}", value=f"{weight:g}", class_="short", data_odds=name)


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
        (_NAMES[row.portal], row.reference, _count(row.submissions), ", ".join(row.confirmations), moment(row.last_at))
        for row in rows
    ]
    heads = ("Portal", "Contractor reference", "Submissions", "Confirmation", "Last")
    body = el("div", head, panel("Per reference", table(heads, cells, testid="counter")), id="live")
    return page("Submissions per reference", body, script="counter.js")


def _count(submissions: int) -> Markup:
    return el("b", submissions, class_="bad" if submissions > 1 else None)


def _figure(testid: str, value: int, label: str, *, bad: bool = False) -> Markup:
    return el("p", el("b", value, data_testid=testid), el("span", label), class_="bad" if bad else None)
