"""Rules on records that are here already: the same asset, the same photo, and a crew that cannot have come so far."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.rules.context import Finding, RuleContext, said
from app.intake.rules.position import metres
from app.intake.rules.times import span

_SHORTEST_S = 60.0
"""Two records of one minute: their order says nothing about how long the way took."""


def asset_already_recorded(ctx: RuleContext) -> Iterator[Finding]:
    """Major: another record of this form is of the same asset, and was neither rejected nor superseded by this one."""
    other = ctx.related.recorded
    if other is not None:
        yield Finding(
            rule="asset-already-recorded",
            severity="major",
            field="asset",
            message=(
                f"The asset {said(ctx.upload.asset)} was recorded already, as {other.reference}. "
                "If this record replaces that one, name it as `supersedes`."
            ),
            evidence={"record": other.id, "reference": other.reference},
        )


def photo_reused(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the very bytes are a photo of another record, of this project or another."""
    elsewhere = {twin.sha256: twin for twin in ctx.related.photos}
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        twin = elsewhere.get(facts.sha256 or "") if facts is not None and not facts.rejected_reason else None
        if twin is not None:
            where = f"record {twin.reference}, as {twin.name}" if twin.reference else "a record of another project"
            yield Finding(
                rule="photo-reused",
                severity="major",
                photo=photo.name,
                message=f"{ctx.shown(photo)} was sent already with {where}.",
                evidence={"sha256": twin.sha256, "record": twin.id, "reference": twin.reference, "name": twin.name},
            )


def implausible_travel(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: too far from the crew's previous record for the time between; one of the two is wrong about place or time."""
    previous, position, captured = ctx.related.previous, ctx.upload.position, ctx.upload.captured_at
    if previous is None or position is None or captured is None:
        return
    limits = ctx.form.rules
    distance = geometry.between(position.lat, position.lon, previous.lat, previous.lon)
    certain = distance - (position.h_accuracy_m or 0.0) - (previous.h_accuracy_m or 0.0)
    took = (captured - previous.captured_at).total_seconds()
    speed = certain / max(took, _SHORTEST_S) * 3.6
    if certain >= limits.travel_min_km * 1000 and speed > limits.travel_km_h:
        yield Finding(
            rule="implausible-travel",
            severity="minor",
            field="position",
            message=(
                f"The crew's previous record, {previous.reference}, was made {metres(distance)} away, {span(took)} before."
            ),
            evidence={
                "record": previous.id,
                "reference": previous.reference,
                "distance_m": round(distance),
                "took_s": round(took),
                "km_h": round(speed),
            },
        )
