"""Every rule there is, in words: its severity, what it looks at, the form's settings it reads and the evidence it keeps.

`docs/rules.md` shows it; tests hold it against the rules themselves.
"""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `severity` is its own one; the form may set another. `settings` are keys of the form's `rules`."""

    rule: str
    severity: str
    about: str
    settings: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


CATALOGUE: tuple[Entry, ...] = (
    Entry(
        rule="required-field-missing",
        severity="blocker",
        about="a field that the form's schema requires, also under a condition, is absent or empty",
        evidence=("value",),
    ),
    Entry(
        rule="value-invalid",
        severity="major",
        about="a value of the wrong type, form or choice; a time that cannot be read",
        evidence=("value", "keyword"),
    ),
    Entry(
        rule="measurement-out-of-range",
        severity="as the measure says",
        about="a measured value outside the form's accepted range",
        evidence=("value", "min", "max", "unit"),
    ),
    Entry(
        rule="unit-slip",
        severity="minor",
        about="a value out of range that another unit, or another place of the decimal point, would bring into it; a hint "
        "beside the range's own finding",
        evidence=("value", "meant", "unit"),
    ),
    Entry(
        rule="measurements-inconsistent",
        severity="minor, or as the relation says",
        about="values that do not agree with one another: a sum, the largest of a column, a number of rows, phases that "
        "differ, a splice measured one way only or with another mean",
        settings=("relations",),
        evidence=(
            "relation",
            "value",
            "expected",
            "tolerance",
            "values",
            "spread_pct",
            "max_pct",
            "there",
            "back",
            "max",
        ),
    ),
    Entry(
        rule="design-mismatch",
        severity="major",
        about="a value other than the asset's design plans, a record made elsewhere than the design has the asset, or an asset "
        "that is not in the project's design; case and spaces don't count",
        settings=("design",),
        evidence=("value", "expected", "tolerance_pct", "distance_m", "allowed_m"),
    ),
    Entry(
        rule="serial-malformed",
        severity="minor",
        about="a serial number that does not look like those of its make",
        settings=("serials",),
        evidence=("value", "pattern"),
    ),
    Entry(
        rule="serial-duplicate",
        severity="major",
        about="a serial number that stands twice in the record, or that another record of the project reports",
        settings=("serials",),
        evidence=("serial", "same_as", "record", "reference"),
    ),
    Entry(
        rule="asset-already-recorded",
        severity="major",
        about="another record of this form is of the same asset, and was neither rejected nor named as `supersedes`",
        evidence=("record", "reference"),
    ),
    Entry(
        rule="required-photo-missing",
        severity="blocker",
        about="a shot, also a conditional one, has fewer photos than the form asks; announced ones count, refused ones don't",
        evidence=("shot", "min", "have"),
    ),
    Entry(
        rule="photo-not-received",
        severity="major",
        about="an announced photo has not come so many hours after the record, or its last correction; found by the workers' "
        "sweep, which holds the job",
        settings=("photo_overdue_h",),
        evidence=("name", "shot", "since", "waited_h"),
    ),
    Entry(
        rule="photo-unreadable",
        severity="major; blocker if it leaves a required shot without a readable photo",
        about="not an image, damaged, cut off, or too large to be opened safely",
        evidence=("refused", "sniffed_type"),
    ),
    Entry(
        rule="photo-too-small",
        severity="minor",
        about="the long edge is below the form's limit; often a thumbnail was sent",
        settings=("photo_long_edge_px",),
        evidence=("width", "height", "needed"),
    ),
    Entry(
        rule="photo-dark",
        severity="minor",
        about="its mean light is too low, or most of it is black; only photos of kind `photo` are judged by their pixels",
        settings=("photo_dark_luma", "photo_clipped_share"),
        evidence=("luma", "black"),
    ),
    Entry(
        rule="photo-overexposed",
        severity="minor",
        about="its mean light is too high, or most of it is white",
        settings=("photo_bright_luma", "photo_clipped_share"),
        evidence=("luma", "white"),
    ),
    Entry(
        rule="photo-blurred",
        severity="minor",
        about="the variance of the Laplacian at 512 px is below the form's limit",
        settings=("photo_sharpness",),
        evidence=("sharpness", "needed"),
    ),
    Entry(
        rule="photo-far-from-record",
        severity="major",
        about="the photo's own position, or the announced one, is far from the record's, beyond the accuracy; a photo without "
        "a position is no defect, since phones strip it",
        settings=("photo_distance_m",),
        evidence=("distance_m", "allowed_m", "lat", "lon"),
    ),
    Entry(
        rule="photo-time-mismatch",
        severity="minor; major beyond `photo_time_major_h`",
        about="the photo's own time (by the camera's offset, else GPS time, else in the project's time zone with 14 h of slack) "
        "is hours from the record's",
        settings=("photo_time_minor_h", "photo_time_major_h"),
        evidence=("taken_at", "source", "captured_at", "apart_s"),
    ),
    Entry(
        rule="photo-duplicate-in-record",
        severity="major; minor if only alike",
        about="the same bytes under two names of one record, or pictures that look the same: their hashes (dHash, 64 bits) differ "
        "in few bits",
        settings=("photo_near_bits",),
        evidence=("same_as", "sha256", "bits"),
    ),
    Entry(
        rule="photo-reused",
        severity="major; minor if only alike",
        about="the same bytes are a photo of another record, of this project or another; or, found by the workers' sweep, a picture "
        "that looks like one of another record of the project: their hashes differ in at most 4 bits",
        settings=("photo_near_bits",),
        evidence=("sha256", "record", "reference", "name", "bits"),
    ),
    Entry(
        rule="position-missing",
        severity="major",
        about="no position, or one that is none: no numbers, out of range, or 0, 0",
        settings=("position_required",),
        evidence=("raw", "reason"),
    ),
    Entry(
        rule="position-swapped",
        severity="minor",
        about="latitude and longitude in each other's place: only their swap is on the site",
        evidence=("lat", "lon"),
    ),
    Entry(
        rule="position-mock",
        severity="major",
        about="`mock` is true, or the accuracy is exactly 0, which no receiver reports",
        evidence=("raw",),
    ),
    Entry(
        rule="position-poor",
        severity="minor",
        about="an accuracy coarser than asked, or an accuracy or height that is no usable number",
        settings=("max_accuracy_m",),
        evidence=("raw", "h_accuracy_m", "allowed_m"),
    ),
    Entry(
        rule="outside-site",
        severity="major",
        about="farther from the project's site than its tolerance, even with the accuracy in the crew's favour",
        evidence=("distance_m", "allowed_m"),
    ),
    Entry(
        rule="clock-skew",
        severity="info",
        about="the time of sending is off the server's clock",
        settings=("clock_skew_s",),
        evidence=("sent_at", "received_at", "skew_s"),
    ),
    Entry(
        rule="captured-in-future",
        severity="major",
        about="captured later than now",
        settings=("future_s",),
        evidence=("captured_at", "received_at"),
    ),
    Entry(
        rule="captured-before-start",
        severity="minor",
        about="captured before the project's `starts_on`, or before 2000",
        evidence=("captured_at", "starts_on"),
    ),
    Entry(
        rule="implausible-travel",
        severity="minor",
        about="too far from the previous record of this device and crew for the time between the two",
        settings=("travel_km_h", "travel_min_km"),
        evidence=("record", "reference", "distance_m", "took_s", "km_h"),
    ),
    Entry(
        rule="form-outdated",
        severity="info",
        about="the form has a newer open version; the record is judged by its own",
        evidence=("version", "newest"),
    ),
    Entry(
        rule="form-closing",
        severity="info",
        about="the form or the project is closing",
        evidence=("closing",),
    ),
    Entry(
        rule="rule-failed",
        severity="minor",
        about="a rule of ours broke on this record; the others were made",
        evidence=("check",),
    ),
)

BY_RULE = {entry.rule: entry for entry in CATALOGUE}


def table() -> str:
    """The catalogue as a table in Markdown."""
    rows = [
        f"| `{entry.rule}` | {entry.severity} | {entry.about} | {_listed(entry.settings)} | {_listed(entry.evidence)} |"
        for entry in CATALOGUE
    ]
    return "\n".join(
        ("| rule | severity | found when | form settings | evidence |", "| --- | --- | --- | --- | --- |", *rows)
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"
