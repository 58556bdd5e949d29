"""Rules on where the record was made: a usable position, good enough, and at the site."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.position import in_range, number
from app.intake.rules.context import Finding, RuleContext, Site
from app.intake.schemas import Doubt


def position_missing(ctx: RuleContext) -> Iterator[Finding]:
    """Major: no position, or none that can be used; the raw value stays in the fields."""
    if ctx.upload.position is not None:
        return
    doubt = next((doubt for doubt in ctx.upload.doubts if doubt.field == "position"), None)
    if doubt is None and not ctx.form.rules.position_required:
        return
    if doubt is not None and _swap_of(doubt, ctx.site) is not None:
        return
    yield Finding(
        rule="position-missing",
        severity="major",
        field="position",
        message=f"The position cannot be used: {doubt.reason}." if doubt else "The record has no position.",
        evidence={"raw": doubt.raw, "reason": doubt.code} if doubt else {"raw": None, "reason": "absent"},
    )


def position_swapped(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: latitude and longitude in each other's place; nothing else is wrong, since the swap is on the site."""
    position = ctx.upload.position
    doubt = next((doubt for doubt in ctx.upload.doubts if doubt.field == "position"), None)
    if position is not None:
        at = (position.lat, position.lon) if _swap_is_on_site(position.lat, position.lon, ctx.site) else None
    else:
        at = _swap_of(doubt, ctx.site) if doubt else None
    if at is not None:
        yield Finding(
            rule="position-swapped",
            severity="minor",
            field="position",
            message=f"Latitude and longitude are swapped: {at[0]:g}, {at[1]:g} should be {at[1]:g}, {at[0]:g}.",
            evidence={"lat": at[0], "lon": at[1]},
        )


def position_mock(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the phone says that an app made the position up, or its accuracy is exactly 0."""
    for doubt in ctx.upload.doubts:
        if doubt.code == "mock":
            yield Finding(
                rule="position-mock",
                severity="major",
                field="position",
                message=f"The position is doubtful: {doubt.reason}.",
                evidence={"raw": doubt.raw},
            )


def position_poor(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: an accuracy or a height that is unreadable, or an accuracy that is too coarse."""
    for doubt in ctx.upload.doubts:
        if doubt.field.startswith("position/") and doubt.code != "mock":
            yield Finding(
                rule="position-poor",
                severity="minor",
                field="position",
                message=f"The position is doubtful: {doubt.reason}.",
                evidence={"raw": doubt.raw},
            )
    accuracy = ctx.upload.position.h_accuracy_m if ctx.upload.position else None
    allowed = ctx.form.rules.max_accuracy_m
    if accuracy is not None and accuracy > allowed:
        yield Finding(
            rule="position-poor",
            severity="minor",
            field="position",
            message=f"The position is only good to {accuracy:.0f} m; {allowed:.0f} m is asked.",
            evidence={"h_accuracy_m": accuracy, "allowed_m": allowed},
        )


def outside_site(ctx: RuleContext) -> Iterator[Finding]:
    """Major: farther from the site than its tolerance, even with the accuracy in the crew's favour."""
    position = ctx.upload.position
    if position is None:
        return
    distance = _distance(position.lat, position.lon, ctx.site)
    if distance is None or distance - (position.h_accuracy_m or 0.0) <= ctx.site.radius_m:
        return
    if _swap_is_on_site(position.lat, position.lon, ctx.site):
        return
    yield Finding(
        rule="outside-site",
        severity="major",
        field="position",
        message=(f"The position is {metres(distance)} from the site; at most {metres(ctx.site.radius_m)} is allowed."),
        evidence={"distance_m": round(distance, 1), "allowed_m": ctx.site.radius_m},
    )


def metres(distance: float) -> str:
    """A distance in words: metres below a kilometre, else kilometres."""
    return f"{distance:.0f} m" if distance < 1_000 else f"{distance / 1_000:.1f} km"


def _distance(lat: float, lon: float, site: Site) -> float | None:
    to_boundary = geometry.to_boundary(lat, lon, site.boundary) if site.boundary else None
    if to_boundary is not None:
        return to_boundary
    if site.lat is None or site.lon is None:
        return None
    return geometry.between(lat, lon, site.lat, site.lon)


def _swap_of(doubt: Doubt, site: Site) -> tuple[float, float] | None:
    """The latitude and longitude as sent, where only their swap is a place, and one on the site."""
    raw = doubt.raw
    if doubt.code != "out-of-range" or not isinstance(raw, dict):
        return None
    lat, lon = number(raw.get("lat")), number(raw.get("lon"))
    return (lat, lon) if lat is not None and lon is not None and _swap_is_on_site(lat, lon, site) else None


def _swap_is_on_site(lat: float, lon: float, site: Site) -> bool:
    if not in_range(lon, lat):
        return False
    as_sent = _distance(lat, lon, site) if in_range(lat, lon) else None
    swapped = _distance(lon, lat, site)
    return swapped is not None and swapped <= site.radius_m and (as_sent is None or as_sent > site.radius_m)
