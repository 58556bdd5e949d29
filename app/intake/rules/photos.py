"""Rules on photos: enough of them for each shot, readable, large enough, taken at the place, and no copies."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.form_defs import applies
from app.intake.photos import PhotoFacts
from app.intake.rules.context import Finding, RuleContext
from app.intake.rules.position import metres
from app.intake.schemas import PhotoManifest


def required_photo_missing(ctx: RuleContext) -> Iterator[Finding]:
    """Blocker: a shot has fewer photos than the form asks. Announced ones count, refused ones do not."""
    for shot in ctx.form.shots:
        have = len(_usable(ctx, shot.key))
        if have >= shot.min or not applies(shot.when, ctx.upload.fields):
            continue
        wanted = "is missing" if shot.min == 1 else f"is needed {shot.min} times; there are {have}"
        yield Finding(
            rule="required-photo-missing",
            severity="blocker",
            field=f"shots/{shot.key}",
            message=f"The photo “{shot.label}” {wanted}.",
            evidence={"shot": shot.key, "min": shot.min, "have": have},
        )


def photo_unreadable(ctx: RuleContext) -> Iterator[Finding]:
    """Major; blocker when a required shot is left without a readable photo."""
    required = {shot.key for shot in ctx.form.shots if shot.min > 0 and applies(shot.when, ctx.upload.fields)}
    for photo, facts in _received(ctx):
        reason = facts.rejected_reason or facts.unreadable_reason
        if reason is None:
            continue
        readable = [other for other in _usable(ctx, photo.shot) if not _unreadable(ctx, other)]
        yield Finding(
            rule="photo-unreadable",
            severity="blocker" if photo.shot in required and not readable else "major",
            photo=photo.name,
            message=f"{ctx.shown(photo)} cannot be used: {reason}.",
            evidence={"refused": facts.rejected_reason is not None, "sniffed_type": facts.sniffed_type},
        )


def photo_too_small(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: the long edge is below the form's limit; often a thumbnail was sent."""
    for photo, facts in _received(ctx):
        if facts.width is None or facts.height is None or photo.kind != "photo" or facts.rejected_reason:
            continue
        needed = ctx.form.rules.photo_long_edge_px
        if max(facts.width, facts.height) < needed:
            yield Finding(
                rule="photo-too-small",
                severity="minor",
                photo=photo.name,
                message=(
                    f"{ctx.shown(photo)}: only {facts.width} × {facts.height} pixels; "
                    f"at least {needed} on the long edge are needed."
                ),
                evidence={"width": facts.width, "height": facts.height, "needed": needed},
            )


def photo_far_from_record(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the photo's own position is far from the record's. A photo without one is no defect: phones strip it."""
    position = ctx.upload.position
    if position is None:
        return
    allowed = ctx.form.rules.photo_distance_m
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        if facts is not None and facts.lat is not None and facts.lon is not None:
            lat, lon = facts.lat, facts.lon
        elif photo.lat is not None and photo.lon is not None:
            lat, lon = photo.lat, photo.lon
        else:
            continue
        distance = geometry.between(lat, lon, position.lat, position.lon)
        if distance - (position.h_accuracy_m or 0.0) > allowed:
            yield Finding(
                rule="photo-far-from-record",
                severity="major",
                photo=photo.name,
                message=(
                    f"{ctx.shown(photo)} was taken {metres(distance)} from the place of the record; "
                    f"at most {metres(allowed)} is allowed."
                ),
                evidence={"distance_m": round(distance, 1), "allowed_m": allowed, "lat": lat, "lon": lon},
            )


def photo_duplicate_in_record(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the same bytes under two names of one record; the later one is named."""
    first: dict[str, PhotoManifest] = {}
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        sha256 = (facts.sha256 if facts else None) or photo.sha256
        if sha256 is None or (facts is not None and facts.rejected_reason):
            continue
        earlier = first.setdefault(sha256, photo)
        if earlier is not photo:
            yield Finding(
                rule="photo-duplicate-in-record",
                severity="major",
                photo=photo.name,
                message=f"{ctx.shown(photo)} is the same picture as {earlier.name}.",
                evidence={"same_as": earlier.name, "sha256": sha256},
            )


def _received(ctx: RuleContext) -> Iterator[tuple[PhotoManifest, PhotoFacts]]:
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        if facts is not None:
            yield photo, facts


def _usable(ctx: RuleContext, shot: str) -> list[PhotoManifest]:
    return [photo for photo in ctx.upload.photos if photo.shot == shot and not _refused(ctx, photo)]


def _refused(ctx: RuleContext, photo: PhotoManifest) -> bool:
    facts = ctx.photos.get(photo.name)
    return facts is not None and facts.rejected_reason is not None


def _unreadable(ctx: RuleContext, photo: PhotoManifest) -> bool:
    facts = ctx.photos.get(photo.name)
    return facts is not None and facts.unreadable_reason is not None
