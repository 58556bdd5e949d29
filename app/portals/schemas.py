"""The wire shapes of portal accounts. `PortalView` is the SQL view `ops.portals`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec


class PortalView(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a portal. `open_to` is its limit of runs now: 0 while paused or the breaker is open, 1 while one probes.

    `operated`: the caller may act on it, as operator of a project that uses it.
    """

    portal: str
    name: str
    account: str
    max_runs: int
    open_to: int
    taken: int
    waiting: int
    starts_per_minute: float | None
    next_start_at: datetime | None
    paused_as: Literal["paused", "login", "recipe_paused"] | None
    paused_reason: str | None
    paused_by: str | None
    paused_at: datetime | None
    breaker: Literal["closed", "open", "half-open"]
    breaker_reason: str | None
    next_probe_at: datetime | None
    operated: bool


class PortalList(msgspec.Struct, frozen=True, kw_only=True):
    """Every account of the portals that the caller's projects use."""

    items: list[PortalView]


class PauseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a person does it; kept in the audit. `account`: one account only, by its label."""

    reason: str = ""
    account: str | None = None


class LimitRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much an account bears; what is not given stays. `starts_per_minute` 0: as they come."""

    max_runs: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    starts_per_minute: Annotated[float, msgspec.Meta(ge=0, le=100_000)] | None = None
    reason: str = ""
    account: str | None = None
