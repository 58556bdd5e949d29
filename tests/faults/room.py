"""A room full of viewers, in a process of its own: thousands of clients would take their time from whoever measures.

Run: `python -m tests.faults.room URL TOKEN COUNT`; prints `ready` at once, then twice a second a line of JSON (`Said`).
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from tests.faults.processes import Proc, eventually
from tests.faults.viewers import Said, Viewer, looking, many_files, said

EVERY_S = 0.5


class Room:
    """The same, seen from outside: `said` is its last word."""

    def __init__(self, proc: Proc) -> None:
        self._proc = proc
        self._listening: asyncio.Task[None] | None = None
        self.said = Said()

    async def start(self) -> None:
        await self._proc.start()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        process = self._proc.process
        assert process is not None
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.said = msgspec.json.decode(line, type=Said)

    async def stop(self) -> None:
        await self._proc.stop()
        if self._listening is not None:
            await self._listening

    async def all_open(self, *, since: float = 0.0, within_s: float = 60.0) -> None:
        """Wait until each has a stream that began after `since`."""
        try:
            await eventually(
                lambda: self.said.open == self.said.viewers > 0 and self.said.oldest_at > since,
                within_s=within_s,
                why="not every viewer had a stream",
            )
        except AssertionError as exc:
            exc.add_note(str(msgspec.structs.replace(self.said, known=[])))
            raise

    async def all_know(self, final: dict[str, int], *, within_s: float) -> None:
        """Wait until each knows the newest of every job."""
        await eventually(
            lambda: self.said.known == [(self.said.viewers, final)],
            within_s=within_s,
            why="a viewer does not know what is in the database",
        )


async def main(url: str, token: str, count: int) -> None:
    many_files()
    viewers = [Viewer(url, token) for _ in range(count)]
    async with looking(viewers):
        print("ready", flush=True)
        while True:
            await asyncio.sleep(EVERY_S)
            print(msgspec.json.encode(said(viewers)).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
