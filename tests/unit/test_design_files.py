"""Files of planned assets: what CSV and GeoJSON become, and which line of a bad one is named for what."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.design.assets import FLAWS_TOLD, MAX_EXPECTED_BYTES, Asset, DesignRefused
from app.intake.design.reading import read
from app.intake.design.table import MAX_LINE

HEAD = "asset,kind,lat,lon,tolerance_m,height_ft,class,counts/fibres,serials[]\n"


def assets(tmp_path: Path, content: str | bytes) -> list[Asset]:
    path = tmp_path / "design"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path)


def flaws(tmp_path: Path, content: str | bytes) -> list[str]:
    with pytest.raises(DesignRefused) as caught:
        assets(tmp_path, content)
    assert caught.value.count == len(caught.value.flaws)
    return list(map(str, caught.value.flaws))


def planned(asset: Asset) -> Any:
    return msgspec.json.decode(asset.expected)


def feature(properties: str, geometry: str = '{"type": "Point", "coordinates": [-93.1616, 44.4583]}') -> str:
    return f'{{"type": "Feature", "properties": {properties}, "geometry": {geometry}}}'


def collection(*features: str, more: str = "") -> str:
    return '{"type": "FeatureCollection",\n' + more + '"features": [\n' + ",\n".join(features) + "\n]}"


def test_a_table_becomes_assets_with_typed_values(tmp_path: Path) -> None:
    one, two = assets(tmp_path, HEAD + "P-1,pole,44.4583,-93.1616,12.5,45,H2,12,A1|007\n P-2 ,,,,,,true,,\n")
    assert (one.line, one.asset, one.kind, one.lat, one.lon, one.tolerance_m) == (
        2,
        "P-1",
        "pole",
        44.4583,
        -93.1616,
        12.5,
    )
    assert planned(one) == {"height_ft": 45, "class": "H2", "counts": {"fibres": 12}, "serials": ["A1", "007"]}
    assert (two.line, two.asset, two.kind, two.lat, two.lon, two.tolerance_m) == (3, "P-2", "", None, None, 50)
    assert planned(two) == {"class": True}


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("45", 45),
        ("-1.50", -1.5),
        ("007", "007"),
        ("123456789012345", 123456789012345),
        ("1234567890123456", "1234567890123456"),
        ("1E5", "1E5"),
        ("NaN", "NaN"),
        ("+4", "+4"),
        ("FALSE", False),
        ('"say ""4"""', 'say "4"'),
        ('"two\nlines"', "two\nlines"),
        ('"1,5"', "1,5"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_a_cell_is_a_number_only_as_numbers_are_written(tmp_path: Path, cell: str, value: object) -> None:
    (asset,) = assets(tmp_path, f"asset,model\nP-1,{cell}\n")
    assert planned(asset) == {"model": value} and type(planned(asset)["model"]) is type(value)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfasset;Latitude;Longitude;depth_m\r\nP-1;44,5;-93,25;1,8\r\n",
        b"sep=;\r\nAsset;lat;lon;depth_m\r\n\r\nP-1;44,5;-93,25;1,8\r\n;;;\r\n",
        b"lat\tLNG\tdepth_m\tASSET\n44.5\t-93.25\t1.8\tP-1",
        b"asset,lat,lon,depth_m,,\rP-1,44.5,-93.25,1.8,,\r",
        b'"asset","lat","lon","depth_m"\n"P-1","44.5","-93.25","1.8"\n',
    ],
    ids=["excel", "excel-sep", "tabs", "old-mac-and-empty-columns", "quoted"],
)
def test_each_dialect_of_spreadsheets_is_the_same_file(tmp_path: Path, content: bytes) -> None:
    (asset,) = assets(tmp_path, content)
    assert (asset.asset, asset.lat, asset.lon, planned(asset)) == ("P-1", 44.5, -93.25, {"depth_m": 1.8})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "line 1: there is no column asset"),
        ("asset,kind\n", "line 1: the file has no assets"),
        ("id,kind\nP-1,pole\n", "line 1: there is no column asset"),
        ("asset,kind,Type\nP-1,a,b\n", "line 1: there are two columns for kind"),
        ("asset,lat\nP-1,4\n", "line 1: lat and lon go together: there is no column lon"),
        ("asset,a,,b\nP-1,1,2,3\n", "line 1: column 3 has no name"),
        ("asset,a/*/b\nP-1,1\n", "line 1: column 2: 'a/*/b' is no path of a planned value"),
        ("asset,n/,\nP-1,1\n", "line 1: column 2: 'n/' is no path of a planned value"),
        ("asset,a,a/b\nP-1,1,2\n", "line 1: column 3: a/b is there twice, or as a value and as a group of values"),
        ("asset,a,a[]\nP-1,1,2\n", "line 1: column 3: a is there twice, or as a value and as a group of values"),
        ("asset," + ",".join(map(str, range(200))) + "\n", "line 1: there are 201 columns; 200 are allowed"),
        ("asset,a\nP-1\n", "line 2: it has 1 cells where the header has 2"),
        ("asset,a\nP-1,1,2\n", "line 2: it has 3 cells where the header has 2"),
        ("asset,a\n,1\n", "line 2: asset is missing"),
        (f"asset\n{'P' * 201}\n", "line 2: asset is 201 characters long; 200 are allowed"),
        ("asset\nP\N{ZERO WIDTH SPACE}1\n", "line 2: asset is 'P\\u200b1': it holds characters that cannot be seen"),
        (f"asset,kind\nP-1,{'k' * 201}\n", f"line 2: kind is {'k' * 59 + '…'!r}: a text of at most 200 characters is needed"),
        ("asset,lat,lon\nP-1,44.5,\n", "line 2: lon is missing"),
        ("asset,lat,lon\nP-1,N44,1\n", "line 2: lat is 'N44': degrees as a number are needed"),
        ("asset,lat,lon\nP-1,90.1,91\n", "line 2: lat, lon are '90.1', '91': degrees within ±90 and ±180 are needed"),
        ("asset,lat,lon\nP-1,-93.1,44.5\n", "line 2: lat, lon are '-93.1', '44.5': degrees within ±90 and ±180 are needed; perhaps the two are swapped"),
        ("asset,lat,lon\nP-1,0,0\n", "line 2: lat and lon are 0, 0, which is no place: leave both empty where the place is not known"),
        ("asset,tolerance_m\nP-1,-1\n", "line 2: tolerance_m is '-1': metres from 0 to 1,000,000 are allowed"),
        ("asset,tolerance_m\nP-1,1000001\n", "line 2: tolerance_m is '1000001': metres from 0 to 1,000,000 are allowed"),
        (f"asset,a\nP-1,{'x' * MAX_EXPECTED_BYTES}\n", f"line 2: the planned values are {MAX_EXPECTED_BYTES + 8} bytes of JSON; {MAX_EXPECTED_BYTES} are allowed"),
        ('asset,a\nP-0,1\nP-1,"x\nP-2,1\n', "line 3: it cannot be read, nor what follows: unexpected end of data"),
        ('asset,a\nP-1,"x"y\nP-2\n', "line 2: it cannot be read, nor what follows: ',' expected after '\"'"),
        (f"asset,a\nP-1,{'x' * 140_000}\n", "line 2: it cannot be read, nor what follows: field larger than field limit (131072)"),
        ("x" * MAX_LINE, "line 1: it cannot be read, nor what follows: it is longer than 1,000,000 characters"),
        ("asset\nP\x001\n", "line 2: it holds a NUL character, at character 2"),
        (b"asset,a\nP-1,caf\xe9\n", "line 2: it is not UTF-8, at character 8"),
        (b"asset,caf\xe9\nP-1,1\n", "line 1: it is not UTF-8, at character 10"),
        ("asset\nP-1\n".encode("utf-16"), "line 1: this is UTF-16: save it as UTF-8"),
        (b"PK\x03\x04\x14\x00", "line 1: this is a workbook: save it as “CSV UTF-8”"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_told_with_its_line(tmp_path: Path, content: str | bytes, told: str) -> None:
    assert flaws(tmp_path, content) == [told]


def test_all_flaws_are_told_at_once_by_the_lines_of_the_file(tmp_path: Path) -> None:
    content = 'asset,lat,lon,note\nP-1,91,0,"two\nlines"\n\nP-2,x,y,\nP-3,1,1,\x00\nP-1,1,1,\nP-4,1,1,\nP-4,1,1,\n'
    assert [flaw.partition(":")[0] for flaw in flaws(tmp_path, content)] == [
        "line 2",
        "line 5",
        "line 5",
        "line 6",
        "line 9",
    ]


def test_of_many_flaws_the_first_hundred_are_told(tmp_path: Path) -> None:
    with pytest.raises(DesignRefused) as caught:
        assets(tmp_path, "asset,lat,lon\n" + "P,95,0\n" * (FLAWS_TOLD + 50))
    assert (len(caught.value.flaws), caught.value.count) == (FLAWS_TOLD, FLAWS_TOLD + 50)


def test_features_become_the_same_assets(tmp_path: Path) -> None:
    whole = '{"asset": "P-1", "Type": "pole", "tolerance_m": 5, "class": "H2", "counts/fibres": 12, "serials[]": "A1", "lat": 1, "x": null}'
    nested = '{"asset": 17, "counts": {"fibres": 3}, "models": ["a", "b"]}'
    one, two = assets(
        tmp_path,
        b"\xef\xbb\xbf \n" + collection(feature(whole), feature(nested, "null"), more='"name": "plan",\n').encode(),
    )
    assert (one.line, one.asset, one.kind, one.lat, one.lon, one.tolerance_m) == (
        5,
        "P-1",
        "pole",
        44.4583,
        -93.1616,
        5,
    )
    assert planned(one) == {"class": "H2", "counts": {"fibres": 12}, "serials": ["A1"]}
    assert (two.line, two.asset, two.lat, planned(two)) == (
        6,
        "17",
        None,
        {"counts": {"fibres": 3}, "models": ["a", "b"]},
    )


GOOD = feature('{"asset": "P-0"}')


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (feature("{}"), "asset is missing"),
        (feature("null"), "asset is missing"),
        (feature('{"asset": ["P"]}'), "asset is '[\"P\"]': a text is needed"),
        (feature('{"asset": "P-0"}'), "the asset 'P-0' is on line 3 already"),
        (feature('{"asset": "P", "ASSET": "Q"}'), "there are two properties for asset"),
        (feature('{"asset": "P", "asset": "Q"}'), "the feature cannot be taken at /properties: The member 'asset' appears twice."),
        (feature('{"asset": "P\\u0000"}'), "the feature cannot be taken at /properties/asset: A text contains the NUL character."),
        (feature('{"asset": "P", "n": 1e999}'), "the feature cannot be taken at /properties/n: The number is too large."),
        (feature('{"asset": "P", "n": ' + "[" * 40 + "]" * 40 + "}"), "the feature cannot be taken: The JSON is nested more than 32 levels deep."),
        (feature('{"asset": "P", "n": "' + "x" * 70_000 + '"}'), "the feature is 70125 bytes long; 65536 are allowed"),
        (feature('{"asset": "P"}', '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}'), "the geometry is no point with two or three coordinates"),
        (feature('{"asset": "P"}', '{"type": "Point", "coordinates": [1]}'), "the geometry is no point with two or three coordinates"),
        (feature('{"asset": "P"}', '{"type": "Point", "coordinates": [44.5, -93.1]}'), "lat, lon are '-93.1', '44.5': degrees within ±90 and ±180 are needed; perhaps the two are swapped"),
        (feature('{"asset": "P"}', '{"type": "Point", "coordinates": ["1", 2]}'), "lon is '1': degrees as a number are needed"),
        (feature('{"asset": "P", "n//m": 1}'), "'n//m' is no path of a planned value"),
        ("7", "this is no feature with properties"),
        ('{"type": "Feature", "properties": []}', "this is no feature with properties"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_wrong_with_a_feature_is_told_with_its_line(tmp_path: Path, bad: str, told: str) -> None:
    assert flaws(tmp_path, collection(GOOD, bad, feature('{"asset": "P-9"}'))) == [f"line 4: {told}"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1: this is no GeoJSON FeatureCollection: Input data was truncated"),
        (GOOD, "line 1: this is no GeoJSON FeatureCollection: Invalid enum value 'Feature' - at `$.type`"),
        (collection(), "line 1: the file has no assets"),
        (
            collection(GOOD, more='"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},'),
            "line 1: the coordinates are in a system of their own (`crs`): degrees of WGS 84 are needed",
        ),
    ],
)
def test_what_is_no_collection_of_features_is_told(tmp_path: Path, content: str, told: str) -> None:
    assert flaws(tmp_path, content) == [told]


def test_json_of_any_depth_and_any_bytes_is_told(tmp_path: Path) -> None:
    for hostile in (b'{"features": ' + b"[" * 1_000_000, b'{"type": "FeatureCollection\xff"}', b'{"\x00": 1}'):
        (told,) = flaws(tmp_path, hostile)
        assert told.startswith("line 1: this is no GeoJSON FeatureCollection: ")


def test_the_system_of_coordinates_may_be_named_if_it_is_the_only_one(tmp_path: Path) -> None:
    named = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},'
    assert len(assets(tmp_path, collection(GOOD, more=named))) == 1


@given(
    begins=st.sampled_from([b"", b"asset,lat,lon,a[],b/c\n", b'{"type": "FeatureCollection", "features": [']),
    pieces=st.lists(
        st.sampled_from([b"P-1", b",", b'"', b"\n", b"\r", b"{", b"}", b"[", b"]", b":", b"1e999", b"\x00", b"\xff"])
    ),
    ends=st.binary(max_size=20),
)
def test_no_bytes_end_otherwise_than_in_assets_or_flaws(
    tmp_path_factory: pytest.TempPathFactory, begins: bytes, pieces: list[bytes], ends: bytes
) -> None:
    with suppress(DesignRefused):
        assert assets(tmp_path_factory.getbasetemp(), begins + b"".join(pieces) + ends) != []
