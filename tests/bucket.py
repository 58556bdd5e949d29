"""A server that speaks the protocol of S3, with one bucket: a program of its own, which can be stopped, frozen and restarted."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import packages

NAME = "photos"
URL = f"s3://{NAME}/asbuilt"
KEY = "S3RVER"
"""The only account that the server knows, and its password."""
_SUFFIX = "._S3rver_object"


@cache
def program() -> Path:
    """s3rver, installed once a test process."""
    folder = tempfile.mkdtemp(prefix="asbuilt-s3rver-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return packages.npm(Path(folder), "s3rver@3.7.1") / ".bin" / "s3rver"


class Bucket:
    """`env` is what a process needs to reach it; objects are named as their keys, without the prefix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = program()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None
        self.env = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_REGION": "us-east-1",
            "ASBUILT_BLOBS": URL,
        }

    async def start(self) -> None:
        """Answers once it does."""
        where = ("-a", "127.0.0.1", "-p", str(self._port), "-d", str(self._folder), "-s", "--configure-bucket", NAME)
        self._process = await asyncio.create_subprocess_exec(
            str(self._program), *where, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self, *, frozen: bool) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def objects(self) -> dict[str, bytes]:
        """Every object's key and bytes."""
        return {key: path.read_bytes() for key, path in self._files()}

    def age(self, key: str, seconds: float) -> None:
        """Let an object look as if it had been put so long ago."""
        then = time.time() - seconds
        for name, path in self._files():
            if name == key:
                os.utime(path, (then, then))

    def damage(self, key: str, data: bytes) -> None:
        for name, path in self._files():
            if name == key:
                path.write_bytes(data)

    def _files(self) -> Iterator[tuple[str, Path]]:
        root = self._folder / NAME / "asbuilt"
        for path in sorted(root.rglob(f"*{_SUFFIX}")):
            yield str(path.relative_to(root)).removesuffix(_SUFFIX), path
