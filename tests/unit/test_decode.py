"""The record part of an upload: what is refused and where, and what is kept although it is odd."""

from __future__ import annotations

import json
import time
from typing import cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import MalformedRequest, PhotoConflict, Problem, TooLarge
from app.intake.decode import decode
from app.intake.schemas import RecordUpload

RECORD_ID = "0199a3c4-7f00-7000-8000-000000000001"


def document(**changes: object) -> dict[str, object]:
    return {
        "id": RECORD_ID,
        "project": "demo",
        "form": "pole-replacement",
        "form_version": 1,
        "asset": "P-1001",
        "crew": "Crew 7",
        "fields": {"work_order": "WO-48213", "depth_m": 1.8},
        "position": {"lat": 44.458, "lon": -93.161, "h_accuracy_m": 4.5},
        "captured_at": "2026-05-04T09:30:00-05:00",
        "photos": [{"name": "pole.jpg", "shot": "full_pole", "sha256": "AB" * 32, "size": 10}],
    } | changes


def upload(**changes: object) -> RecordUpload:
    return decode(json.dumps(document(**changes)).encode())


def test_a_good_record_fits_its_columns() -> None:
    record = upload()
    assert record.id == UUID(RECORD_ID)
    assert record.position is not None
    assert (record.position.lat, record.position.h_accuracy_m) == (44.458, 4.5)
    assert record.captured_at is not None
    assert record.captured_at.isoformat() == "2026-05-04T14:30:00+00:00"
    assert record.photos[0].sha256 == "ab" * 32
    assert record.doubts == ()


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"fields":{"a":"\xff"}}', None),
        (b'{"a":"\xed\xa0\x80"}', None),
        (b'{"fields":{"a":"x\\ud800"}}', "/fields/a"),
        (b'{"fields":{"\\u0000":1}}', "/fields"),
        (b'{"fields":{"a":["\\u0000"]}}', "/fields/a/0"),
        (b'{"fields":{"a":NaN}}', "/fields/a"),
        (b'{"fields":{"a":-Infinity}}', "/fields/a"),
        (b'{"fields":{"a":1e400}}', "/fields/a"),
        (b'{"fields":{"a":' + b"9" * 5000 + b"}}", "/fields/a"),
        (b'{"fields":{"a":1,"b":{"c":1,"c":2}}}', "/fields/b"),
        (b'{"fields":{"a/b~c":NaN}}', "/fields/a~1b~0c"),
        (b'{"fields":{"a":"' + b"x" * 10_001 + b'"}}', "/fields/a"),
        (b'{"fields":[' + b"[" * 33 + b"]" * 33 + b"]}", None),
        (b"[" * 100_000, None),
        (b'{"a":' * 40_000, None),
        (b'{"a":"' + b'\\"' * 100_000, None),
        (b'{"fields":{"a":[' + b",".join([b"1"] * 2000) + b"]}}", None),
        (b'{"fields":{"a":', None),
        (b"", None),
        (b"null", ""),
        (b"[]", ""),
        (b'{"a":1} trailing', None),
    ],
)
def test_malformed_json_is_refused_at_once_with_its_place(raw: bytes, pointer: str | None) -> None:
    begun = time.perf_counter()
    with pytest.raises(MalformedRequest) as caught:
        decode(raw)
    assert time.perf_counter() - begun < 0.5
    assert [error.pointer for error in caught.value.errors] == ([] if pointer is None else [pointer])
    caught.value.detail.encode()


