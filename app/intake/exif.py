"""What we read from a photo's EXIF: where and when it was taken, and a short whitelist of plain facts.

Pure functions over tag tables (EXIF 2.32); hostile or broken values count as absent. Owner names and serial
numbers are never kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from app.intake.position import in_range

TakenAtSource = Literal["offset", "gps", "project_tz", "none"]
Tags = Mapping[int, object]

MAX_KEPT_BYTES = 4_096
_MAX_TEXT = 120
_KEPT: Mapping[int, str] = {
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x0112: "Orientation",
    0x9003: "DateTimeOriginal",
    0x9011: "OffsetTimeOriginal",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "ISOSpeedRatings",
    0x9209: "Flash",
    0x920A: "FocalLength",
}
_KEPT_GPS: Mapping[int, str] = {
    6: "GPSAltitude",
    7: "GPSTimeStamp",
    17: "GPSImgDirection",
    29: "GPSDateStamp",
    31: "GPSHPositioningError",
}
_DATE_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)")


def kept(tags: Tags, gps: Tags) -> dict[str, str | int | float | list[float]]:
    """The whitelisted facts, at most 4 kB as JSON."""
    facts: dict[str, str | int | float | list[float]] = {}
    for table, wanted in ((tags, _KEPT), (gps, _KEPT_GPS)):
        for tag, name in wanted.items():
            value = _plain(table.get(tag))
            if value is None:
                continue
            if len(msgspec.json.encode({**facts, name: value})) <= MAX_KEPT_BYTES:
                facts[name] = value
    return facts


def coordinates(gps: Tags) -> tuple[float, float] | None:
    """Latitude and longitude in degrees; NaN, 0/0, 0 0, out of range or without N/S E/W count as absent."""
    lat = _degrees(gps.get(2), _text(gps.get(1)), "N", "S")
    lon = _degrees(gps.get(4), _text(gps.get(3)), "E", "W")
    if lat is None or lon is None or not in_range(lat, lon):
        return None
    return lat, lon


def taken_at(tags: Tags, gps: Tags, *, tz: str | None) -> tuple[datetime | None, TakenAtSource]:
    """The moment in UTC and how far to trust it: by the camera's offset, by GPS time, or by the project's time zone."""
    local = _local(_text(tags.get(0x9003)))
    offset = _offset(_text(tags.get(0x9011)) or _text(tags.get(0x9010)))
    if local is not None and offset is not None:
        return local.replace(tzinfo=offset).astimezone(UTC), "offset"
    by_satellite = _gps_moment(gps)
    if by_satellite is not None:
        return by_satellite, "gps"
    zone = _zone(tz)
    if local is not None and zone is not None:
        return local.replace(tzinfo=zone).astimezone(UTC), "project_tz"
    return None, "none"


def turned(tags: Tags) -> bool:
    """Whether width and height swap when the picture is shown upright."""
    return tags.get(0x0112) in (5, 6, 7, 8)


def _plain(value: object) -> str | int | float | list[float] | None:
    if isinstance(value, int):
        return value if abs(value) < 2**53 else None
    text = _text(value)
    if text is not None:
        return text or None
    if isinstance(value, tuple | list):
        numbers = _numbers(value)
        return numbers if numbers and len(numbers) <= 4 else None
    return _number(value)


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str):
        return None
    clean = "".join(char for char in value if char.isprintable() and not "\ud800" <= char <= "\udfff")
    return clean.strip()[:_MAX_TEXT]


def _number(value: object) -> float | None:
    try:
        # Pillow's rationals turn 0/0 into NaN, and some broken ones raise.
        number = float(cast("float", value))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _numbers(value: object) -> list[float] | None:
    if not isinstance(value, tuple | list):
        return None
    numbers = [number for number in map(_number, value) if number is not None]
    return numbers if len(numbers) == len(value) else None


def _degrees(value: object, ref: str | None, positive: str, negative: str) -> float | None:
    parts = _numbers(value)
    if parts is None or not 1 <= len(parts) <= 3 or ref not in (positive, negative):
        return None
    degrees = sum(part / 60**power for power, part in enumerate(parts))
    return float(degrees if ref == positive else -degrees)


def _local(text: str | None) -> datetime | None:
    match = _DATE_TIME.fullmatch(text or "")
    return _moment(*map(int, match.groups())) if match else None


def _offset(text: str | None) -> timezone | None:
    match = _OFFSET.fullmatch(text or "")
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    away = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(away if match[1] == "+" else -away)


def _gps_moment(gps: Tags) -> datetime | None:
    date = _DATE.fullmatch(_text(gps.get(29)) or "")
    clock = _numbers(gps.get(7))
    if date is None or clock is None or len(clock) != 3 or not all(0 <= part < 60 for part in clock):
        return None
    read = _moment(*map(int, date.groups()), *map(int, clock))
    return None if read is None else read.replace(tzinfo=UTC)


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        read = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 the zone is found out later
    except ValueError:
        return None
    # Cameras whose clock was never set say 1970 or 0000; nothing can be concluded from that.
    return read if 1990 <= year < 2200 else None


def _zone(tz: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(tz) if tz else None
    except (LookupError, ValueError, OSError):
        return None
