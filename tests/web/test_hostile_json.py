"""Records as JSON that no honest encoder writes, and those that only look so (hard cases 14, 15 and 22)."""

from __future__ import annotations

import unicodedata
from typing import Any

import httpx
import msgspec
import pytest

from tests.service import record
from tests.web.hostile import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


def with_fields(raw: bytes) -> bytes:
    """A good record whose `fields` are these bytes."""
    return msgspec.json.encode(record(fields="HERE")).replace(b'"HERE"', raw)


MALFORMED: dict[str, bytes] = {
    "invalid UTF-8": with_fields(b'{"a": "\xff\xfe"}'),
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "a surrogate encoded as UTF-8": with_fields(b'{"a": "\xed\xa0\x80"}'),
    "a lone surrogate": with_fields(b'{"a": "\\ud800"}'),
    "a lone surrogate as a key": with_fields(b'{"\\udfff": 1}'),
    "NaN": with_fields(b'{"a": NaN}'),
    "Infinity": with_fields(b'{"a": [1, -Infinity]}'),
    "1e400": with_fields(b'{"a": 1e400}'),
    "5,000 digits": with_fields(b'{"a": ' + b"9" * 5000 + b"}"),
    "33 deep": with_fields(b'{"a": ' + b"[" * 33 + b"]" * 33 + b"}"),
    "100,000 deep": with_fields(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "100,000 deep in an unknown member": b'{"x": ' + b'{"a":' * 40_000,
    "a key twice": with_fields(b'{"a": 1, "a": 2}'),
    "a key twice, spelt in two ways": with_fields(b'{"a": 1, "\\u0061": 2}'),
    "NUL in a value": with_fields(b'{"a": "x\\u0000y"}'),
    "NUL in a key": with_fields(b'{"x\\u0000y": 1}'),
    "a raw control character": with_fields(b'{"a": "x\ny"}'),
    "a text that is too long": with_fields(b'{"a": "' + b"x" * 10_001 + b'"}'),
    "2,001 values": with_fields(b'{"a": [' + b",".join([b"1"] * 2001) + b"]}"),
    "cut off": msgspec.json.encode(record())[:-1],
    "two documents": msgspec.json.encode(record()) * 2,
    "empty": b"",
    "only a BOM": b"\xef\xbb\xbf",
    "an array": b"[]",
    "a text": b'"record"',
    "null": b"null",
    "form fields": b"id=1&project=demo",
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_it_is_malformed_and_stores_nothing(house: House, case: str) -> None:
    problem = await house.refused(house.put(MALFORMED[case]), 400, "malformed-request")
    assert problem["retry"] == "never"
    assert problem["detail"] != problem["title"], "it does not say what is wrong"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(with_fields(b"{%s}" % b",".join(b'"%d":1' % n for n in range(600_000))), id="600,000 keys"),
        pytest.param(with_fields(b'{"a": "' + b"x" * 10_000_000 + b'"}'), id="10 MB of text"),
        pytest.param(with_fields(b'{"a": "' + "Z͑ͫ̓ͪ̂ͫ̽".encode() * 80_000 + b'"}'), id="1 MB of marks"),
        pytest.param(b" " * (256 * 2**10 + 1), id="a byte too many"),
    ],
)
async def test_it_is_too_large_and_says_how_much_is_allowed(house: House, raw: bytes) -> None:
    problem = await house.refused(house.put(raw), 413, "too-large")
    assert problem["limits"] == {"record_bytes": house.served.settings.record_bytes}


async def test_what_is_merely_odd_is_stored_to_the_letter(house: House) -> None:
    """A right-to-left override, marks without end, an emoji in two halves: somebody may have written that."""
    odd = {
        "rtl": "abc\u202egpj.exe",
        "zalgo": unicodedata.normalize("NFD", "ẫ") * 1000,
        "emoji": "👷🏽‍♀️",
        "markup": "<img src=x onerror=alert(1)>",
        "forged": 'x\r\n{"event": "forged"}',
    }
    body = record()
    body["fields"] |= odd
    assert (await house.put(body)).status_code == 201
    (fields,) = await house.one("select fields from asbuilt_record where id = %s", body["id"])
    assert {key: fields[key] for key in odd} == odd


async def test_a_bom_a_charset_and_unknown_members_are_no_fault(house: House) -> None:
    body = record(weather={"wind": "high"})
    answer = await house.served.http.put(
        f"/api/mobile/records/{body['id']}",
        headers=house.served.bearer() | {"Content-Type": "application/json; charset=utf-8"},
        content=b"\xef\xbb\xbf" + msgspec.json.encode(body),
    )
    assert answer.status_code == 201, answer.text
    (kept,) = await house.one("select fields -> 'weather' from asbuilt_record where id = %s", body["id"])
    assert kept == {"wind": "high"}


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "text/json"])
async def test_json_under_another_name_is_refused(house: House, content_type: str) -> None:
    sent = house.put(msgspec.json.encode(record()), **{"Content-Type": content_type})
    await house.refused(sent, 415, "unsupported-media")


POSITIONS: dict[str, Any] = {
    "beyond the pole": {"lat": 91, "lon": 10},
    "nothing": {"lat": None, "lon": None},
    "a text": {"lat": "33.4", "lon": "10"},
    "swapped": {"lat": -93.161, "lon": 44.458},
    "null island": {"lat": 0, "lon": 0},
    "a bool": {"lat": True, "lon": False},
    "no object": "44.458, -93.161",
}


@pytest.mark.parametrize("case", POSITIONS)
async def test_a_position_that_is_none_is_kept_raw_and_found_missing(house: House, case: str) -> None:
    body = record(position=POSITIONS[case])
    answer = await house.put(body)
    assert answer.status_code == 201, answer.text
    assert {"position-missing", "position-swapped"} & set(rules(answer))
    kept = await house.one("select lat, lon, fields -> 'position' from asbuilt_record where id = %s", body["id"])
    assert kept == (None, None, POSITIONS[case])


@pytest.mark.parametrize(("accuracy", "rule"), [(-1, "position-poor"), (0, "position-mock"), ("4", "position-poor")])
async def test_an_accuracy_that_is_none_costs_the_accuracy_alone(house: House, accuracy: Any, rule: str) -> None:
    body = record(position={"lat": 44.4583, "lon": -93.1616, "h_accuracy_m": accuracy})
    answer = await house.put(body)
    assert answer.status_code == 201, answer.text
    assert rule in rules(answer)
    row = await house.one(
        "select lat, h_accuracy_m, fields -> 'position' from asbuilt_record where id = %s", body["id"]
    )
    assert row == (44.4583, None, body["position"])


def rules(answer: httpx.Response) -> list[str]:
    return [defect["rule"] for defect in answer.json()["defects"]]


async def test_a_position_of_nan_is_no_json(house: House) -> None:
    raw = msgspec.json.encode(record(position="HERE")).replace(b'"HERE"', b'{"lat": NaN, "lon": 1}')
    problem = await house.refused(house.put(raw), 400, "malformed-request")
    assert problem["errors"][0]["pointer"] == "/position/lat"
