"""Behind the curtain, as JSON: the switches of bad habits and what was taken in, of both portals. No sign-in, no habits."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get, post
from litestar.exceptions import ClientException

from tasks.demo_portal import store
from tasks.demo_portal.drafting import clean
from tasks.demo_portal.gate import GivenHarbor, GivenPortal, PortalRequest
from tasks.demo_portal.portal import Portal
from tasks.demo_portal.quirks import PRESETS, Quirks, problems
from tasks.demo_portal.switchboard import has


class QuirksView(msgspec.Struct, frozen=True, kw_only=True):
    """The switches, and the preset they were last taken from."""

    preset: str
    switches: Quirks


class SubmissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A submission as tests and the demo command count it."""

    portal: str
    reference: str
    confirmation: str
    fence: int | None
    at: datetime
    photos: int


@get("/_demo/submissions")
async def submissions(request: PortalRequest, portal: GivenPortal) -> list[SubmissionView]:
    """What both portals took in under a reference, or lately, regardless of the index."""
    reference = clean(request.query_params.get("reference", ""))
    async with portal.pool.connection() as conn:
        if reference:
            rows = await store.received_of(conn, reference=reference)
        else:
            rows = await store.received_lately(conn, limit=1000)
    return [
        SubmissionView(
            portal=row.portal,
            reference=row.reference,
            confirmation=row.confirmation,
            fence=row.fence,
            at=row.submitted_at,
            photos=row.photos,
        )
        for row in rows
    ]


@get("/_demo/quirks")
async def quirks_now(request: PortalRequest, portal: GivenPortal, harbor: GivenHarbor) -> QuirksView:
    """The switches as they stand; `?portal=harbor` for the second portal."""
    return await _view(_chosen(request.query_params.get("portal", "npl"), portal, harbor))


@post("/_demo/quirks", status_code=200)
async def set_quirks(request: PortalRequest, portal: GivenPortal, harbor: GivenHarbor) -> QuirksView:
    """Change switches: `{"preset": "realistic", "seed": 7, "index_lag_s": 2}`; the others go over the preset.

    `"portal": "harbor"` means the second portal.
    """
    try:
        wanted = await _json(request)
        chosen = _chosen(msgspec.convert(wanted.pop("portal", "npl"), str), portal, harbor)
        preset = msgspec.convert(wanted.pop("preset", ""), str)
        seed = msgspec.convert(wanted.pop("seed", None), int | None)
        if absent := [name for name in wanted if not has(chosen.key, name)]:
            raise ClientException(f"{chosen.key} has no switch {', '.join(absent)}")
        quirks = _merged(PRESETS[preset] if preset else await chosen.quirks(), wanted)
    except KeyError as exc:
        raise ClientException(f"no preset {exc}; there are {', '.join(PRESETS)}") from exc
    except msgspec.MsgspecError as exc:
        raise ClientException(str(exc)) from exc
    if found := problems(quirks):
        raise ClientException("; ".join(found))
    if seed is not None:
        chosen.dice.reseed(seed)
    if preset or wanted:
        await chosen.set_quirks(quirks, preset=preset if not wanted else "custom")
    return await _view(chosen)


@post("/_demo/unlock", status_code=204)
async def unlock(request: PortalRequest, portal: GivenPortal) -> None:
    """Unlock all accounts of both portals, as a call to the help desk would."""
    await _json(request)
    async with portal.pool.connection() as conn:
        await store.unlock_accounts(conn)
        await store.unlock_harbor_accounts(conn)


def _chosen(key: str, portal: Portal, harbor: Portal) -> Portal:
    for one in (portal, harbor):
        if one.key == key:
            return one
    raise ClientException(f"no portal {key!r}; there are npl and harbor")


async def _json(request: PortalRequest) -> dict[str, object]:
    if request.content_type[0] != "application/json":
        # A page of another site can send a form here, but not this type without asking first.
        raise ClientException("send application/json", status_code=415)
    return msgspec.json.decode(await request.body() or b"{}", type=dict[str, object])


async def _view(portal: Portal) -> QuirksView:
    preset, switches = await portal.switches()
    return QuirksView(preset=preset, switches=switches)


def _merged(start: Quirks, wanted: dict[str, object]) -> Quirks:
    """`submit` is replaced as a whole: weights only mean something beside each other."""
    given: dict[str, object] = msgspec.to_builtins(start)
    return msgspec.convert(given | wanted, Quirks)
