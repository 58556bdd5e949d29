"""The pages behind the `type` of every error answer, made once from the catalogue of problems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final

from app.core.catalogue import ADVICE, Entry, entries
from app.dashboard.assets import Asset

TEMPLATE: Final = Template((Path(__file__).parent / "problem.html").read_text(encoding="utf-8"))


def problem_pages() -> Mapping[str, Asset]:
    """Every page by its problem's code."""
    return MappingProxyType({entry.code: _page(entry) for entry in entries()})


def _page(entry: Entry) -> Asset:
    body = TEMPLATE.substitute(
        code=escape(entry.code),
        status=entry.status,
        title=_text(entry.title),
        note=_text(entry.note),
        advice="\n    ".join(f"<p><code>retry: {retry}</code> – {_text(ADVICE[retry])}</p>" for retry in entry.retries),
    ).encode()
    return Asset.of(body, "text/html")


def _text(sentence: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence))
