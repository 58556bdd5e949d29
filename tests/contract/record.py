"""A record that the demo portal takes, and its photo behind the service's own token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from tests.contract.speaker import Body
from tests.worker import rig


def sample_inputs() -> Body:
    return dict(rig.POLE)


@asynccontextmanager
async def photo_server(token: str) -> AsyncIterator[Body]:
    """One photo on a loopback port; yields its file entry."""
    files = rig.Files(token=token)
    async with rig.listening(files) as url:
        files.url = url
        entry: Body = msgspec.to_builtins(files.add("full_pole-1.jpg", rig.jpeg()))
        yield entry
