"""What a call to an automation service can raise; a class is vocabulary, its docstring the sentence for the log."""

from __future__ import annotations

from typing import ClassVar

from tasks.engines.codes import ErrorClass, class_of


class EngineError(Exception):
    """The automation service could not do what was asked."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (self.__doc__ or self.code).strip())

    @property
    def error_class(self) -> ErrorClass:
        return class_of(self.code)


class ServiceUnavailable(EngineError):
    """The automation service cannot be reached, or answers with an error of its own."""

    code = "SERVICE_5XX"


class ServiceBusy(ServiceUnavailable):
    """The automation service takes no more runs now; the run was not accepted."""

    code = "RATE_LIMITED"

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotConfigured(EngineError):
    """The portal is keyed by an engine that has no key, or settings it cannot work with."""

    code = "ENGINE_NOT_CONFIGURED"


class FileRefused(EngineError):
    """A photo is more than the automation service takes."""

    code = "FILE_REFUSED"


class StreamLost(ServiceUnavailable):
    """The events of the run could not be followed any longer; the run may go on."""

    code = "STREAM_LOST"


class StreamGap(EngineError):
    """An event of the run is missing from its stream."""

    code = "STREAM_GAP"


class BadReply(EngineError):
    """The automation service answered in a way its contract does not allow."""

    code = "INTERNAL"


class Refused(EngineError):
    """The automation service refused the request: wrong token, recipe or shape."""

    code = "INTERNAL"


class KeyReused(EngineError):
    """The run key is in use for a run with other content."""

    code = "IDEMPOTENCY_KEY_REUSED"


class RunUnknown(EngineError):
    """The automation service does not know this run (any more)."""

    code = "INTERNAL"


class NotAwaitingCommit(EngineError):
    """The run does not wait at the commit gate; alone this is no proof that nothing was sent."""

    code = "COMMIT_NOT_AUTHORIZED"


class GrantExpired(NotAwaitingCommit):
    """The grant came too late; the run ends and nothing was submitted."""


class Fenced(EngineError):
    """A higher attempt has taken this run over."""

    code = "FENCED"


class AlreadySubmitted(EngineError):
    """The portal has a submission under this reference already; the gate stays closed."""

    code = "DUPLICATE_REFERENCE"


class SubmittedElsewhere(EngineError):
    """Another run of the same key has been let through its gate; this one's stays closed."""

    code = "SUBMIT_OUTCOME_UNKNOWN"


class GateBusy(EngineError):
    """The automation service is too busy to open the gate; it stays closed."""

    code = "RATE_LIMITED"


class GateShut(EngineError):
    """The gate was told to open and did not; the run goes on waiting at it."""

    code = "SERVICE_5XX"


class CannotTell(EngineError):
    """The portal could not be asked before the gate was to be opened; it stays closed."""

    code = "PORTAL_UNREACHABLE"


class CommitInProgress(EngineError):
    """Too late to cancel: the submission is on its way."""

    code = "SUBMIT_OUTCOME_UNKNOWN"


class InputGone(EngineError):
    """The question is unknown, answered already or expired."""

    code = "INTERNAL"


class InputRefused(EngineError):
    """The answer does not fit the question, which stays open."""

    code = "INTERNAL"


class LookupUnsupported(EngineError):
    """This portal cannot be searched by our reference."""

    code = "LOOKUP_UNSUPPORTED"


class ArtifactGone(EngineError):
    """There is no such artifact (any more)."""

    code = "INTERNAL"
