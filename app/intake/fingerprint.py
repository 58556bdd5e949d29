"""The fingerprint of a record: equal for equal content, whatever the bytes on the wire looked like.

Member order, photo order, number spelling and the time of sending do not count; every other change does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from app.intake.schemas import PhotoManifest
from app.intake.strict_json import Json

# A retry may be stamped anew; it is still the same record.
_ABOUT_SENDING = frozenset({"sent_at"})
_EXACT = 2**53


def fingerprint(document: Mapping[str, Json], photos: Sequence[PhotoManifest]) -> bytes:
    """SHA-256 over canonical JSON of the document without its `photos`, and of the manifest sorted by name."""
    content = {key: _canonical(value) for key, value in document.items() if key not in _ABOUT_SENDING | {"photos"}}
    manifest = sorted(photos, key=lambda photo: photo.name)
    return hashlib.sha256(msgspec.json.encode([content, manifest], order="deterministic")).digest()


def _canonical(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(member) for key, member in value.items()}
    return value
