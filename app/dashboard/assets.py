"""The dashboard's files, read once into memory. A file is found by its exact listed name, so no path can lead outside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

STATIC: Final = Path(__file__).parent / "static"

# Sent with `nosniff`: a module with another type than this one is not run. Litestar adds the charset to text types.
CONTENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
    }
)


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it is sent; `etag` is quoted."""

    body: bytes
    content_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> Asset:
        return cls(body=body, content_type=content_type, etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def load_assets(directory: Path = STATIC) -> Mapping[str, Asset]:
    """Every file below `directory` by its relative posix name. Raises `KeyError` for a suffix without a content type."""
    assets: dict[str, Asset] = {}
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        assets[path.relative_to(directory).as_posix()] = Asset.of(path.read_bytes(), CONTENT_TYPES[path.suffix])
    return MappingProxyType(assets)
