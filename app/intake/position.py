"""Positions and times from phones: a usable value, or a doubt that says in words why not.

Never raises: a wrong position is a defect of the record, not an error of the request.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from app.intake.schemas import Doubt, DoubtCode, Position
from app.intake.strict_json import Json

# What timestamptz and Python both hold after any shift to UTC; the year itself is judged by a rule.
_YEARS = range(1900, 2200)
MAX_ACCURACY_M = 1e6
MAX_ALTITUDE_M = 1e5


def position(raw: Json) -> tuple[Position | None, tuple[Doubt, ...]]:
    """Normalise `position`; with a doubt the raw value must be kept. Absent or null is no doubt."""
    if raw is None:
        return None, ()
    if not isinstance(raw, dict):
        return None, (_doubt("position", "it is not an object with lat and lon", raw),)
    code, reason = _unusable(raw.get("lat"), raw.get("lon"))
    if reason:
        return None, (_doubt("position", reason, raw, code),)
    h_accuracy, h_reason = _accuracy(raw.get("h_accuracy_m"))
    v_accuracy, v_reason = _accuracy(raw.get("v_accuracy_m"))
    altitude, a_reason = _altitude(raw.get("altitude_m"))
    usable = Position(
        lat=_float(raw["lat"]),
        lon=_float(raw["lon"]),
        h_accuracy_m=h_accuracy or None,
        v_accuracy_m=v_accuracy or None,
        altitude_m=altitude,
        fix_type=_short(raw.get("fix_type")),
        source=_short(raw.get("source")),
    )
    reasons = {"h_accuracy_m": h_reason, "v_accuracy_m": v_reason, "altitude_m": a_reason}
    doubts = [_doubt(f"position/{name}", reason, raw) for name, reason in reasons.items() if reason]
    if raw.get("mock") is True:
        doubts.append(_doubt("position/mock", "the phone says that an app made it up", raw, "mock"))
    elif h_accuracy == 0:
        # No receiver reports exactly 0 m; of the height it only means that the phone does not know.
        doubts.append(_doubt("position/h_accuracy_m", "an accuracy of 0 m is what mock locations report", raw, "mock"))
    return usable, tuple(doubts)


def moment(field: str, raw: Json) -> tuple[datetime | None, tuple[Doubt, ...]]:
    """Read an RFC 3339 time; a time without an offset is taken as UTC, with a doubt."""
    if raw is None:
        return None, ()
    if not isinstance(raw, str):
        return None, (_doubt(field, "it is not a text such as 2026-05-04T09:30:00Z", raw),)
    try:
        read = datetime.fromisoformat(raw.strip())
    except ValueError:
        return None, (_doubt(field, "it is not a time such as 2026-05-04T09:30:00Z", raw),)
    if read.year not in _YEARS:
        return None, (_doubt(field, f"the year {read.year} cannot be right", raw),)
    if read.tzinfo is None:
        return read.replace(tzinfo=UTC), (_doubt(field, "it has no time zone and was read as UTC", raw),)
    return read.astimezone(UTC), ()


def number(raw: Json) -> float | None:
    """A finite JSON number as a float; texts and booleans are none."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        return None
    return float(raw)


def in_range(lat: float | None, lon: float | None) -> bool:
    """Whether both are degrees on the globe, other than the null island 0, 0."""
    if lat is None or lon is None or not (math.isfinite(lat) and math.isfinite(lon)):
        return False
    return abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0.0, 0.0)


def _unusable(raw_lat: Json, raw_lon: Json) -> tuple[DoubtCode, str | None]:
    lat, lon = number(raw_lat), number(raw_lon)
    if lat is None or lon is None:
        return "unusable", "latitude and longitude are not both numbers"
    if in_range(lat, lon):
        return "unusable", None
    if (lat, lon) == (0.0, 0.0):
        return "null-island", "0, 0 is what a phone reports before it has a fix"
    hint = "; perhaps the two are swapped" if in_range(lon, lat) else ""
    return "out-of-range", f"latitude must be within ±90 and longitude within ±180{hint}"


def _accuracy(raw: Json) -> tuple[float | None, str | None]:
    if raw is None:
        return None, None
    metres = number(raw)
    if metres is None or not 0 <= metres <= MAX_ACCURACY_M:
        return None, "the accuracy is no usable number of metres"
    return metres, None


def _altitude(raw: Json) -> tuple[float | None, str | None]:
    metres = number(raw)
    if raw is None or (metres is not None and abs(metres) <= MAX_ALTITUDE_M):
        return metres, None
    return None, "the altitude is no usable number of metres"


def _float(raw: Json) -> float:
    value = number(raw)
    return math.nan if value is None else value


def _short(raw: Json) -> str | None:
    return None if raw is None or isinstance(raw, dict | list) else str(raw)[:40]


def _doubt(field: str, reason: str, raw: Json, code: DoubtCode = "unusable") -> Doubt:
    return Doubt(field=field, reason=reason, raw=raw, code=code)
