"""Keeps the secrets of a run out of all that is stored, streamed or logged about it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 4
"""A secret shorter than this would blacken half of every text; such a password is refused by portals anyway."""

MASK = "•••"


class Redactor:
    """Replaces secrets, also where they stand encoded for a URL, HTML or JSON, or in base64; may learn more on the way."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on this text is replaced too."""
        if len(secret) >= _SHORTEST:
            self._forms |= _forms(secret)
            # The longest first: a shorter form may be a part of it and would leave the rest.
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_expression, longest_first)))

    def text(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def value(self, value: object) -> object:
        """The same value with every string inside it redacted, keys of objects too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value


def _forms(secret: str) -> set[str]:
    """Every way in which the text of a secret may stand in something that is kept."""
    escaped = html.escape(secret, quote=True)
    percent = quote(secret, safe="")
    forms = {
        secret,
        percent,
        quote(secret),
        quote_plus(secret),
        escaped,
        html.escape(secret, quote=False),
        # Chromium's own serialiser leaves single quotes, and writes no-break spaces by name.
        escaped.replace("&#x27;", "'"),
        escaped.replace("&#x27;", "&#39;"),
        repr(secret)[1:-1],
        # ARIA snapshots are YAML, in which a single quote is doubled.
        secret.replace("'", "''"),
    }
    forms |= {form.replace("%7E", "~").replace("%2A", "*") for form in (percent, quote_plus(secret))}
    # JSON is told inside JSON, too.
    forms |= {again for form in _in_json(secret) for again in _in_json(form)} | _in_json(secret)
    return forms | _base64(secret.encode())


def _expression(form: str) -> str:
    """Percent codes are the same in either case."""
    return re.sub("%([0-9A-F]{2})", r"%(?i:\1)", re.escape(form))


def _in_json(text: str) -> set[str]:
    return {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def _base64(secret: bytes) -> set[str]:
    """Also inside a longer text, where the secret may begin at any of three places: the whole characters of each.

    `user:password` of basic authentication is such a text.
    """
    found = set()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + secret).decode().rstrip("=")
        # Characters that a neighbour has a part in are left off at both ends.
        first = (0, 2, 3)[lead]
        last = len(encoded) - (1 if (lead + len(secret)) % 3 else 0)
        part = encoded[first:last]
        if len(part) >= _SHORTEST:
            found |= {part, part.replace("+", "-").replace("/", "_")}
    whole = base64.b64encode(secret).decode().rstrip("=")
    return found | {whole, whole.replace("+", "-").replace("/", "_")}
