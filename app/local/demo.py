"""`asbuilt demo`: sends generated records as a phone would, follows them live, and counts what the portal really holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from app.core.cache import Progress
from app.jobs.schemas import JobView
from app.jobs.states import LOOKS, JobState
from app.local.board import Board, Line
from app.local.following import Event, StreamRefused, follow
from app.local.samples import Sample, samples
from app.local.sending import Refused, send

PROJECT = "demo"
_AT_ONCE = 4
_PATIENCE_S = 300.0
_STUCK_S = 30.0
_STUCK = frozenset({JobState.HELD, JobState.NEEDS_INPUT, JobState.AWAITING_MEDIA})


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    jobs: list[JobView]


class _Submission(msgspec.Struct, frozen=True, kw_only=True):
    reference: str
    confirmation: str


async def run(*, records: int, url: str, token: str, out: TextIO) -> int:
    """Exit code 0 only if each job completed and the demo portal holds exactly one submission for each."""
    board = Board(out)
    async with httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(60.0, connect=10.0)) as client:
        watch = Watch(board)
        following = asyncio.create_task(watch.follow(client, token=token))
        try:
            await watch.first(following)
            board.say(f"Sending {records} records to {url}")
            await _send_all(client, board, watch, records=records, token=token)
            await watch.until_settled(following)
        except (StreamRefused, httpx.TransportError, msgspec.DecodeError) as exc:
            board.say(f"The service cannot be followed: {exc or type(exc).__name__}")
            return 1
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await _count_submissions(board)
    board.table()
    good = sum(line.proven for line in board.lines)
    board.say(f"{good} of {records} records completed with exactly one submission at the portal.")
    return 0 if good == records else 1


class Watch:
    """Knows the latest of every job the stream has told of, and which lines of the board they are."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._jobs: dict[UUID, JobView] = {}
        self._lines: dict[UUID, Line] = {}
        self._moved_at = time.monotonic()
        self._connected = asyncio.Event()
        self._moved = asyncio.Event()

    async def first(self, following: asyncio.Task[None]) -> None:
        """Wait until the stream is open, so that no event of ours can be missed."""
        connected = asyncio.create_task(self._connected.wait())
        await asyncio.wait({connected, following}, timeout=_STUCK_S, return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            connected.cancel()
            if following.done():
                await following
            raise StreamRefused(f"nobody answered within {_STUCK_S:.0f} s")

    async def follow(self, client: httpx.AsyncClient, *, token: str) -> None:
        """Take in events for ever."""
        async for event in follow(client, token=token):
            self._connected.set()
            for line in self._take(event):
                self._moved_at = time.monotonic()
                self._moved.set()
                self._board.changed(line)

    def adopt(self, line: Line, job_id: UUID) -> None:
        """The line's upload was answered with this job."""
        line.job_id, line.job = job_id, self._jobs.get(job_id)
        line.note = "stored"
        self._lines[job_id] = line
        self._moved_at = time.monotonic()
        self._board.changed(line)

    async def until_settled(self, following: asyncio.Task[None]) -> None:
        """Return when all jobs are over, or nothing has moved for so long that nothing will."""
        while not all(_over(line) for line in self._lines.values()):
            if following.done():
                await following
            open_states = {line.state for line in self._lines.values() if not _over(line)}
            patience_s = _STUCK_S if open_states <= _STUCK else _PATIENCE_S
            left_s = self._moved_at + patience_s - time.monotonic()
            if left_s <= 0:
                self._board.say(f"Nothing has moved for {patience_s:.0f} s.")
                return
            self._moved.clear()
            try:
                async with asyncio.timeout(min(left_s, 1.0)):
                    await self._moved.wait()
            except TimeoutError:
                self._board.draw()

    def _take(self, event: Event) -> Iterator[Line]:
        """Lines that look different now."""
        if event.kind == "state":
            yield from self._learn(msgspec.json.decode(event.data, type=JobView))
        elif event.kind == "snapshot":
            for job in msgspec.json.decode(event.data, type=_Snapshot).jobs:
                yield from self._learn(job)
        elif event.kind == "progress":
            progress = msgspec.json.decode(event.data, type=Progress)
            line = self._lines.get(UUID(str(progress.job_id)))
            if line is not None:
                before, line.progress = line.progress, progress
                if before is None or (before.step, before.percent) != (progress.step, progress.percent):
                    yield line

    def _learn(self, job: JobView) -> Iterator[Line]:
        known = self._jobs.get(job.id)
        if known is not None and known.seq >= job.seq:
            return
        self._jobs[job.id] = job
        line = self._lines.get(job.id)
        if line is not None:
            line.job = job
            yield line


def _over(line: Line) -> bool:
    return line.state is not None and LOOKS[line.state].terminal


async def _send_all(client: httpx.AsyncClient, board: Board, watch: Watch, *, records: int, token: str) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)
    drawn = samples(records, project=PROJECT, now=datetime.now(UTC))

    async def one(sample: Sample, line: Line) -> None:
        try:
            receipt = await send(client, sample, token=token)
            watch.adopt(line, receipt.automation_job_id)
        except (Refused, httpx.TransportError) as exc:
            line.note = f"not stored: {exc or type(exc).__name__}"
            board.changed(line)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(records):
            await slots.acquire()
            sample = await asyncio.to_thread(next, drawn)
            group.create_task(one(sample, board.add(sample)))


async def _count_submissions(board: Board) -> None:
    async with httpx.AsyncClient(timeout=10.0) as client:
        for line in board.lines:
            if line.job is not None and line.job.portal_url is not None:
                portal = urlsplit(line.job.portal_url)
                address = f"{portal.scheme}://{portal.netloc}/_demo/submissions"
                line.submissions = await _submissions(client, address, line.job.external_ref)


async def _submissions(client: httpx.AsyncClient, address: str, reference: str) -> int | None:
    """How many the portal holds, or `None` when it does not say."""
    try:
        answer = await client.get(address, params={"reference": reference})
        answer.raise_for_status()
        found = msgspec.json.decode(answer.content, type=list[_Submission])
    except (httpx.HTTPError, msgspec.DecodeError):
        return None
    return sum(submission.reference == reference for submission in found)
