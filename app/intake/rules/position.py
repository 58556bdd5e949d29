"""Rules on where the record was made: a usable position, good enough, and at the site."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.rules.context import Finding, RuleContext, Site
from app.intake.schemas import Position


def position_missing(ctx: RuleContext) -> Iterator[Finding]:
    """Major: no position, or none that can be used; the raw value stays in the fields."""
    if ctx.upload.position is not None:
        return
    doubt = next((doubt for doubt in ctx.upload.doubts if doubt.field == "position"), None)
    if doubt is None and not ctx.form.rules.position_required:
        return
    yield Finding(
        rule="position-missing",
        severity="major",
        field="position",
        message=f"The position cannot be used: {doubt.reason}." if doubt else "The record has no position.",
        evidence={"raw": doubt.raw} if doubt else {},
    )


def position_poor(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: an accuracy that is unreadable or too coarse. Major: exactly 0, as mock locations report."""
    for doubt in ctx.upload.doubts:
        if doubt.field.startswith("position/"):
            yield Finding(
                rule="position-mock" if "mock" in doubt.reason else "position-poor",
                severity="major" if "mock" in doubt.reason else "minor",
                field="position",
                message=f"The position is doubtful: {doubt.reason}.",
                evidence={"raw": doubt.raw},
            )
    accuracy = ctx.upload.position.h_accuracy_m if ctx.upload.position else None
    if accuracy is not None and accuracy > ctx.form.rules.max_accuracy_m:
        yield Finding(
            rule="position-poor",
            severity="minor",
            field="position",
            message=f"The position is only good to {accuracy:.0f} m; {ctx.form.rules.max_accuracy_m:.0f} m is asked.",
            evidence={"h_accuracy_m": accuracy},
        )


def outside_site(ctx: RuleContext) -> Iterator[Finding]:
    """Major: farther from the site than its tolerance, even with the accuracy in the crew's favour."""
    position = ctx.upload.position
    if position is None:
        return
    distance = _distance(position.lat, position.lon, ctx.site)
    if distance is None or distance - (position.h_accuracy_m or 0.0) <= ctx.site.radius_m:
        return
    swapped = _swap_fits(position, ctx.site)
    hint = " Latitude and longitude seem to be swapped." if swapped else ""
    allowed = metres(ctx.site.radius_m)
    yield Finding(
        rule="outside-site",
        severity="major",
        field="position",
        message=f"The position is {metres(distance)} from the site; at most {allowed} is allowed.{hint}",
        evidence={"distance_m": round(distance, 1), "allowed_m": ctx.site.radius_m, "swapped": swapped},
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


def _swap_fits(position: Position, site: Site) -> bool:
    if abs(position.lon) > 90:
        return False
    swapped = _distance(position.lon, position.lat, site)
    return swapped is not None and swapped <= site.radius_m
