"""Rules on the record's position: usable, good enough, and at the site."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import geometry
from app.intake.rules import Site
from app.intake.strict_json import Json
from tests.unit.records import context, found, only

NORTH_200_M = 44.458 + 200 / 111_195
SQUARE: dict[str, Json] = {
    "type": "Polygon",
    "coordinates": [[[-93.18, 44.44], [-93.14, 44.44], [-93.14, 44.48], [-93.18, 44.48], [-93.18, 44.44]]],
}


def at(lat: object, lon: object, **more: object) -> dict[str, object]:
    return {"lat": lat, "lon": lon} | more


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        (None, "absent"),
        (at(91, 0), "out-of-range"),
        (at(-93.161, 14.458), "out-of-range"),
        (at("44.4", "-93.1"), "unusable"),
        (at(0, 0), "null-island"),
        ("here", "unusable"),
    ],
)
def test_no_usable_position_is_major_and_keeps_the_raw_value(position: object, reason: str) -> None:
    finding = only(context(position=position))
    assert (finding.rule, finding.severity, finding.field) == ("position-missing", "major", "position")
    assert finding.evidence == {"raw": position, "reason": reason}


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (-1, ("position-poor", "minor", "position")),
        (80, ("position-poor", "minor", "position")),
        (0, ("position-mock", "major", "position")),
    ],
)
def test_a_doubtful_accuracy(accuracy: float, expected: tuple[str, str, str]) -> None:
    assert found(context(position=at(44.458, -93.161, h_accuracy_m=accuracy))) == [expected]


def test_outside_the_radius_only_beyond_the_accuracy() -> None:
    assert found(context(position=at(NORTH_200_M, -93.161))) == [("outside-site", "major", "position")]
    finding = only(context(position=at(NORTH_200_M, -93.161)))
    assert finding.message == "The position is 200 m from the site; at most 150 m is allowed."
    assert found(context(position=at(NORTH_200_M, -93.161, h_accuracy_m=60))) == [
        ("position-poor", "minor", "position")
    ]
    assert found(context(position=at(44.459, -93.161))) == []


@pytest.mark.parametrize("far", [30.001, 80])
def test_an_accuracy_coarser_than_asked_is_poor(far: float) -> None:
    assert found(context(position=at(44.458, -93.161, h_accuracy_m=30))) == []
    finding = only(context(position=at(44.458, -93.161, h_accuracy_m=far)))
    assert finding.evidence == {"h_accuracy_m": far, "allowed_m": 30}


def test_a_position_that_an_app_made_up_is_major() -> None:
    assert found(context(position=at(44.458, -93.161, mock=False))) == []
    assert found(context(position=at(44.458, -93.161, mock=True))) == [("position-mock", "major", "position")]


def test_a_height_without_accuracy_is_no_mock() -> None:
    assert found(context(position=at(44.458, -93.161, h_accuracy_m=4, v_accuracy_m=0))) == []


def test_swapped_coordinates_are_minor_where_only_the_swap_is_on_the_site() -> None:
    madagascar = Site(lat=-18.9, lon=47.5, radius_m=5_000)
    finding = only(context(position=at(47.5, -18.9), site=madagascar))
    assert (finding.rule, finding.severity, finding.evidence) == (
        "position-swapped",
        "minor",
        {"lat": 47.5, "lon": -18.9},
    )
    assert finding.message == "Latitude and longitude are swapped: 47.5, -18.9 should be -18.9, 47.5."
    assert found(context(position=at(-18.9, 47.5), site=madagascar)) == []
    # Off the site either way: what is wrong is the place.
    assert found(context(position=at(47.7, -18.9), site=madagascar)) == [("outside-site", "major", "position")]
    # Latitude -93 is none, so no column holds it; the site still tells what was meant.
    assert found(context(position=at(-93.161, 44.458))) == [("position-swapped", "minor", "position")]


def test_a_boundary_counts_before_the_point() -> None:
    site = Site(lat=0.0, lon=0.0, radius_m=100, boundary=SQUARE)
    assert found(context(position=at(44.46, -93.15), site=site)) == []
    assert found(context(position=at(44.4805, -93.15), site=site)) == []
    finding = only(context(position=at(44.49, -93.15), site=site))
    assert finding.evidence["distance_m"] == pytest.approx(1112, abs=5)


@pytest.mark.parametrize(
    "boundary", [{"type": "Polygon"}, {"type": "Nonsense", "coordinates": 1}, {}, {"geometry": None}]
)
def test_a_broken_boundary_is_the_projects_fault(boundary: dict[str, Json]) -> None:
    assert found(context(site=Site(boundary=boundary))) == []


def test_a_feature_is_read_as_its_geometry() -> None:
    assert geometry.to_boundary(44.46, -93.15, {"type": "Feature", "properties": {}, "geometry": SQUARE}) == 0.0


def test_known_distances() -> None:
    assert geometry.between(52.5200, 13.4050, 48.8566, 2.3522) == pytest.approx(877_500, rel=0.003)
    assert geometry.between(0, 179.9, 0, -179.9) == pytest.approx(22_239, rel=0.001)


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_flat_metres_agree_with_the_sphere(lat: float, lon: float, north: float, east: float) -> None:
    corner: dict[str, Json] = {"type": "Point", "coordinates": [lon + east, lat + north]}
    flat = geometry.to_boundary(lat, lon, corner)
    round_ = geometry.between(lat, lon, lat + north, lon + east)
    assert flat is not None
    assert math.isclose(flat, round_, rel_tol=0.01, abs_tol=0.5)
