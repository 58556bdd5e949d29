"""Rules on photos: enough of them for each shot, readable, large enough, taken at the place, and no copies."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.form_defs import applies
from app.intake.photos import PhotoFacts
from app.intake.pixels import distance
from app.intake.rules.context import Finding, RuleContext
from app.intake.rules.position import metres
from app.intake.rules.times import span
from app.intake.schemas import PhotoManifest, Severity
from app.intake.strict_json import Json

_ZONE_SLACK_S = 14 * 3600.0


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


def photo_time_mismatch(ctx: RuleContext) -> Iterator[Finding]:
    """Minor beyond some hours between the photo's own time and the record's, major beyond a day.

    A camera that knows no offset was read in the project's time zone, and may stand anywhere on earth: 14 h are its own.
    """
    captured = ctx.upload.captured_at
    if captured is None:
        return
    limits = ctx.form.rules
    for photo, facts in _received(ctx):
        if facts.taken_at is None:
            continue
        apart = (facts.taken_at - captured).total_seconds()
        beyond = abs(apart) - (_ZONE_SLACK_S if facts.taken_at_source == "project_tz" else 0.0)
        if beyond > limits.photo_time_minor_h * 3600:
            when = "before" if apart < 0 else "after"
            yield Finding(
                rule="photo-time-mismatch",
                severity="major" if beyond > limits.photo_time_major_h * 3600 else "minor",
                photo=photo.name,
                message=f"{ctx.shown(photo)} was taken {span(abs(apart))} {when} the record.",
                evidence={
                    "taken_at": facts.taken_at.isoformat(),
                    "source": facts.taken_at_source,
                    "captured_at": captured.isoformat(),
                    "apart_s": round(apart),
                },
            )


def photo_duplicate_in_record(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the same bytes under two names of one record; minor: pictures that look the same. The later one is named."""
    first: dict[str, PhotoManifest] = {}
    seen: list[tuple[PhotoManifest, int]] = []
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        if facts is not None and facts.rejected_reason:
            continue
        sha256 = (facts.sha256 if facts else None) or photo.sha256
        earlier = first.setdefault(sha256, photo) if sha256 else photo
        dhash = facts.dhash if facts else None
        if earlier is not photo:
            evidence: dict[str, Json] = {"same_as": earlier.name, "sha256": sha256}
            yield _copy(ctx, photo, "major", f"is the same picture as {earlier.name}", evidence)
        elif dhash is not None:
            near = [(distance(dhash, other), twin) for twin, other in seen]
            bits, twin = min(near, key=lambda pair: pair[0], default=(64, photo))
            if bits <= ctx.form.rules.photo_near_bits:
                evidence = {"same_as": twin.name, "bits": bits}
                yield _copy(ctx, photo, "minor", f"looks the same as {twin.name}", evidence)
            seen.append((photo, dhash))


def _copy(ctx: RuleContext, photo: PhotoManifest, severity: Severity, what: str, evidence: dict[str, Json]) -> Finding:
    return Finding(
        rule="photo-duplicate-in-record",
        severity=severity,
        photo=photo.name,
        message=f"{ctx.shown(photo)} {what}.",
        evidence=evidence,
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
