"""All problems as people read them: a page for each `type` URI, and the table of `docs/errors.md`.

`python -m app.core.catalogue docs/errors.md` writes the table anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from app.core import errors
from app.core.errors import Problem, Retry

BEGIN, END = "<!-- table -->", "<!-- end of table -->"

ADVICE: Final[Mapping[Retry, str]] = MappingProxyType(
    {
        "never": "The same request will be refused again: stop, and show the answer.",
        "same": "Send the identical request again.",
        "after": "Send the identical request again after the seconds in the header Retry-After.",
        "fix": "A person has to put something right first; then send it again.",
    }
)
"""What a client does next, by the member `retry`."""

NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "internal": "A fault of ours. The answer's `instance` names the request in our log.",
        "malformed-request": "JSON, multipart, a header or a parameter breaks its rules; `errors` says where, if it is known.",
        "inconsistent-upload-length": "Two requests, or two headers of one, tell different lengths, or more bytes came than were announced.",
        "completed-upload": "Ask for its state: it may have become a photo already.",
        "digest-mismatch": "The SHA-256 that was declared is not that of the bytes that arrived. Nothing was stored. In tus its status is 460.",
        "unauthorised": "The token or session is missing, misspelt, expired or revoked; the answer is the same for each.",
        "forbidden": "The token lacks a scope, the person lacks a role, or another site's page sent the request.",
        "not-found": "What the caller may not see answers as if there were nothing.",
        "project-unknown": "A project of others answers as if there were none.",
        "form-unknown": "`GET /api/mobile/forms` lists the forms and versions that are open.",
        "record-unknown": "A record of others answers as if there were none. A photo before its record is told to come again after it.",
        "upload-unknown": "It was given up, or never begun; an upload of another device answers as if there were none. Begin a new one.",
        "job-unknown": "A job of others answers as if there were none.",
        "portal-unknown": "A portal of others answers as if there were none.",
        "input-unknown": "Its questions are at `GET /api/jobs/{id}/inputs`.",
        "method-not-allowed": "The header Allow lists the methods of this address.",
        "idle-timeout": "Too few bytes of the body arrived for too long, or the line was cut. What had arrived was thrown away, unless the upload is a resumable one.",
        "record-conflict": "The id is taken by a record with other content; a correction needs the header If-Match.",
        "record-locked": "A correction waits until its run is over, which takes minutes; then the run has ended or the portal has it.",
        "record-submitted": "What has been submitted is put right at the portal, by a person.",
        "stale-revision": "Read the receipt, look at what changed, and correct that revision.",
        "photo-conflict": "The record has other bytes under this name already, or the name was sent twice.",
        "offset-conflict": "Ask for the offset, and send the bytes that follow it. Nothing was changed.",
        "in-progress": "Its answer is a second away; the repeat gets it as a replay.",
        "form-closed": "The project or the form takes no new records. What is stored already can still be sent again.",
        "job-not-retryable": "It runs, or is completed; the answer says in which state the job is.",
        "job-not-cancellable": "It has ended already.",
        "outcome-not-asked": "Only a job whose outcome could not be proven takes a person's word for it.",
        "confirmation-missing": "A record that the portal has is settled by the portal's own number.",
        "job-not-holdable": "It runs, or has ended.",
        "job-not-on-hold": "There is nothing to release.",
        "defect-unknown": "A defect of others answers as if there were none.",
        "defect-not-open": "Somebody waived it, or a revision mended it. The record shows who, and why.",
        "reason-missing": "Whoever lets a defect stand says why; it is kept with the record.",
        "input-answered": "The first answer counts.",
        "input-expired": "The portal's page is gone. The job asks again if it still needs to know.",
        "upload-expired": "Its bytes are thrown away; begin a new one.",
        "tus-version-unsupported": "The header Tus-Version lists what is spoken.",
        "too-large": "`limits` says how much is allowed. The limits of uploads are at `GET /api/mobile/limits`.",
        "unsupported-media": "Wrong Content-Type, a Content-Encoding, or bytes of no kind that this slot takes.",
        "upload-taken": "A newer request goes on with it, or an older one has not given way yet. Ask for the offset, then go on.",
        "idempotency-key-reused": "A key names one content of a device for seven days; each new record gets a new key.",
        "too-many-requests": "A limit for each device, person or address was reached.",
        "database-unavailable": "The same request goes through later.",
        "no-secret-key": "`asbuilt secret-key` makes one.",
        "overloaded": "Nothing was read of the request. Other processes of this installation may have room.",
        "streams-full": "Read the state by `GET` meanwhile.",
        "storage-unavailable": "The place where photos are kept does not answer, or the server was held up; nothing was stored.",
        "storage-full": "The disk is near its end; an operator is needed, the phone only has to come again.",
    }
)
"""One or two sentences a problem, for whoever meets it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as it is explained; `retries` are the words it may come with."""

    code: str
    status: int
    title: str
    retries: tuple[Retry, ...]
    note: str


def entries() -> list[Entry]:
    """Every problem by status and code. Raises `KeyError` for one that `NOTES` does not explain."""
    found: dict[str, list[type[Problem]]] = {}
    for kind in kinds():
        found.setdefault(kind.code, []).append(kind)
    listed = [
        Entry(
            code=code,
            status=variants[0].status,
            title=variants[0].title(),
            retries=tuple(dict.fromkeys(kind.retry for kind in variants)),
            note=NOTES[code],
        )
        for code, variants in found.items()
    ]
    return sorted(listed, key=lambda entry: (entry.status, entry.code))


def table() -> str:
    """The problems as a table in Markdown."""
    rows = [
        f"| `{each.code}` | {each.status} | {' · '.join(each.retries)} | {each.title} {each.note} |"
        for each in entries()
    ]
    return "\n".join(["| code | status | retry | what it means |", "|---|---|---|---|", *rows])


def with_table(page: str) -> str:
    """The page with its table as it should be. Raises `ValueError` for a page without the two marks."""
    before, _ = page.split(BEGIN)
    _, after = page.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def kinds() -> Iterable[type[Problem]]:
    """Every class of problem."""
    here = vars(errors).values()
    return [kind for kind in here if isinstance(kind, type) and issubclass(kind, Problem)]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(with_table(target.read_text(encoding="utf-8")), encoding="utf-8")
