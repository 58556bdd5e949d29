"""What the service knows about each portal: where it is and the credentials of its accounts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from app.core.settings import Settings


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials; recipes name them `{{secret.user}}` and `{{secret.password}}`."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Account(…)"

    def values(self) -> dict[str, str]:
        return {"user": self.user, "password": self.password}


class PortalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A portal's address and accounts."""

    base_url: str
    accounts: Mapping[str, Account]


def configured(settings: Settings) -> dict[str, PortalConfig]:
    """The portals of these settings; one without an address is not there."""
    if not settings.portal_url:
        return {}
    account = Account(user=settings.npl_user, password=settings.npl_password)
    return {"npl": PortalConfig(base_url=settings.portal_url, accounts={"default": account})}
