"""Distances on the ground: between two points, and from a point to a site's boundary, in metres."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

import msgspec
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from app.intake.strict_json import Json

log = logging.getLogger("asbuilt.intake")

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG."""
_M_PER_DEGREE = EARTH_RADIUS_M * math.pi / 180


def between(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance (haversine), good to 0.5 %."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def to_boundary(lat: float, lon: float, boundary: Mapping[str, Json]) -> float | None:
    """Distance to a GeoJSON polygon, 0 inside; `None` when the boundary is no usable geometry.

    Flat metres around the point: off by less than 1 % up to some 100 km, which no tolerance needs beyond.
    """
    geometry = _geometry(msgspec.json.encode(boundary))
    if geometry is None:
        return None
    if geometry.covers(shapely.Point(lon, lat)):
        return 0.0
    scale = (_M_PER_DEGREE * math.cos(math.radians(lat)), _M_PER_DEGREE)
    flat = cast("BaseGeometry", shapely.transform(geometry, lambda points: (points - (lon, lat)) * scale))
    return float(flat.distance(shapely.Point(0.0, 0.0)))


@lru_cache(maxsize=256)
def _geometry(geojson: bytes) -> BaseGeometry | None:
    try:
        read = msgspec.json.decode(geojson)
        geometry = cast("BaseGeometry", shape(read.get("geometry", read)))
        shapely.prepare(geometry)
    except Exception as exc:
        # A broken boundary is the project's fault, not the crew's: their record is stored and merely not compared.
        log.warning("site boundary unusable", extra={"event": "site.boundary_unusable", "reason": str(exc)})
        return None
    return None if geometry.is_empty else geometry
