"""The look of the portal: frame, panels, alerts and inputs that its pages are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from litestar import MediaType, Response

from tasks.demo_portal.fields import Field, Finding
from tasks.demo_portal.markup import Child, Markup, document, el, join
from tasks.demo_portal.store import SubmissionRow

_TABS = (
    ("/", "Home"),
    ("/asbuilt/new", "New as-built"),
    ("/drafts", "My drafts"),
    ("/submissions", "Look up a submission"),
    ("/status", "System status"),
)
_STEPS = (("job", "Job"), ("details", "Details"), ("photos", "Photos"), ("review", "Review and submit"))


def page(
    title: str, *body: Child, account: str | None = None, tab: str = "", status: int = 200, script: str = ""
) -> Response[str]:
    """A whole page as an answer; `script` names a file of the static folder."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("title", f"{title} · Northfield Power & Light"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("link", rel="stylesheet", href="/static/portal.css"),
        el("link", rel="icon", href="/static/mark.svg"),
        el("script", src=f"/static/{script}", defer=True) if script else None,
    )
    frame = el("body", _banner(account), _tabs(account, tab), el("main", el("h1", title), body), _footer())
    return Response(document(head, frame), media_type=MediaType.HTML, status_code=status)


def _banner(account: str | None) -> Markup:
    brand = el(
        "a",
        el("img", src="/static/mark.svg", alt="", width=44, height=44),
        el("span", el("strong", "Northfield Power & Light"), el("small", "Contractor Portal")),
        class_="brand",
        href="/",
    )
    if account is None:
        return el("header", brand, el("div", "Contractor Services  555-0142", class_="who"))
    out = el("form", el("button", "Sign out", class_="plain"), method="post", action="/logout")
    who = el("div", el("span", "Signed in: ", el("b", account, data_testid="nav-user")), out, class_="who")
    return el("header", brand, who)


def _tabs(account: str | None, tab: str) -> Markup:
    shown = _TABS if account else _TABS[-1:]
    links = (el("a", label, href=path, aria_current="page" if path == tab else None) for path, label in shown)
    return el("nav", links, aria_label="Main")


def _footer() -> Markup:
    return el(
        "footer",
        el("span", "© Northfield Power & Light Company · Release 4.2.1"),
        el("span", "A fictional utility, for demonstration · ", el("a", "demo panel", href="/_demo")),
    )


def panel(title: str, *body: Child, class_: str = "") -> Markup:
    """A titled box."""
    return el("section", el("h2", title), el("div", body, class_="inside"), class_=f"panel {class_}".strip())


def alerts(findings: Sequence[Finding]) -> Markup | None:
    """The list of errors on top of a page."""
    if not findings:
        return None
    items = (el("li", finding.message, data_field=finding.field) for finding in findings)
    return el("div", el("p", "Please correct the following:"), el("ul", items), role="alert", class_="alert")


def notice(text: str, *, tone: str = "info") -> Markup:
    """One sentence above a page."""
    return el("p", text, class_=f"notice {tone}", role="status")


def stepper(draft: str, *, current: str, saved: Sequence[str]) -> Markup:
    """Where the draft stands among its four pages."""
    items: list[Markup] = []
    for number, (key, label) in enumerate(_STEPS, 1):
        done = key in saved
        text = (el("i", "✓" if done and key != current else number), label)
        link = el("a", text, href=f"/asbuilt/{draft}/{key}") if done and key != current else el("span", text)
        state = "now" if key == current else "done" if done else "todo"
        items.append(el("li", link, class_=state, aria_current="step" if key == current else None))
    return el("ol", items, class_="stepper")


def inputs(fields: Sequence[Field], keyed: Mapping[str, str], findings: Sequence[Finding]) -> Markup:
    """The labelled inputs of a page with what was keyed."""
    bad = {finding.field for finding in findings}
    return el("div", (_row(field, keyed.get(field.key, ""), field.key in bad) for field in fields), class_="grid")


def _row(field: Field, value: str, bad: bool) -> Markup:
    label = el("label", field.label, for_=field.key, class_="required" if field.required else None)
    hint = el("small", field.hint, id=f"{field.key}-hint") if field.hint else None
    return el("div", label, el("div", _input(field, value, bad), hint), class_="row bad" if bad else "row")


def _input(field: Field, value: str, bad: bool) -> Markup:
    invalid = "true" if bad else None
    described = f"{field.key}-hint" if field.hint else None
    if field.kind == "select":
        options = [el("option", "– choose –", value="")]
        options += [el("option", name, value=name, selected=name == value) for name in field.options]
        return el("select", options, id=field.key, name=field.key, aria_invalid=invalid, aria_describedby=described)
    if field.kind == "textarea":
        # A browser drops the first line break inside a text area; without this one the keyed text would lose its own.
        body = join(("\n", value))
        return el(
            "textarea", body, id=field.key, name=field.key, rows=4, aria_invalid=invalid, aria_describedby=described
        )
    return el(
        "input",
        id=field.key,
        name=field.key,
        value=value,
        type="text",
        inputmode="decimal" if field.kind == "number" else None,
        autocomplete="off",
        class_="short" if field.kind in ("number", "date") else None,
        aria_invalid=invalid,
        aria_describedby=described,
    )


def facts(rows: Sequence[tuple[str, str, Child]]) -> Markup:
    """Read-back: (key, label, value) as a definition list."""
    shown = ((key, label, "–" if value in ("", None) else value) for key, label, value in rows)
    return el("dl", ((el("dt", label), el("dd", value, data_field=key)) for key, label, value in shown), class_="facts")


def table(heads: Sequence[str], rows: Sequence[Sequence[Child]], *, testid: str | None = None) -> Markup:
    """A plain table."""
    top = el("thead", el("tr", (el("th", head, scope="col") for head in heads)))
    body = el("tbody", (el("tr", (el("td", cell) for cell in row)) for row in rows))
    return el("div", el("table", top, body, data_testid=testid), class_="scroll")


def submission_link(row: SubmissionRow, *, testid: str | None = None) -> Markup:
    """A confirmation number that leads to its read-back."""
    return el("a", row.confirmation, href=f"/submissions/{row.confirmation}", data_testid=testid)


def moment(at: datetime) -> Markup:
    """A time as the portal prints it, exact for machines."""
    return el("time", at.strftime("%m/%d/%Y %H:%M:%S"), datetime=at.isoformat())
