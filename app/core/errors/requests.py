"""Problems of any request: how it is written, who sends it, how much and how fast."""

from __future__ import annotations

from app.core.errors.problem import Problem


class MalformedRequest(Problem):
    """The request cannot be read.

    JSON, multipart, a header or a parameter breaks its rules; `errors` says where, if it is known.
    """

    code, status, retry = "malformed-request", 400, "never"


class Unauthorised(Problem):
    """A valid token or session is needed.

    The token or session is missing, misspelt, expired or revoked; the answer is the same for each.
    """

    code, status, retry = "unauthorised", 401, "fix"


class Forbidden(Problem):
    """This token or role may not do that.

    The token lacks a scope, the person lacks a role, or another site's page sent the request.
    """

    code, status, retry = "forbidden", 403, "fix"


class NotFound(Problem):
    """There is nothing at this address.

    What the caller may not see answers as if there were nothing.
    """

    code, status, retry = "not-found", 404, "never"


class MethodNotAllowed(Problem):
    """This address does not know that method.

    The header Allow lists the methods of this address.
    """

    code, status, retry = "method-not-allowed", 405, "never"


class IdleTimeout(Problem):
    """The body stopped arriving.

    Too few bytes of the body arrived for too long, or the line was cut. What had arrived was thrown away, unless
    the upload is a resumable one.
    """

    code, status, retry = "idle-timeout", 408, "same"


class TooLarge(Problem):
    """The request is larger than allowed.

    `limits` says how much is allowed. The limits of uploads are at `GET /api/mobile/limits`.
    """

    code, status, retry = "too-large", 413, "never"


class UnsupportedMedia(Problem):
    """The content type, or the content, is not of an allowed kind.

    Wrong Content-Type, a Content-Encoding, or bytes of no kind that this slot takes.
    """

    code, status, retry = "unsupported-media", 415, "never"


class MatchMissing(Problem):
    """The header If-Match is needed.

    It is the ETag of what was looked at, so that nobody decides on what they have not seen.
    """

    code, status, retry = "match-missing", 428, "fix"


class TooManyRequests(Problem):
    """Too many requests.

    A limit for each device, person or address was reached.
    """

    code, status, retry = "too-many-requests", 429, "after"
