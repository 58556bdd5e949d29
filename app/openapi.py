"""`python -m app.openapi docs/openapi.json` writes the description of the API."""

from __future__ import annotations

import sys
from pathlib import Path

from app.core import openapi
from app.core.settings import Settings
from app.main import Web


def text() -> str:
    """The description of a web process as the package makes it."""
    return openapi.text(Web(Settings()).app)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
