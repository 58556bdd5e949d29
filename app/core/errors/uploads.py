"""Problems of an upload that goes on where it was cut."""

from __future__ import annotations

from typing import Any

from app.core.errors.problem import Problem


class InconsistentLength(Problem):
    """The upload cannot have this length.

    Two requests, or two headers of one, tell different lengths, or more bytes came than were announced.
    """

    code, status, retry = "inconsistent-upload-length", 400, "never"


class CompletedUpload(Problem):
    """The upload is complete: nothing can be added.

    Ask for its state: it may have become a photo already.
    """

    code, status, retry = "completed-upload", 400, "never"


class UploadUnknown(Problem):
    """There is no such upload for this device.

    It was given up, or never begun; an upload of another device answers as if there were none. Begin a new one.
    """

    code, status, retry = "upload-unknown", 404, "fix"


class OffsetConflict(Problem):
    """The upload stands at another offset.

    Ask for the offset, and send the bytes that follow it. Nothing was changed.
    """

    code, status, retry = "offset-conflict", 409, "same"

    def __init__(self, detail: str = "", *, expected: int = 0, provided: int = 0, **more: Any) -> None:
        super().__init__(detail or f"the upload stands at {expected}, not at {provided}", **more)
        self.expected = expected
        self.provided = provided


class UploadExpired(Problem):
    """The upload was not finished in time; start a new one.

    Its bytes are thrown away; begin a new one.
    """

    code, status, retry = "upload-expired", 410, "same"


class TusVersionUnsupported(Problem):
    """This version of tus is not spoken here.

    The header Tus-Version lists what is spoken.
    """

    code, status, retry = "tus-version-unsupported", 412, "never"


class UploadTaken(Problem):
    """Another request has this upload.

    A newer request goes on with it, or an older one has not given way yet. Ask for the offset, then go on.
    """

    code, status, retry = "upload-taken", 423, "same"
