"""Equal content has one fingerprint, however it was spelled; any other content has another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

import pytest

from app.intake.decode import decode

PHOTOS: list[dict[str, object]] = [
    {"name": "a.jpg", "shot": "tag", "sha256": "11" * 32, "size": 5},
    {"name": "b.jpg", "shot": "base", "sha256": "22" * 32, "size": 6},
]
RECORD: dict[str, object] = {
    "id": "0199a3c4-7f00-7000-8000-000000000001",
    "project": "demo",
    "form": "pole-replacement",
    "form_version": 1,
    "asset": "P-1001",
    "fields": {"height": 40, "list": [1, 2], "notes": "Größe"},
    "sent_at": "2026-05-04T10:00:00Z",
    "photos": PHOTOS,
}


def of(record: object, dump: Callable[[object], str] = json.dumps) -> bytes:
    return decode(dump(record).encode()).fingerprint


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(RECORD.items())),
        RECORD | {"photos": PHOTOS[::-1]},
        RECORD | {"fields": {"list": [1.0, 2e0], "notes": "Größe", "height": 40.0}},
        RECORD | {"sent_at": "2026-05-04T11:11:11Z"},
        RECORD | {"photos": [PHOTOS[0] | {"sha256": "11" * 32}, PHOTOS[1]]},
    ],
)
def test_spelling_order_and_time_of_sending_do_not_count(same: object) -> None:
    assert of(same) == of(RECORD)
    assert len(of(RECORD)) == 32


def test_escapes_and_spaces_do_not_count() -> None:
    assert of(RECORD, lambda record: json.dumps(record, ensure_ascii=False, indent=3)) == of(RECORD)


@pytest.mark.parametrize(
    "other",
    [
        RECORD | {"fields": cast("dict[str, object]", RECORD["fields"]) | {"height": 41}},
        RECORD | {"fields": cast("dict[str, object]", RECORD["fields"]) | {"height": "40"}},
        RECORD | {"fields": cast("dict[str, object]", RECORD["fields"]) | {"list": [2, 1]}},
        RECORD | {"asset": "P-1002"},
        RECORD | {"position": {"lat": 1, "lon": 2}},
        RECORD | {"extra": None},
        RECORD | {"photos": PHOTOS[:1]},
        RECORD | {"photos": [PHOTOS[0] | {"sha256": "33" * 32}, PHOTOS[1]]},
        RECORD | {"photos": [PHOTOS[0] | {"shot": "base"}, PHOTOS[1]]},
        RECORD | {"photos": [PHOTOS[0] | {"size": 7}, PHOTOS[1]]},
    ],
)
def test_any_change_of_content_counts(other: object) -> None:
    assert of(other) != of(RECORD)
