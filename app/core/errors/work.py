"""Problems of what people do with jobs, portals, questions and defects."""

from __future__ import annotations

from app.core.errors.problem import Problem


class JobUnknown(Problem):
    """There is no such job for this caller.

    A job of others answers as if there were none.
    """

    code, status, retry = "job-unknown", 404, "never"


class PortalUnknown(Problem):
    """There is no such portal for this caller.

    A portal of others answers as if there were none.
    """

    code, status, retry = "portal-unknown", 404, "never"


class InputUnknown(Problem):
    """This job does not ask that.

    Its questions are at `GET /api/jobs/{id}/inputs`.
    """

    code, status, retry = "input-unknown", 404, "never"


class DefectUnknown(Problem):
    """There is no such defect for this caller.

    A defect of others answers as if there were none.
    """

    code, status, retry = "defect-unknown", 404, "never"


class JobNotRetryable(Problem):
    """The job is in a state that cannot be retried.

    It runs, or is completed; the answer says in which state the job is.
    """

    code, status, retry = "job-not-retryable", 409, "never"


class JobNotCompleted(Problem):
    """Only a completed job can be run again.

    It is not completed, or the portal has given it another number since; look at the job.
    """

    code, status, retry = "job-not-completed", 409, "never"


class JobNotCancellable(Problem):
    """The job is in a state that cannot be cancelled.

    It has ended already.
    """

    code, status, retry = "job-not-cancellable", 409, "never"


class JobNotHoldable(Problem):
    """The job is in a state that cannot be put on hold.

    It runs, or has ended.
    """

    code, status, retry = "job-not-holdable", 409, "never"


class JobNotOnHold(Problem):
    """The job is not on hold.

    There is nothing to release.
    """

    code, status, retry = "job-not-on-hold", 409, "never"


class OutcomeNotAsked(Problem):
    """The job does not wait for word on its outcome.

    Only a job whose outcome could not be proven takes a person's word for it.
    """

    code, status, retry = "outcome-not-asked", 409, "never"


class ConfirmationMissing(Problem):
    """The confirmation number of the portal is needed.

    A record that the portal has is settled by the portal's own number.
    """

    code, status, retry = "confirmation-missing", 422, "fix"


class DefectNotOpen(Problem):
    """The defect is waived or fixed already.

    Somebody waived it, or a revision mended it. The record shows who, and why.
    """

    code, status, retry = "defect-not-open", 409, "never"


class BlockerOpen(Problem):
    """A blocker is open.

    Nobody approves a record while a blocker stands: it is waived or mended first.
    """

    code, status, retry = "blocker-open", 409, "never"


class ReasonMissing(Problem):
    """A reason is needed.

    Whoever lets a defect stand, or sends a record back, says why; it is kept with the record.
    """

    code, status, retry = "reason-missing", 422, "fix"


class InputAnswered(Problem):
    """Somebody has answered already.

    The first answer counts.
    """

    code, status, retry = "input-answered", 409, "never"


class InputExpired(Problem):
    """The time for an answer is over.

    The portal's page is gone. The job asks again if it still needs to know.
    """

    code, status, retry = "input-expired", 410, "never"


class SelectionGrown(Problem):
    """More records match by now than the act was meant for.

    Nothing was done. Count again, look at what came, and ask with the new number.
    """

    code, status, retry = "selection-grown", 409, "fix"


class ExportTooLarge(Problem):
    """More matches than goes into one file.

    Narrow the filter, for example by time, and take several files; `limits` says how much goes into one.
    """

    code, status, retry = "export-too-large", 422, "fix"
