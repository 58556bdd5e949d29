"""What the service refuses, one class a refusal, in the words and status codes of the contract."""

from __future__ import annotations

from typing import ClassVar

from tasks.engines.codes import ErrorClass


class Refusal(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str] = "BAD_REQUEST"
    status: ClassVar[int] = 400
    error_class: ClassVar[ErrorClass] = "bug"

    def __init__(self, message: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(message or (self.__doc__ or self.code).strip())
        self.retry_after_s = retry_after_s


class Unauthorised(Refusal):
    """A valid bearer token is needed."""

    code, status = "UNAUTHORIZED", 401


class KeyRequired(Refusal):
    """An Idempotency-Key of 1 to 255 visible ASCII characters is needed."""

    code, status = "IDEMPOTENCY_KEY_REQUIRED", 400


class KeyTaken(Refusal):
    """This key belongs to a run with other content."""

    code, status = "IDEMPOTENCY_KEY_REUSED", 422


class RecipeUnknown(Refusal):
    """There is no such recipe here, or it is for another portal."""

    code, status = "RECIPE_UNKNOWN", 422


class PortalUnknown(Refusal):
    """There is no such portal or account here."""

    code, status = "PORTAL_UNKNOWN", 422


class SecretsUnavailable(Refusal):
    """The credentials of this account cannot be had; the service's own log says why."""

    code, status = "SECRETS_UNAVAILABLE", 503


class NotThere(Refusal):
    """There is no such run or artifact."""

    code, status = "NOT_FOUND", 404


class NotAwaiting(Refusal):
    """The run does not wait for a commit."""

    code, status, error_class = "NOT_AWAITING_COMMIT", 409, "transient"


class FencedOut(Refusal):
    """A higher attempt was seen."""

    code, status, error_class = "FENCED", 409, "stopped"


class CommitTokenExpired(Refusal):
    """The commit came too late; nothing was submitted."""

    code, status, error_class = "COMMIT_TOKEN_EXPIRED", 410, "transient"


class CommitUnderWay(Refusal):
    """The submission is on its way: too late to cancel."""

    code, status, error_class = "COMMIT_IN_PROGRESS", 409, "unknown_outcome"


class InputUnknown(Refusal):
    """The run has not asked this."""

    code, status = "INPUT_UNKNOWN", 404


class InputAnswered(Refusal):
    """The question has been answered already."""

    code, status = "INPUT_ANSWERED", 409


class InputExpired(Refusal):
    """The answer came too late; the run has ended or gone on without it."""

    code, status = "INPUT_EXPIRED", 410


class InputInvalid(Refusal):
    """The answer does not fit the question, which stays open."""

    code, status = "INPUT_INVALID", 422


class Stopping(Refusal):
    """The service is stopping; the run was not accepted."""

    code, status, error_class = "STOPPING", 503, "transient"


class LookupUnsupported(Refusal):
    """This portal cannot be searched."""

    code, status, error_class = "LOOKUP_UNSUPPORTED", 501, "unknown_outcome"


class LookupFailed(Refusal):
    """The portal could not tell."""

    code, status, error_class = "LOOKUP_UNAVAILABLE", 503, "transient"
