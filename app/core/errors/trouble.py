"""Problems of ours: something is down, full or not set up."""

from __future__ import annotations

from app.core.errors.problem import Problem


class DatabaseUnavailable(Problem):
    """The database cannot be reached, or has no room; nothing was stored.

    The same request goes through later.
    """

    code, status, retry = "database-unavailable", 503, "after"


class AnswersCannotBeKept(Problem):
    """Answers cannot be kept safe here: an operator has to set ASBUILT_SECRET_KEY.

    `asbuilt secret-key` makes one.
    """

    code, status, retry = "no-secret-key", 503, "fix"


class StorageUnavailable(Problem):
    """Photos cannot be stored or read just now.

    The place where photos are kept does not answer, or the server was held up; nothing was stored.
    """

    code, status, retry = "storage-unavailable", 503, "after"


class StorageFull(Problem):
    """There is no room for more photos; nothing was stored.

    The disk is near its end; an operator is needed, the phone only has to come again.
    """

    code, status, retry = "storage-full", 507, "after"


class Overloaded(Problem):
    """This process answers as many requests as it can.

    Nothing was read of the request. Other processes of this installation may have room.
    """

    code, status, retry = "overloaded", 503, "after"


class StreamsFull(Problem):
    """This process serves as many live streams as it can.

    Read the state by `GET` meanwhile.
    """

    code, status, retry = "streams-full", 503, "after"
