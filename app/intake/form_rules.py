"""What a form may set about the rules: thresholds, severities, and how its measurements hang together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from app.intake.schemas import Severity
from app.intake.strict_json import Json

When: TypeAlias = Mapping[str, list[Json]]
"""Applies when each named field has one of the listed values; `None` applies always."""


class _Relation(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Paths are written as those of measures; `*` stands for each row of a table."""

    severity: Severity = "minor"
    when: When | None = None


class Sum(_Relation, frozen=True, kw_only=True, tag="sum"):
    """`field` is the sum of all numbers at the paths `of`, but for `tolerance` (in the field's unit) or percent of it."""

    field: str
    of: tuple[str, ...]
    tolerance: float = 0.0
    tolerance_pct: float = 0.0


class Largest(_Relation, frozen=True, kw_only=True, tag="largest"):
    """`field` is the largest number at the path `of`, but for `tolerance`."""

    field: str
    of: str
    tolerance: float = 0.0


class Count(_Relation, frozen=True, kw_only=True, tag="count"):
    """`field` is the number of rows of the table `rows`."""

    field: str
    rows: str


class Spread(_Relation, frozen=True, kw_only=True, tag="spread"):
    """The numbers at the paths `of` differ by at most `max_pct` percent of their mean, as the phases of a supply should."""

    of: tuple[str, ...]
    max_pct: float = 5.0


class TwoWay(_Relation, frozen=True, kw_only=True, tag="two-way"):
    """Each row of `rows` is measured in both directions, and the column `average`, if filled in, is their mean.

    One direction of a splice alone can show a gain (fibres of different mode field), so only the mean is judged.
    """

    rows: str
    there: str
    back: str
    average: str | None = None
    tolerance: float = 0.01
    max: float | None = None


Relation: TypeAlias = Sum | Largest | Count | Spread | TwoWay


class Serial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A path that holds a serial number, which only one record may report; `pattern` is how one of this make looks."""

    field: str
    pattern: str | None = None
    when: When | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field, and the path of its planned value in the asset's design: a number, a text, or a list of those allowed."""

    field: str
    expected: str
    tolerance_pct: float = 0.0
    when: When | None = None


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of the built-in rules, with their units in their names; `docs/rules.md` says which rule reads which."""

    position_required: bool = True
    max_accuracy_m: float = 50.0
    photo_distance_m: float = 150.0
    photo_long_edge_px: int = 1024
    photo_dark_luma: float = 30.0
    photo_bright_luma: float = 235.0
    photo_clipped_share: float = 0.6
    photo_sharpness: float = 60.0
    photo_near_bits: int = 4
    photo_time_minor_h: float = 2.0
    photo_time_major_h: float = 24.0
    photo_overdue_h: float = 24.0
    clock_skew_s: float = 300.0
    future_s: float = 3600.0
    travel_km_h: float = 200.0
    travel_min_km: float = 10.0
    relations: tuple[Relation, ...] = ()
    serials: tuple[Serial, ...] = ()
    design: tuple[Planned, ...] = ()
    severity: Mapping[str, Severity | Literal["off"]] = {}
    """Another severity for a rule, or `off`."""
