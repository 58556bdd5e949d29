"""Problems of a record, its form and its photos."""

from __future__ import annotations

from app.core.errors.problem import Problem


class DigestMismatch(Problem):
    """The bytes were damaged on the way.

    The SHA-256 that was declared is not that of the bytes that arrived. Nothing was stored. In tus its status is
    460.
    """

    code, status, retry = "digest-mismatch", 400, "same"


class ProjectUnknown(Problem):
    """There is no such project for this token.

    A project of others answers as if there were none.
    """

    code, status, retry = "project-unknown", 404, "fix"


class FormUnknown(Problem):
    """There is no such form version.

    `GET /api/mobile/forms` lists the forms and versions that are open.
    """

    code, status, retry = "form-unknown", 404, "fix"


class RecordUnknown(Problem):
    """There is no such record for this caller.

    A record of others answers as if there were none. A photo before its record is told to come again after it.
    """

    code, status, retry = "record-unknown", 404, "fix"


class RecordNotYet(Problem):
    """Send the record before its photos."""

    code, status, retry = "record-unknown", 404, "after"


class RecordConflict(Problem):
    """Another content is stored under this record id.

    The id is taken by a record with other content; a correction needs the header If-Match.
    """

    code, status, retry = "record-conflict", 409, "never"


class RecordLocked(Problem):
    """The record is being keyed into the portal right now.

    A correction waits until its run is over, which takes minutes; then the run has ended or the portal has it.
    """

    code, status, retry = "record-locked", 409, "after"


class RecordSubmitted(Problem):
    """The portal has this record already.

    What has been submitted is put right at the portal, by a person.
    """

    code, status, retry = "record-submitted", 409, "never"


class RevisionUnknown(Problem):
    """The record has no such revision.

    `GET /api/records/{id}/revisions` lists them.
    """

    code, status, retry = "revision-unknown", 404, "never"


class StaleRevision(Problem):
    """The record has changed since it was looked at.

    Read it again, look at what changed, and send what is still right with its new revision or version.
    """

    code, status, retry = "stale-revision", 412, "fix"


class PhotoConflict(Problem):
    """Other bytes are stored under this photo name.

    The record has other bytes under this name already, or the name was sent twice.
    """

    code, status, retry = "photo-conflict", 409, "never"


class InProgress(Problem):
    """The same record is being stored right now.

    Its answer is a second away; the repeat gets it as a replay.
    """

    code, status, retry = "in-progress", 409, "after"


class FormClosed(Problem):
    """This form takes no more records.

    The project or the form takes no new records. What is stored already can still be sent again.
    """

    code, status, retry = "form-closed", 409, "fix"


class IdempotencyKeyReused(Problem):
    """This Idempotency-Key was sent with another content before.

    A key names one content of a device for seven days; each new record gets a new key.
    """

    code, status, retry = "idempotency-key-reused", 422, "never"
