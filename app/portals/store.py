"""Rows of portal accounts in and out; every read carries what the caller may see."""

from __future__ import annotations

import msgspec

from app.portals.schemas import PortalView
from sql import load


class Done(msgspec.Struct, frozen=True, kw_only=True):
    accounts: int


_Q = load("portals")
PORTALS = _Q.many("portals", PortalView)
PAUSE = _Q.one("pause_portal", Done)
RESUME = _Q.one("resume_portal", Done)
SET_LIMIT = _Q.one("set_limit", Done)
