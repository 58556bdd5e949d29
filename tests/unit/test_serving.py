from __future__ import annotations

import pytest

from app.core.serving import disposition, span

NAMES = [
    ("tag", "image/jpeg", "tag.jpg", "tag.jpg"),
    ("tag.JPEG", "image/jpeg", "tag.JPEG", "tag.JPEG"),
    ("page.html", "image/jpeg", "page.html.jpg", "page.html.jpg"),
    ("a.exe", "application/octet-stream", "a.exe.bin", "a.exe.bin"),
    ("trace.sor", "application/octet-stream", "trace.sor", "trace.sor"),
    ("ФОТО 1", "image/heic", "____ 1.heic", "%D0%A4%D0%9E%D0%A2%D0%9E%201.heic"),
    ('a"; x=".html', "application/pdf", "a__ x__.html.pdf", "a%22%3B%20x%3D%22.html.pdf"),
    ("a\r\nSet-Cookie: x", "image/png", "a__Set-Cookie_ x.png", "a%0D%0ASet-Cookie%3A%20x.png"),
]


@pytest.mark.parametrize(("name", "kind", "plain", "exact"), NAMES)
def test_a_name_ends_as_its_type_does_and_breaks_no_header(name: str, kind: str, plain: str, exact: str) -> None:
    assert disposition(name, kind) == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=3-", (3, 10)),
        ("bytes=3-99999999999999999", (3, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=-0", None),
        ("bytes=9-3", None),
        ("bytes=10-", None),
        ("bytes=0-1,3-4", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("", None),
    ],
)
def test_a_range_is_read_or_passed_over(header: str, wanted: tuple[int, int] | None) -> None:
    assert span(header, 10) == wanted
    assert span(header, 0) is None
