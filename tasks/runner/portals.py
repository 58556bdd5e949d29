"""What the service knows about each portal: where it is, the credentials of its accounts, and where they may be typed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from app.core import credentials
from app.core.credentials import AccountEntry, PortalEntry, Unresolved
from app.core.settings import Settings, SettingsError, environment
from app.core.vault import Vault

DEMO, SECOND, DEFAULT = "npl", "harbor", "default"


class Account:
    """Credentials, resolved each time they are asked for; recipes name them `{{secret.user}}` and `{{secret.password}}`."""

    def __init__(self, entry: AccountEntry, *, vault: Vault) -> None:
        self._entry = entry
        self._vault = vault

    def __repr__(self) -> str:
        return "Account(…)"

    def values(self) -> dict[str, str]:
        """By name. Raises `Unresolved`."""
        env = environment()
        return {
            name: credentials.resolve(reference, vault=self._vault, env=env)
            for name, reference in self._entry.references().items()
        }

    def secrets(self) -> list[str]:
        """What must never be told; the user's name may. Raises `Unresolved`."""
        return [value for name, value in self.values().items() if name != "user"]


class PortalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A portal's address and accounts."""

    base_url: str
    accounts: Mapping[str, Account]
    allowed_hosts: tuple[str, ...] = ()
    pages_per_s: float = 0.0
    """Page loads a second over all its runs, 0 for no limit, and how many at once."""
    pages_at_once: int = 6

    def hosts(self) -> frozenset[str]:
        """Where its secrets may be typed, as host or host:port."""
        return frozenset({urlsplit(self.base_url).netloc, *self.allowed_hosts})


def configured(settings: Settings) -> dict[str, PortalConfig]:
    """The portals of the accounts file, and the demo portals where their address is set. One without an address is not there.

    Raises `SettingsError` with every credential that cannot be had.
    """
    vault = Vault(settings.secret_key)
    try:
        portals = credentials.read(settings.accounts) if settings.accounts.name else {}
    except Unresolved as exc:
        raise SettingsError([f"ASBUILT_ACCOUNTS: {exc}"]) from exc
    if settings.portal_url:
        for key, url, own in _demos(settings):
            # The demo's own portals are nobody's to spare.
            entry = portals.get(key, PortalEntry(pages_per_s=0))
            accounts = {DEFAULT: own, **entry.accounts}
            portals[key] = msgspec.structs.replace(entry, url=entry.url or url, accounts=accounts)
    found = {key: _portal(entry, vault=vault) for key, entry in portals.items() if entry.url}
    if problems := _unresolved(found):
        raise SettingsError(problems)
    return found


def _demos(settings: Settings) -> tuple[tuple[str, str, AccountEntry], ...]:
    """Key, address and own account of the demo's two portals."""
    npl = AccountEntry(user=settings.npl_user, password=settings.npl_password)
    harbor = AccountEntry(user=settings.harbor_user, password=settings.harbor_password)
    return (DEMO, settings.portal_url, npl), (SECOND, f"{settings.portal_url}/harbor", harbor)


def _portal(entry: PortalEntry, *, vault: Vault) -> PortalConfig:
    accounts = {label: Account(account, vault=vault) for label, account in entry.accounts.items()}
    return PortalConfig(
        base_url=entry.url.rstrip("/"),
        accounts=accounts,
        allowed_hosts=entry.allowed_hosts,
        pages_per_s=entry.pages_per_s,
        pages_at_once=entry.pages_at_once,
    )


def _unresolved(portals: Mapping[str, PortalConfig]) -> list[str]:
    problems = []
    for key, portal in portals.items():
        for label, account in portal.accounts.items():
            try:
                account.values()
            except Unresolved as exc:
                problems.append(f"account {label} of portal {key}: {exc}")
    return problems
