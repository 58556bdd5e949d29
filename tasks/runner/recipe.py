"""The shape of a recipe: what is keyed where, in declarative steps. Loading and checking are `recipe_file`'s business."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tasks.engines.codes import ErrorClass


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something on a page, named in exactly one way; `any` lists ways in order, a later one that hits is drift."""

    label: str | None = None
    role: Literal["button", "link", "heading"] | None = None
    name: str | None = None
    testid: str | None = None
    text: str | None = None
    css: str | None = None
    any: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        ways = [self.label, self.role, self.testid, self.text, self.css, self.any or None]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a target needs exactly one of label, role, testid, text, css, any")
        if (self.role is None) != (self.name is None):
            raise ValueError("role and name go together")

    @property
    def ways(self) -> tuple[Target, ...]:
        return self.any or (self,)

    def describe(self) -> str:
        """A person's words for it."""
        first = self.ways[0]
        if first.role is not None:
            return f"{first.role} “{first.name}”"
        return first.label or first.text or first.testid or first.css or "?"


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on the page at hand: exactly one of url, status (`503`, `"500-599"`), css and at.

    `text` narrows `css` to elements that hold it; on its own it would match what the record itself says.
    """

    url: str | None = None
    status: int | str | None = None
    css: str | None = None
    text: str | None = None
    at: Target | None = None

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.url, self.status, self.css, self.at)) != 1:
            raise ValueError("a page condition needs exactly one of url, status, css, at")
        if self.text is not None and self.css is None:
            raise ValueError("text needs a css beside it")

    def has_status(self, status: int | None) -> bool:
        """Whether an HTTP status is this one, or in this range."""
        if status is None or self.status is None:
            return False
        if isinstance(self.status, int):
            return status == self.status
        low, _, high = self.status.partition("-")
        return int(low) <= status <= int(high or low)


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an action is for this record: a value is present, or equals, or is one of some."""

    present: str | None = None
    value: str | None = None
    equals: str | None = None
    one_of: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        compares = (self.equals is not None) + (self.one_of is not None)
        if (self.present is not None) + compares != 1 or (self.value is not None) != bool(compares):
            raise ValueError("a guard is {present} or {value, equals} or {value, one_of}")


AskKind = Literal["otp", "captcha", "approval", "choice", "fix"]


class _Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """What every action may carry; `timeout` in seconds, `label` the dashboard's sentence."""

    label: str | None = None
    timeout: float | None = None
    optional: bool = False
    when: Guard | None = None


class Goto(_Common, frozen=True, kw_only=True, tag="goto"):
    url: str


class Fill(_Common, frozen=True, kw_only=True, tag="fill"):
    at: Target
    value: str
    sensitive: bool = False


class Select(_Common, frozen=True, kw_only=True, tag="select"):
    at: Target
    value: str


class Check(_Common, frozen=True, kw_only=True, tag="check"):
    at: Target


class Click(_Common, frozen=True, kw_only=True, tag="click"):
    at: Target


class Press(_Common, frozen=True, kw_only=True, tag="press"):
    at: Target
    key: str


class Upload(_Common, frozen=True, kw_only=True, tag="upload"):
    """All photos of the record, one after the other; `each_done` is the CSS of what shows that `{name}` has arrived."""

    at: Target
    each_done: str
    skip_existing: bool = True


class Expect(_Common, frozen=True, kw_only=True, tag="expect"):
    page: Page


class Extract(_Common, frozen=True, kw_only=True, tag="extract"):
    """Keep a part of the URL (`from = "url"`) or of an element's text as `{{out.<as>}}`; `pattern` has one group."""

    as_: str = msgspec.field(name="as")
    pattern: str
    from_: Literal["url"] | Target = msgspec.field(name="from", default="url")


class Wait(_Common, frozen=True, kw_only=True, tag="wait"):
    """Let the page rest for so many seconds, for a portal that shows nothing to wait for."""

    seconds: float


class Dismiss(_Common, frozen=True, kw_only=True, tag="dismiss"):
    """Click something away that may be there, a notice or a banner; when it is not there nothing is waited for."""

    at: Target


class AskField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer and where it is typed; a choice without `options` offers those of the portal's own list."""

    key: str
    label: str
    at: Target
    type: Literal["text", "choice"] = "text"
    options: tuple[str, ...] = ()


