"""A design as GeoJSON (RFC 7946): a collection of features, each a point with its planned values as properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from app.core.errors import Problem
from app.intake import strict_json
from app.intake.design.assets import KNOWN, LIST, MAX_EXPECTED_BYTES, Asset, Flaw, judge, plant, steps
from app.intake.strict_json import Json

MAX_FEATURE_BYTES = 4 * MAX_EXPECTED_BYTES
_DEGREES: Final = ("CRS84", "EPSG::4326", "EPSG:4326")
"""How older files name the one coordinate system that GeoJSON has."""


class _Collection(msgspec.Struct, frozen=True, kw_only=True):
    type: Literal["FeatureCollection"]
    features: list[msgspec.Raw]
    crs: msgspec.Raw = msgspec.Raw(b"null")


def read(raw: bytes) -> Iterator[Asset | Flaw]:
    """The assets of a GeoJSON text, each with the line on which its feature begins."""
    try:
        collection = msgspec.json.decode(raw, type=_Collection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        yield Flaw(line=1, message=f"this is no GeoJSON FeatureCollection: {exc}")
        return
    crs = bytes(collection.crs)
    if crs != b"null" and not any(name.encode() in crs for name in _DEGREES):
        yield Flaw(line=1, message="the coordinates are in a system of their own (`crs`): degrees of WGS 84 are needed")
        return
    at, line = 0, 1
    for feature in collection.features:
        text = bytes(feature)
        begins = raw.index(text, at)
        line += raw.count(b"\n", at, begins)
        yield from _feature(line, text)
        line += text.count(b"\n")
        at = begins + len(text)


def _feature(line: int, text: bytes) -> Iterator[Asset | Flaw]:
    if len(text) > MAX_FEATURE_BYTES:
        yield Flaw(line=line, message=f"the feature is {len(text)} bytes long; {MAX_FEATURE_BYTES} are allowed")
        return
    try:
        feature = strict_json.read(text)
    except Problem as exc:
        where = "".join(f" at {error.pointer}" for error in exc.errors)
        yield Flaw(line=line, message=f"the feature cannot be taken{where}: {exc.detail}")
        return
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(properties, dict | None):
        yield Flaw(line=line, message="this is no feature with properties")
        return
    known: dict[str, Json] = {}
    expected: dict[str, Json] = {}
    try:
        known["lon"], known["lat"] = _point(feature.get("geometry"))
        for name, value in (properties or {}).items():
            _property(name, value, known, expected)
    except ValueError as exc:
        yield Flaw(line=line, message=str(exc))
        return
    yield from judge(line, known, expected)


def _property(name: str, value: Json, known: dict[str, Json], expected: dict[str, Json]) -> None:
    own = KNOWN.get(name.strip().casefold())
    if value is None or own in ("lat", "lon"):
        # The geometry has the place; many tools repeat it among the properties.
        return
    if own is None:
        path = steps(name.strip())
        plant(expected, path, [value] if name.endswith(LIST) and not isinstance(value, list) else value)
    elif own in known:
        raise ValueError(f"there are two properties for {own}")
    else:
        known[own] = value


def _point(geometry: Json) -> tuple[Json, Json]:
    """Longitude and latitude, in GeoJSON's order; neither for a feature without a place. Raises `ValueError`."""
    if geometry is None:
        return None, None
    where = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
    if not isinstance(where, list) or len(where) not in (2, 3):
        raise ValueError("the geometry is no point with two or three coordinates")
    return where[0], where[1]