def test_too_many_bytes_are_too_large_with_the_limit() -> None:
    with pytest.raises(TooLarge) as caught:
        decode(b" " * 300_000)
    assert caught.value.limits == {"record_bytes": 262_144}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": "not-a-uuid"}, "/id"),
        ({"form_version": "1"}, "/form_version"),
        ({"form_version": 2**31}, "/form_version"),
        ({"asset": "x" * 201}, "/asset"),
        ({"fields": []}, "/fields"),
        ({"photos": [{"name": "a.jpg"}]}, "/photos/0/shot"),
        ({"photos": [{"name": "a.jpg", "shot": "tag", "sha256": "zz"}]}, "/photos/0/sha256"),
        ({"photos": [{"name": "a.jpg", "shot": "tag"}, {"name": "../b", "shot": "tag"}]}, "/photos/1/name"),
    ],
)
def test_what_cannot_be_attributed_is_refused(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        upload(**changes)
    assert caught.value.errors[0].pointer == pointer


def test_a_missing_member_is_named() -> None:
    without = document()
    del without["project"]
    with pytest.raises(MalformedRequest) as caught:
        decode(json.dumps(without).encode())
    assert caught.value.errors[0].pointer == "/project"


def test_a_bom_is_dropped_and_unknown_members_stay_in_the_fields() -> None:
    record = decode(b"\xef\xbb\xbf" + json.dumps(document(weather={"wind": "high"})).encode())
    assert record.fields["weather"] == {"wind": "high"}
    clash = upload(work_order="the other one")
    assert clash.fields["work_order"] == "WO-48213"
    assert clash.fields["record.work_order"] == "the other one"


@pytest.mark.parametrize(
    "position",
    [
        {"lat": 91, "lon": 10},
        {"lat": -93.161, "lon": 44.458},
        {"lat": None, "lon": 10},
        {"lat": "33.4", "lon": "10"},
        {"lat": 0, "lon": 0},
        {"lat": True, "lon": 1},
        {"lon": 10},
        {"lat": 10**99, "lon": 1},
        "44.1,-93.2",
        [44.1, -93.2],
        7,
    ],
)
def test_an_unusable_position_is_stored_raw_and_doubted(position: object) -> None:
    record = upload(position=position)
    assert record.position is None or "lat" not in cast("dict[str, object]", position)
    assert record.fields["position"] == position
    assert [doubt.field for doubt in record.doubts] == ["position"]


def test_swapped_coordinates_that_leave_the_globe_are_said_to_be_swapped() -> None:
    assert "swapped" in upload(position={"lat": -93.161, "lon": 44.458}).doubts[0].reason


@pytest.mark.parametrize("accuracy", [-1, 0, "5", 1e7])
def test_a_wrong_accuracy_does_not_cost_the_position(accuracy: object) -> None:
    record = upload(position={"lat": 44.458, "lon": -93.161, "h_accuracy_m": accuracy})
    assert record.position is not None
    assert record.position.h_accuracy_m is None
    assert [doubt.field for doubt in record.doubts] == ["position/h_accuracy_m"]


def test_no_position_is_no_doubt() -> None:
    record = upload(position=None)
    assert record.position is None
    assert record.doubts == ()
    assert "position" not in record.fields


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00Z", 1_700_000_000, "0001-01-01T00:00:00+14:00", {}])
def test_an_unreadable_time_is_stored_raw_and_doubted(value: object) -> None:
    record = upload(captured_at=value)
    assert record.captured_at is None
    assert record.fields["captured_at"] == value
    assert [doubt.field for doubt in record.doubts] == ["captured_at"]


def test_a_time_without_offset_is_read_as_utc_and_doubted() -> None:
    record = upload(captured_at="2026-05-04T09:30:00")
    assert record.captured_at is not None
    assert record.captured_at.isoformat() == "2026-05-04T09:30:00+00:00"
    assert record.doubts


def test_case_twins_conflict_and_forty_one_photos_are_too_many() -> None:
    with pytest.raises(PhotoConflict):
        upload(photos=[{"name": "A.JPG", "shot": "tag"}, {"name": "a.jpg", "shot": "tag"}])
    with pytest.raises(TooLarge):
        upload(photos=[{"name": f"{index}.jpg", "shot": "tag"} for index in range(41)])


def test_an_unknown_kind_and_a_wrong_photo_position_are_tolerated() -> None:
    photo = upload(photos=[{"name": "a.jpg", "shot": "tag", "kind": "video", "lat": 95, "lon": "x"}]).photos[0]
    assert (photo.kind, photo.lat, photo.lon) == ("other", None, None)


@given(raw=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_a_problem_of_the_contract(raw: bytes) -> None:
    with pytest.raises(Problem):
        decode(raw)


leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
trees = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)


@given(position=trees, times=trees, extra=st.dictionaries(st.text(max_size=8), trees, max_size=3))
def test_any_storable_content_is_decoded_or_refused_by_the_contract(
    position: object, times: object, extra: dict[str, object]
) -> None:
    content = extra | document(id=str(uuid4()), position=position, captured_at=times)
    try:
        record = decode(json.dumps(content).encode())
    except Problem:
        return
    if record.position is not None:
        assert -90 <= record.position.lat <= 90
        assert -180 <= record.position.lon <= 180
    json.dumps(record.fields, allow_nan=False).encode()
