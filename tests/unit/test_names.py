"""Photo names: what is kept, what is replaced, what is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import MalformedRequest, PhotoConflict
from app.intake import names


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("field.jpg", "field.jpg"),
        ("IMG_0042-1 b.JPG", "IMG_0042-1 b.JPG"),
        ("IMG (1).jpg", "IMG _1_.jpg"),
        (unicodedata.normalize("NFD", "Größe.jpg"), "Größe.jpg"),
        ("ФОТО ☀.jpg", "ФОТО _.jpg"),
        ("ฟ้า.jpg", "ฟ้า.jpg"),
        ("a\u202egpj.jpg", "a_gpj.jpg"),
        ('"<img onerror=x>".jpg', "__img onerror_x__.jpg"),
        ("x" * 120, "x" * 120),
    ],
)
def test_kept_or_replaced(name: str, kept: str) -> None:
    assert names.clean(name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "../../x",
        "a/b.jpg",
        "C:\\a.jpg",
        "a\0b.jpg",
        "a\r\nb.jpg",
        ".htaccess",
        "..",
        "x" * 121,
        "a\ud800.jpg",
    ],
)
def test_refused(name: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        names.clean(name, pointer="/photos/0/name")
    assert caught.value.errors[0].pointer == "/photos/0/name"


@given(st.text(max_size=140))
def test_a_clean_name_is_stable_and_harmless(name: str) -> None:
    try:
        kept = names.clean(name)
    except MalformedRequest:
        return
    assert names.clean(kept) == kept
    assert 1 <= len(kept) <= 120
    assert not set(kept) & set("/\\\0\n\r<>:\"'|?*")
    assert not kept.startswith(".")


def test_twins_by_case_conflict() -> None:
    names.refuse_twins(["a.jpg", "b.jpg"])
    with pytest.raises(PhotoConflict):
        names.refuse_twins(["Straße.jpg", "STRASSE.JPG"])