class Ask(_Common, frozen=True, kw_only=True, tag="ask"):
    """A question for a person: `fill` names the one field of the answer, `fields` several; `submit` sends it off.

    Without fields the answer is a mere yes (`kind = "approval"`). `timeout` is the time the person has, in seconds.
    """

    kind: AskKind
    prompt: str = ""
    fill: Target | None = None
    fields: tuple[AskField, ...] = ()
    submit: Target | None = None

    def __post_init__(self) -> None:
        if self.fill is not None and self.fields:
            raise ValueError("a question has fill or fields, not both")
        if self.fill is None and not self.fields and self.kind != "approval":
            raise ValueError("a question needs fill or fields")

    @property
    def blanks(self) -> tuple[AskField, ...]:
        """What the person is to fill in; the one field of `fill` has the key `answer`."""
        if self.fill is None:
            return self.fields
        return (AskField(key="answer", label=self.fill.describe(), at=self.fill),)

    @property
    def sentence(self) -> str:
        """What the person reads."""
        return self.prompt or _PROMPTS[self.kind]


class Note(_Common, frozen=True, kw_only=True, tag="note"):
    text: str


Action = Goto | Fill | Select | Check | Click | Press | Upload | Expect | Extract | Wait | Dismiss | Ask | Note


class Collect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The portal's messages: each element's text, and its attribute (`@data-field`) as the field it is about."""

    css: str
    field: str | None = None


class Detector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page that means trouble; raced against every wait, the first match wins. Own codes carry their `class`."""

    code: str
    when: Page
    error_class: ErrorClass | None = msgspec.field(name="class", default=None)
    collect: Collect | None = None
    ask: Ask | None = None
    """What a person can do about it: answered, the run goes on where it stood."""


class FoundRule(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows that it is there, and where its number stands."""

    number: Target


class LookupRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to ask the portal for a submission by our reference; `forms` needs no browser for it."""

    actions: tuple[Action, ...]
    found: FoundRule
    absent: Target
    index_lag_s: float = 30.0
    via: Literal["forms", "driver"] = "driver"


class CommitRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one irreversible request, held at the gate and sent once."""

    url: str
    method: str = "POST"
    via: Literal["gate"] = "gate"


class Verify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read back before committing: what the portal shows must equal the record."""

    at: Target
    equals: str
    when: Guard | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What proves that the portal saved the step; `as_` keeps the text of `at`, which must match `matches`."""

    url: str | None = None
    at: Target | None = None
    as_: str | None = msgspec.field(name="as", default=None)
    matches: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.at is None):
            raise ValueError("done needs exactly one of url, at")
        if self.matches is not None:
            re.compile(self.matches)

    @property
    def page(self) -> Page:
        """The same as a condition."""
        return Page(url=self.url) if self.url is not None else Page(at=self.at)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the portal, saved: the unit of checkpoint. `open` is where a later attempt enters it."""

    id: str
    label: str
    actions: tuple[Action, ...]
    done: Done
    session: bool = False
    skip_if: Target | None = None
    open: str | None = None
    commits: CommitRule | None = None
    verify: tuple[Verify, ...] = ()
    frame: Literal["keyed", "done"] = "done"
    """The screenshot shows the page as keyed, just before its last click, or what came after it."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to key a record into one portal."""

    recipe: str
    version: int
    portal: str
    steps: tuple[Step, ...]
    lookup: LookupRule | Literal["none"]
    dialogs: Literal["fail", "accept", "dismiss"] = "fail"
    detect: tuple[Detector, ...] = ()
    maps: dict[str, dict[str, str]] = {}


def describe(action: Action) -> str:
    """The dashboard's sentence for an action."""
    if action.label is not None:
        return action.label
    match action:
        case Fill() | Select() | Check() | Click() | Press() | Dismiss():
            return f"{_VERBS[type(action)]} {action.at.describe()}"
        case Upload() | Expect():
            return _VERBS[type(action)]
        case _:
            return _sentence(action)


def _sentence(action: Goto | Extract | Wait | Ask | Note) -> str:
    match action:
        case Goto():
            return f"Open {action.url.split('?')[0]}"
        case Extract():
            return f"Read {action.as_}"
        case Wait():
            return f"Wait for {action.seconds:g} s"
        case Ask():
            return action.sentence
        case Note():
            return action.text


_VERBS: dict[type[Action], str] = {
    Fill: "Fill",
    Select: "Choose",
    Check: "Tick",
    Click: "Click",
    Press: "Press a key in",
    Dismiss: "Dismiss",
    Upload: "Upload photos",
    Expect: "Wait for the page",
}

_PROMPTS: dict[AskKind, str] = {
    "otp": "The portal asks for a one-time code",
    "captcha": "The portal asks to prove that a person is there",
    "approval": "The portal's page is to be approved",
    "choice": "The portal asks to choose",
    "fix": "The portal asks for a correction",
}
