"""Rules on what a photo shows: light enough, and sharp enough to be read. Never blockers: a camera's opinion may be wrong."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake.pixels import Look
from app.intake.rules.context import Finding, RuleContext
from app.intake.schemas import PhotoManifest


def photo_dark(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: the mean is too low, or most of the picture is black."""
    limits = ctx.form.rules
    for photo, look in _looks(ctx):
        if look.luma < limits.photo_dark_luma or look.black > limits.photo_clipped_share:
            yield Finding(
                rule="photo-dark",
                severity="minor",
                photo=photo.name,
                message=f"{ctx.shown(photo)} is too dark to be read.",
                evidence={"luma": look.luma, "black": look.black},
            )


def photo_overexposed(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: the mean is too high, or most of the picture is white."""
    limits = ctx.form.rules
    for photo, look in _looks(ctx):
        if look.luma > limits.photo_bright_luma or look.white > limits.photo_clipped_share:
            yield Finding(
                rule="photo-overexposed",
                severity="minor",
                photo=photo.name,
                message=f"{ctx.shown(photo)} is overexposed: most of it is white.",
                evidence={"luma": look.luma, "white": look.white},
            )


def photo_blurred(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: hardly an edge in it."""
    for photo, look in _looks(ctx):
        if look.sharpness is not None and look.sharpness < ctx.form.rules.photo_sharpness:
            yield Finding(
                rule="photo-blurred",
                severity="minor",
                photo=photo.name,
                message=f"{ctx.shown(photo)} is blurred.",
                evidence={"sharpness": look.sharpness, "needed": ctx.form.rules.photo_sharpness},
            )


def _looks(ctx: RuleContext) -> Iterator[tuple[PhotoManifest, Look]]:
    for photo in ctx.upload.photos:
        facts = ctx.photos.get(photo.name)
        # A signature or a redline is white on purpose.
        if photo.kind == "photo" and facts is not None and facts.look is not None:
            yield photo, facts.look
