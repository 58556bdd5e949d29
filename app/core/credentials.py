"""The file of portals and their accounts (`ASBUILT_ACCOUNTS`): references to credentials, resolved at use and nowhere else.

A reference is `env:NAME`, `file:/path`, or `vault:` and what `Vault` sealed; anything else is the value itself.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.core.vault import Vault, VaultError


class Unresolved(Exception):
    """A credential cannot be had; the text names the reference, never a value."""


class AccountEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account: `user`, `password`, and `totp`, the base32 secret of an authenticator; each a reference or a value."""

    user: str
    password: str
    totp: str = ""

    def __repr__(self) -> str:
        return "AccountEntry(…)"

    def references(self) -> dict[str, str]:
        """By the name under which recipes know them."""
        named = {"user": self.user, "password": self.password, "totp": self.totp}
        return {name: reference for name, reference in named.items() if reference}


class PortalEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A portal's address and accounts. Secrets are typed at the address's own host and at `allowed_hosts` only."""

    url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    pages_per_s: float = 2.0
    """Page loads a second over all runs, 0 for no limit; `pages_at_once` of them may come in a burst."""
    pages_at_once: int = 6
    accounts: dict[str, AccountEntry] = {}


def read(path: Path) -> dict[str, PortalEntry]:
    """The file's portals; none when there is no file. Raises `Unresolved` when it cannot be understood."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise Unresolved(f"{path}: {exc.strerror}") from exc
    try:
        return msgspec.convert(tomllib.loads(text), dict[str, PortalEntry])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        # Neither may carry the file's text into a log.
        raise Unresolved(f"{path}: {exc}") from None


def write(path: Path, portals: Mapping[str, PortalEntry]) -> None:
    """Write the file anew, for its owner only, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(_table(key, portal) for key, portal in portals.items()))
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


def put(path: Path, *, portal: str, label: str, account: AccountEntry, url: str = "") -> None:
    """Put an account into the file, in place of the one of this label. Raises `Unresolved`."""
    portals = read(path)
    entry = portals.get(portal, PortalEntry())
    portals[portal] = PortalEntry(
        url=url or entry.url, allowed_hosts=entry.allowed_hosts, accounts={**entry.accounts, label: account}
    )
    write(path, portals)


def sealed(secret: str, *, vault: Vault) -> str:
    """The reference to a secret that is kept in the file itself. Raises `NoKey`."""
    return f"vault:{vault.seal(secret).decode()}"


def resolve(reference: str, *, vault: Vault, env: Mapping[str, str]) -> str:
    """The value behind a reference. Raises `Unresolved`."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        if not env.get(rest):
            raise Unresolved(f"the environment has no {rest}")
        return env[rest]
    if kind == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise Unresolved(f"{rest} cannot be read: {type(exc).__name__}") from None
    if kind == "vault":
        try:
            return vault.open(rest.encode())
        except VaultError as exc:
            raise Unresolved(f"a sealed credential cannot be opened: {exc}") from None
    return reference


def _table(key: str, portal: PortalEntry) -> str:
    """TOML of one portal. A JSON string is a TOML string."""
    lines = [f"[{_quoted(key)}]"]
    if portal.url:
        lines.append(f"url = {_quoted(portal.url)}")
    if portal.allowed_hosts:
        lines.append(f"allowed_hosts = [{', '.join(map(_quoted, portal.allowed_hosts))}]")
    for label, account in portal.accounts.items():
        lines.append(f"\n[{_quoted(key)}.accounts.{_quoted(label)}]")
        lines += [f"{name} = {_quoted(reference)}" for name, reference in account.references().items()]
    return "\n".join(lines) + "\n\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
