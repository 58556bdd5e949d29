"""The portal's tables: rows and statements, nothing that decides."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

import msgspec

import sql

_q = sql.load("demo_portal")
_harbor = sql.load("harbor")


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """A password is kept as a salted hash."""

    name: str
    salt: bytes
    hash: bytes
    locked_at: datetime | None


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A live session after this request was counted."""

    account: str
    requests: int
    awaiting: list[str]


class SignInRow(msgspec.Struct, frozen=True, kw_only=True):
    """The how-manieth sign-in of the account this is."""

    number: int


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code on the phone, or the word of a picture."""

    account: str
    kind: str
    body: str
    sent_at: datetime
    used_at: datetime | None


class WrongRow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a wrong answer was the last one allowed."""

    gone: bool


class QuirksRow(msgspec.Struct, frozen=True, kw_only=True):
    """The switches as stored."""

    preset: str
    switches: dict[str, object]


class DraftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A draft: what was keyed so far, which pages were saved without errors, and the errors of the last save."""

    id: int
    account: str
    keyed: dict[str, str]
    saved: list[str]
    findings: list[dict[str, str]]
    created_at: datetime
    changed_at: datetime
    submitted_at: datetime | None

    @property
    def number(self) -> str:
        """`D00001`, as in its address."""
        return f"D{self.id:05d}"

    @property
    def reference(self) -> str:
        """Empty until the job page is keyed."""
        return self.keyed.get("reference", "")

    @property
    def asset_type(self) -> str:
        """Empty until the job page is keyed."""
        return self.keyed.get("asset_type", "")


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A photo without its bytes."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    taken_at: str | None


class PictureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rendition, JPEG."""

    body: bytes


class SubmissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An as-built the utility has accepted, frozen as it was keyed."""

    confirmation: str
    reference: str
    draft: int
    account: str
    keyed: dict[str, str]
    photos: int
    fence: int | None
    submitted_at: datetime


class TotalsRow(msgspec.Struct, frozen=True, kw_only=True):
    """`duplicated` counts references with more than one submission."""

    submissions: int
    references: int
    duplicated: int


class ReferenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often one reference was submitted at one portal."""

    portal: str
    reference: str
    submissions: int
    last_at: datetime
    confirmations: list[str]


class ReceivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A submission at either portal."""

    portal: str
    confirmation: str
    reference: str
    photos: int
    fence: int | None
    submitted_at: datetime


put_account = _q.exec("put_account")
get_account = _q.opt("get_account", AccountRow)
count_sign_in = _q.one("count_sign_in", SignInRow)
count_failure = _q.exec("count_failure")
unlock_accounts = _q.exec("unlock_accounts")
open_session = _q.exec("open_session")
visit_session = _q.opt("visit_session", SessionRow)
send_message = _q.exec("send_message")
last_message = _q.opt("last_message", MessageRow)
list_messages = _q.many("list_messages", MessageRow)
answer_right = _q.exec("answer_right")
answer_wrong = _q.one("answer_wrong", WrongRow)
close_session = _q.exec("close_session")
get_quirks = _q.opt("get_quirks", QuirksRow)
put_quirks = _q.exec("put_quirks")
make_draft = _q.one("make_draft", DraftRow)
get_draft = _q.opt("get_draft", DraftRow)
list_drafts = _q.many("list_drafts", DraftRow)
save_page = _q.exec("save_page")
put_findings = _q.exec("put_findings")
put_upload = _q.opt("put_upload", UploadRow)
list_uploads = _q.many("list_uploads", UploadRow)
get_picture = _q.opt("get_picture", PictureRow)
lock_reference = _q.exec("lock_reference")
add_submission = _q.one("add_submission", SubmissionRow)
find_submissions = _q.many("find_submissions", SubmissionRow)
submissions_of_draft = _q.many("submissions_of_draft", SubmissionRow)
get_submission = _q.opt("get_submission", SubmissionRow)
list_submissions = _q.many("list_submissions", SubmissionRow)
count_submissions = _q.one("count_submissions", TotalsRow)
received_of = _q.many("received_of", ReceivedRow)
received_lately = _q.many("received_lately", ReceivedRow)
count_references = _q.many("count_references", ReferenceRow)
put_harbor_account = _harbor.exec("put_harbor_account")
get_harbor_quirks = _harbor.opt("get_harbor_quirks", QuirksRow)
put_harbor_quirks = _harbor.exec("put_harbor_quirks")
unlock_harbor_accounts = _harbor.exec("unlock_harbor_accounts")


async def prepare(conn: sql.Connection) -> None:
    """Make the portal's schema where it is missing; harmless where it is there."""
    script = (files("sql") / "demo_portal" / "schema.sql").read_bytes()
    async with conn.transaction():
        await lock_reference(conn, reference="schema")
        await conn.execute(script)
