"""Values sealed at rest under `ASBUILT_SECRET_KEY`. It never says a value, a key or a sealed text in an error or a repr."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(Exception):
    """Secrets cannot be sealed or opened."""


class NoKey(VaultError):
    """ASBUILT_SECRET_KEY is not set"""


class Unreadable(VaultError):
    """sealed under another ASBUILT_SECRET_KEY, or damaged"""


class Vault:
    """Seals under the newest key, which stands first, and opens under any: that is how keys are changed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def __bool__(self) -> bool:
        return self._keys is not None

    def seal(self, text: str) -> bytes:
        """Raises `NoKey`."""
        return self._ring().encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises `NoKey` and `Unreadable`."""
        try:
            return self._ring().decrypt(sealed).decode()
        except InvalidToken:
            raise Unreadable(Unreadable.__doc__) from None

    def _ring(self) -> MultiFernet:
        if self._keys is None:
            raise NoKey(NoKey.__doc__)
        return self._keys


def new_key() -> str:
    """256 random bits, URL-safe base64."""
    return Fernet.generate_key().decode()
