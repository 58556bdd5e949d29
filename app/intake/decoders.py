"""A small pool of decoding processes: one task at a time each, restarted when they die or take too long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from app.intake.decoding import Answer, Task

log = logging.getLogger("asbuilt.intake")

_MAX_ANSWER = 64 * 1024
_AT_ONCE_S = 1.0


class DecoderLost(Exception):
    """The decoding process died of this picture, or did not finish in time."""


class _Decoder:
    """One child process; after any failure it is killed and must not be used again."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> _Decoder:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "app.intake.decoding",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_MAX_ANSWER,
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, task: Task) -> Answer:
        reader, writer = self._process.stdout, self._process.stdin
        if reader is None or writer is None:
            raise DecoderLost
        try:
            writer.write(msgspec.json.encode(task) + b"\n")
            await writer.drain()
            return msgspec.json.decode(await reader.readline(), type=Answer)
        except (OSError, ValueError, msgspec.DecodeError) as exc:
            raise DecoderLost from exc

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class Decoders:
    """At most `size` processes, started when first needed and kept; `deadline_s` is wall time a picture."""

    def __init__(self, *, size: int = 2, deadline_s: float = 10.0) -> None:
        self._deadline_s = deadline_s
        self._turn = asyncio.Semaphore(size)
        self._idle: list[_Decoder] = []

    async def examine(self, path: Path, *, tz: str | None = None, whole: bool = False) -> Answer:
        """Facts about the picture at `path`; `tz` is the project's, for cameras that know none. `whole`: nothing is deferred.

        Raises `DecoderLost` for a picture that kills its process or takes too long.
        """
        return await self._run(Task(path=str(path), tz=tz, whole=whole))

    async def render(self, path: Path, to: Path, *, width: int | None = None) -> Answer:
        """Write an upright JPEG to `to`, without EXIF; in full size with its time and place. Raises `DecoderLost`."""
        return await self._run(Task(path=str(path), to=str(to), width=width))

    def pids(self) -> list[int]:
        """The idle processes, for health pages and tests."""
        return [decoder.pid for decoder in self._idle]

    async def aclose(self) -> None:
        """End all processes."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(decoder.stop() for decoder in idle))

    async def _run(self, task: Task) -> Answer:
        asked_at = time.monotonic()
        try:
            return await self._ask(task)
        except DecoderLost:
            if time.monotonic() - asked_at > _AT_ONCE_S:
                raise
            # An idle process may have been killed by somebody else; only the second loss is the picture's.
            return await self._ask(task)

    async def _ask(self, task: Task) -> Answer:
        async with self._decoder() as decoder:
            try:
                async with asyncio.timeout(self._deadline_s):
                    return await decoder.ask(task)
            except TimeoutError as exc:
                raise DecoderLost(f"not decoded within {self._deadline_s:g} s") from exc

    @contextlib.asynccontextmanager
    async def _decoder(self) -> AsyncIterator[_Decoder]:
        async with self._turn:
            decoder = self._idle.pop() if self._idle else await _Decoder.start()
            try:
                yield decoder
            except BaseException as exc:
                # Also when the request was cancelled: the answer still to come would go to the next picture.
                await decoder.stop()
                if isinstance(exc, DecoderLost):
                    log.warning("decoder lost", extra={"event": "photo.decoder_lost", "reason": str(exc)})
                raise
            self._idle.append(decoder)
