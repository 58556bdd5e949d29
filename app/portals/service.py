"""What a person may see and do about portal accounts: by the operators' own functions, for the portals of their projects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.core.auth import Caller
from app.core.db import acting
from app.core.errors import Forbidden, PortalUnknown
from app.portals import store
from app.portals.schemas import LimitRequest, PauseRequest, PortalList, PortalView
from sql import Connection

Act = Callable[..., Awaitable[store.Done]]


async def portals(conn: Connection, caller: Caller) -> PortalList:
    """The accounts that the caller's projects use."""
    return PortalList(items=await _seen(conn, caller))


async def pause(conn: Connection, caller: Caller, portal: str, asked: PauseRequest) -> PortalList:
    """No more runs start there. Raises `PortalUnknown` and `Forbidden`."""
    return await _act(conn, caller, portal, asked, store.PAUSE)


async def resume(conn: Connection, caller: Caller, portal: str, asked: PauseRequest) -> PortalList:
    """Runs start again, whatever it was paused for, and the breaker closes. Raises `PortalUnknown` and `Forbidden`."""
    return await _act(conn, caller, portal, asked, store.RESUME)


async def set_limit(conn: Connection, caller: Caller, portal: str, asked: LimitRequest) -> PortalList:
    """So much it bears from now on; what waits starts at once where there is room. Raises `PortalUnknown` and `Forbidden`."""
    limits = {"max_runs": asked.max_runs, "starts_per_minute": asked.starts_per_minute}
    return await _act(conn, caller, portal, asked, store.SET_LIMIT, **limits)


async def _act(
    conn: Connection, caller: Caller, portal: str, asked: PauseRequest | LimitRequest, act: Act, **more: object
) -> PortalList:
    """On exactly the accounts that the caller operates; the others of the portal are somebody else's."""
    seen = _chosen(await _seen(conn, caller), portal, asked.account)
    if not seen:
        raise PortalUnknown
    mine = [row for row in seen if row.operated]
    if not mine:
        raise Forbidden("this needs the role operator in a project that uses the portal")
    async with acting(conn, caller.actor, projects=caller.sight):
        for account in mine:
            await act(conn, portal=portal, account=account.account, reason=asked.reason, **more)
    return PortalList(items=[row for row in _chosen(await _seen(conn, caller), portal, asked.account) if row.operated])


async def _seen(conn: Connection, caller: Caller) -> list[PortalView]:
    operated = [access.id for access in caller.projects if caller.has("operator", access.id)]
    return await store.PORTALS(conn, projects=caller.project_ids, operated=operated)


def _chosen(rows: list[PortalView], portal: str, account: str | None) -> list[PortalView]:
    return [row for row in rows if row.portal == portal and account in (None, row.account)]
