"""The error contract: one exception class a problem, and what each tells a phone to do next.

A class is vocabulary: its `code`, `status` and `retry` are stable, its docstring is the title on the wire (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

Retry = Literal["never", "same", "after", "fix"]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One finding inside a refused document; `pointer` is a JSON Pointer."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "same"

    def __init__(
        self,
        detail: str = "",
        *,
        pointer: str | None = None,
        limits: Mapping[str, int] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.limits = limits
        self.retry_after_s = retry_after_s
        self.of_content = False
        """All bytes of a resumable upload came, and it is they that are refused."""
        self.errors = [] if pointer is None else [FieldError(pointer=pointer, code=self.code, message=self.detail)]

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or cls.code).strip().splitlines()[0]


class MalformedRequest(Problem):
    """The request cannot be read."""

    code, status, retry = "malformed-request", 400, "never"


class InconsistentLength(Problem):
    """The upload cannot have this length."""

    code, status, retry = "inconsistent-upload-length", 400, "never"


class CompletedUpload(Problem):
    """The upload is complete: nothing can be added."""

    code, status, retry = "completed-upload", 400, "never"


class DigestMismatch(Problem):
    """The bytes were damaged on the way."""

    code, status, retry = "digest-mismatch", 400, "same"


class Unauthorised(Problem):
    """A valid token or session is needed."""

    code, status, retry = "unauthorised", 401, "fix"


class Forbidden(Problem):
    """This token or role may not do that."""

    code, status, retry = "forbidden", 403, "fix"


class NotFound(Problem):
    """There is nothing at this address."""

    code, status, retry = "not-found", 404, "never"


class ProjectUnknown(Problem):
    """There is no such project for this token."""

    code, status, retry = "project-unknown", 404, "fix"


class FormUnknown(Problem):
    """There is no such form version."""

    code, status, retry = "form-unknown", 404, "fix"


class RecordUnknown(Problem):
    """There is no such record for this caller."""

    code, status, retry = "record-unknown", 404, "fix"


class RecordNotYet(Problem):
    """Send the record before its photos."""

    code, status, retry = "record-unknown", 404, "after"


class UploadUnknown(Problem):
    """There is no such upload for this device."""

    code, status, retry = "upload-unknown", 404, "fix"


class JobUnknown(Problem):
    """There is no such job for this caller."""

    code, status, retry = "job-unknown", 404, "never"


class PortalUnknown(Problem):
    """There is no such portal for this caller."""

    code, status, retry = "portal-unknown", 404, "never"


class InputUnknown(Problem):
    """This job does not ask that."""

    code, status, retry = "input-unknown", 404, "never"


class MethodNotAllowed(Problem):
    """This address does not know that method."""

    code, status, retry = "method-not-allowed", 405, "never"


class IdleTimeout(Problem):
    """The body stopped arriving."""

    code, status, retry = "idle-timeout", 408, "same"


class RecordConflict(Problem):
    """Another content is stored under this record id."""

    code, status, retry = "record-conflict", 409, "never"


class RecordLocked(Problem):
    """The record is being keyed into the portal right now."""

    code, status, retry = "record-locked", 409, "after"


class RecordSubmitted(Problem):
    """The portal has this record already."""

    code, status, retry = "record-submitted", 409, "never"


class PhotoConflict(Problem):
    """Other bytes are stored under this photo name."""

    code, status, retry = "photo-conflict", 409, "never"


class OffsetConflict(Problem):
    """The upload stands at another offset."""

    code, status, retry = "offset-conflict", 409, "same"

    def __init__(self, detail: str = "", *, expected: int = 0, provided: int = 0, **more: Any) -> None:
        super().__init__(detail or f"the upload stands at {expected}, not at {provided}", **more)
        self.expected = expected
        self.provided = provided


class InProgress(Problem):
    """The same record is being stored right now."""

    code, status, retry = "in-progress", 409, "after"


class FormClosed(Problem):
    """This form takes no more records."""

    code, status, retry = "form-closed", 409, "fix"


class JobNotRetryable(Problem):
    """The job is in a state that cannot be retried."""

    code, status, retry = "job-not-retryable", 409, "never"


class JobNotCancellable(Problem):
    """The job is in a state that cannot be cancelled."""

    code, status, retry = "job-not-cancellable", 409, "never"


class OutcomeNotAsked(Problem):
    """The job does not wait for word on its outcome."""

    code, status, retry = "outcome-not-asked", 409, "never"


class ConfirmationMissing(Problem):
    """The confirmation number of the portal is needed."""

    code, status, retry = "confirmation-missing", 422, "fix"


class JobNotHoldable(Problem):
    """The job is in a state that cannot be put on hold."""

    code, status, retry = "job-not-holdable", 409, "never"


class JobNotOnHold(Problem):
    """The job is not on hold."""

    code, status, retry = "job-not-on-hold", 409, "never"


class DefectUnknown(Problem):
    """There is no such defect for this caller."""

    code, status, retry = "defect-unknown", 404, "never"


class DefectNotOpen(Problem):
    """The defect is waived or fixed already."""

    code, status, retry = "defect-not-open", 409, "never"


class ReasonMissing(Problem):
    """A reason is needed."""

    code, status, retry = "reason-missing", 422, "fix"


class InputAnswered(Problem):
    """Somebody has answered already."""

    code, status, retry = "input-answered", 409, "never"


class InputExpired(Problem):
    """The time for an answer is over."""

    code, status, retry = "input-expired", 410, "never"


class UploadExpired(Problem):
    """The upload was not finished in time; start a new one."""

    code, status, retry = "upload-expired", 410, "same"


class TusVersionUnsupported(Problem):
    """This version of tus is not spoken here."""

    code, status, retry = "tus-version-unsupported", 412, "never"


class StaleRevision(Problem):
    """The record has another revision than the one that was to be corrected."""

    code, status, retry = "stale-revision", 412, "fix"


class TooLarge(Problem):
    """The request is larger than allowed."""

    code, status, retry = "too-large", 413, "never"


class UnsupportedMedia(Problem):
    """The content type, or the content, is not of an allowed kind."""

    code, status, retry = "unsupported-media", 415, "never"


class UploadTaken(Problem):
    """Another request has this upload."""

    code, status, retry = "upload-taken", 423, "same"


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key was sent with another content before."""

    code, status, retry = "idempotency-key-reused", 422, "never"


class TooManyRequests(Problem):
    """Too many requests."""

    code, status, retry = "too-many-requests", 429, "after"


class DatabaseUnavailable(Problem):
    """The database cannot be reached; nothing was stored."""

    code, status, retry = "database-unavailable", 503, "after"


class AnswersCannotBeKept(Problem):
    """Answers cannot be kept safe here: an operator has to set ASBUILT_SECRET_KEY."""

    code, status, retry = "no-secret-key", 503, "fix"


class StorageUnavailable(Problem):
    """Photos cannot be stored or read just now."""

    code, status, retry = "storage-unavailable", 503, "after"


class Overloaded(Problem):
    """This process answers as many requests as it can."""

    code, status, retry = "overloaded", 503, "after"


class StreamsFull(Problem):
    """This process serves as many live streams as it can."""

    code, status, retry = "streams-full", 503, "after"


class StorageFull(Problem):
    """There is no room for more photos; nothing was stored."""

    code, status, retry = "storage-full", 507, "after"
