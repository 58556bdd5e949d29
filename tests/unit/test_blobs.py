from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from app.core.blobs import ABANDONED_S, Blobs


def aged(path: Path, seconds: float) -> Path:
    path.write_bytes(b"half a photo")
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


async def test_what_a_killed_process_was_writing_is_removed_at_the_next_start(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    abandoned = aged(tmp_path / "incoming" / "abandoned", ABANDONED_S + 60)
    arriving = aged(tmp_path / "incoming" / "arriving", ABANDONED_S - 60)
    kept = blobs.path(await blobs.put(b"a whole photo"))
    os.utime(kept, (0, 0))
    async with asyncio.timeout(60), blobs.tidied():
        while abandoned.exists():
            await asyncio.sleep(0.01)
    assert arriving.exists()
    assert kept.read_bytes() == b"a whole photo"
