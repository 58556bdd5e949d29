"""The shape of a recipe: what is keyed where, in declarative steps. Loading and checking are `recipe_file`'s business."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tasks.engines.codes import ErrorClass
from tasks.runner.target import Guard, Page, Target

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
    def secret(self) -> bool:
        """Whether the answer proves who somebody is, so that nothing may keep it."""
        return self.kind in {"otp", "captcha"}

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
    """What proves that the portal saved the step; `as` keeps the text of `at`, which must match `matches`."""

    url: str | None = None
    at: Target | None = None
    as_: str | None = msgspec.field(name="as", default=None)
    matches: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.at is None):
            raise ValueError("done needs exactly one of url, at")
        try:
            re.compile(self.matches or "")
        except re.error as exc:
            raise ValueError(f"matches is no pattern: {exc}") from exc

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

    @property
    def first_target(self) -> Target | None:
        """What the first action that names something on the page names."""
        return next((at for action in self.actions if isinstance(at := getattr(action, "at", None), Target)), None)


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to key a record into one portal."""

    recipe: str
    version: int
    portal: str
    steps: tuple[Step, ...]
    lookup: LookupRule | Literal["none"]
    needs: Literal["any", "browser"] = "any"
    """`browser` for a portal whose pages are made by scripts: without Chromium its runs end as BROWSER_NEEDED."""
    dialogs: Literal["fail", "accept", "dismiss"] = "fail"
    """What happens to an alert or a confirm of the page's own; `fail` ends the run with its text."""
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
