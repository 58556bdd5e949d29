"""What two revisions differ in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.review.diff import changes, photo_changes

A, B = {"shot": "tag", "kind": "photo", "sha256": "aa"}, {"shot": "tag", "kind": "photo", "sha256": "bb"}
UNKNOWN = {"shot": "tag", "kind": "photo", "sha256": None}
POLE = {"shot": "pole", "kind": "photo", "sha256": "cc"}


@pytest.mark.parametrize(
    ("earlier", "later", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("changed", "/a", 1, True)]),
        ({"a": 1}, {"a": 2, "b": None}, [("changed", "/a", 1, 2), ("added", "/b", None, None)]),
        ({"a": 1, "b": [1, 2]}, {"b": [1]}, [("removed", "/b/1", 2, None), ("removed", "/a", 1, None)]),
        ({"a": {"b/c~": 1}}, {"a": {"b/c~": 2}}, [("changed", "/a/b~1c~0", 1, 2)]),
        ({"a": []}, {"a": {}}, [("changed", "/a", [], {})]),
        (
            {"a": [{"n": 1}]},
            {"a": [{"n": 2}, {"n": 3}]},
            [("changed", "/a/0/n", 1, 2), ("added", "/a/1", None, {"n": 3})],
        ),
    ],
)
def test_values(earlier: Any, later: Any, found: list[Any]) -> None:
    assert [msgspec.structs.astuple(change) for change in changes(earlier, later)] == found


@pytest.mark.parametrize(
    ("earlier", "later", "found"),
    [
        ({"one": A}, {"one": A}, []),
        ({"one": UNKNOWN}, {"one": A}, []),
        ({"one": A}, {"one": B}, [("replaced", "one", "tag", "one")]),
        ({"one": A}, {"two": B}, [("replaced", "two", "tag", "one")]),
        ({"one": A}, {"one": A, "two": B}, [("added", "two", "tag", None)]),
        ({"one": A, "p": POLE}, {"p": POLE}, [("removed", "one", "tag", "one")]),
        ({"one": A}, {"p": POLE}, [("added", "p", "pole", None), ("removed", "one", "tag", "one")]),
        ({"one": A}, {"two": B, "three": B}, [("added", "three", "tag", None), ("replaced", "two", "tag", "one")]),
    ],
)
def test_photos(earlier: Any, later: Any, found: list[Any]) -> None:
    assert [msgspec.structs.astuple(change) for change in photo_changes(earlier, later)] == found
