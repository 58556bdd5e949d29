"""Tokens, sign-in links and passwords: how they are made, and what of them is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import msgspec

_TOKEN = re.compile(r"abk_(?P<id>[A-Za-z0-9]{8})_(?P<secret>[A-Za-z0-9_-]{43})")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token: `abk_<id>_<secret>`, so that secret scanners know it and rows can be found by id."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"abk_{self.id}_{self.secret}"

    @property
    def hash(self) -> bytes:
        return digest(self.secret)


def new_token() -> Token:
    return Token(id="".join(secrets.choice(_ALPHABET) for _ in range(8)), secret=new_secret())


def parse_token(text: str) -> Token | None:
    match = _TOKEN.fullmatch(text)
    return Token(id=match["id"], secret=match["secret"]) if match else None


def new_secret() -> str:
    """256 random bits, base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a random secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def same(left: bytes, right: bytes) -> bool:
    return hmac.compare_digest(left, right)


def password_hash(password: str, salt: bytes) -> bytes:
    """scrypt with the parameters that OWASP names for interactive log-ins (N=2^16, r=8, p=2 needs 64 MB)."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**16, r=8, p=2, maxmem=2**28, dklen=32)


def csrf_token(session_secret: str) -> str:
    """Bound to the session, so that a page of another origin cannot know it."""
    return hmac.new(session_secret.encode(), b"csrf", hashlib.sha256).hexdigest()
