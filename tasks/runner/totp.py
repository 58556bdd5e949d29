"""One-time codes from an authenticator's secret (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits). It keeps nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time

from tasks.runner.driver import RunError

PERIOD_S = 30
_DIGITS = 6


def code(secret: str, *, at: float) -> str:
    """The code at a moment in seconds since 1970. `secret` is base32, as portals show it; raises `ValueError`."""
    packed = secret.replace(" ", "").replace("-", "").rstrip("=").upper()
    # `binascii.Error`, which bad base32 raises, is a `ValueError`.
    key = base64.b32decode(packed + "=" * (-len(packed) % 8))
    digest = hmac.new(key, int(at // PERIOD_S).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def remaining_s(*, at: float) -> float:
    """How long the code of this moment is still the portal's."""
    return PERIOD_S - at % PERIOD_S


class Authenticator:
    """Gives each code of an account's secret once in a run: a portal that refused one refuses it again."""

    def __init__(self, secret: str, *, tries: int = 2) -> None:
        self._secret = secret
        self._tries = tries
        self._used: list[str] = []

    @property
    def ready(self) -> bool:
        """Whether there is a secret that has not been wrong too often."""
        return bool(self._secret) and len(self._used) < self._tries

    async def code(self) -> str:
        """The code of now, or of the next period. Raises `SECRET_UNUSABLE`."""
        try:
            value = code(self._secret, at=time.time())
        except ValueError:
            raise RunError("SECRET_UNUSABLE", "the account's totp secret is not base32") from None
        while value in self._used:
            await asyncio.sleep(remaining_s(at=time.time()))
            value = code(self._secret, at=time.time())
        self._used.append(value)
        return value
