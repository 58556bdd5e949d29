"""browser-use's API v4, call by call: runs created once, found, read, and their files; decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import msgspec

from tasks.engines.browser_use_story import BrowserUsePortal, Happened, Phase, Run, mark_of
from tasks.engines.calls import Caller
from tasks.engines.contract import FileSpec, RunSpec
from tasks.engines.errors import FileRefused, RunUnknown, ServiceBusy, ServiceUnavailable
from tasks.engines.story import utc
from tasks.engines.wire import read

FILE_BYTES = 50 * 2**20
FILES = 20
FILES_A_CALL = 10
PAGE = 200
PAGES = 20
NEW_S = 6.0
"""A run may not be there yet for as long after its create, although that was answered."""
SEARCHES = 5
"""How often a run whose create reply was lost is looked for."""
MEMORY = timedelta(hours=48)
"""Older runs than a job can be are not searched."""


class _Created(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    session_id: str


class _Runs(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    runs: list[Run]
    next_cursor: str | None = None
    has_more: bool = False


class _Happenings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    events: list[Happened]
    has_more: bool = False


class _Slot(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    upload_url: str


class _Slots(msgspec.Struct, frozen=True, kw_only=True):
    files: list[_Slot]


class BrowserUseApi:
    """For one portal."""

    def __init__(self, client: httpx.AsyncClient, portal: BrowserUsePortal, *, poll_s: float) -> None:
        self._call = Caller(client, pause_s=poll_s / 2)
        self._portal = portal
        self._poll_s = poll_s

    async def create(
        self,
        task: str,
        schema: dict[str, object],
        *,
        where: dict[str, object],
        lost: Callable[[], Awaitable[Run | None]],
    ) -> str:
        """Create a run, once, and answer its id; `lost` looks for it when the reply was lost.

        Raises `ServiceBusy` when nothing was accepted, and `ServiceUnavailable` when it may have been, and is not found.
        """
        try:
            return read(await self._call.post("/runs", self._body(task, schema) | where), _Created).id
        except ServiceBusy:
            raise
        except ServiceUnavailable:
            for _ in range(SEARCHES):
                await asyncio.sleep(self._poll_s)
                there = await lost()
                if there is not None:
                    return there.id
            raise

    def _body(self, task: str, schema: dict[str, object]) -> dict[str, object]:
        portal = self._portal
        bindings = [
            {
                "alias": alias,
                "source": {"type": "onepassword", **msgspec.to_builtins(source)},
                "allowedDomains": list(portal.hosts),
            }
            for alias, source in portal.secrets.items()
        ]
        body: dict[str, object] = {
            "task": task,
            "outputSchema": schema,
            "keepAlive": portal.keep_alive_s,
            "maxCostUsd": portal.max_cost_usd,
        }
        body |= {"secretBindings": bindings} if bindings else {}
        return body | {"model": portal.model} if portal.model else body

    async def upload(self, spec: RunSpec, read_file: Callable[[FileSpec], Awaitable[bytes]]) -> list[str]:
        """Put the photos into the workspace; answers their ids there. Raises `FileRefused`."""
        refused = [file for file in spec.files if not 0 < file.size <= FILE_BYTES]
        if refused or len(spec.files) > FILES:
            raise FileRefused(f"at most {FILES} photos of at most {FILE_BYTES} bytes are taken")
        ids: list[str] = []
        for first in range(0, len(spec.files), FILES_A_CALL):
            part = spec.files[first : first + FILES_A_CALL]
            wanted = [
                {"name": f"{spec.external_ref}-{file.name}", "contentType": file.mime, "size": file.size}
                for file in part
            ]
            path = f"/workspaces/{self._portal.workspace_id}/files/upload"
            # A second place for the same name overrides the first.
            slots = read(await self._call.post(path, {"files": wanted}, repeat=True), _Slots).files
            for file, slot in zip(part, slots, strict=True):
                await self._call.put_bytes(slot.upload_url, mime=file.mime, data=await read_file(file))
                ids.append(slot.id)
        return ids

    async def cancel(self, run_id: str) -> None:
        await self._call.post(f"/runs/{run_id}/cancel", repeat=True)

    async def answers(self) -> None:
        """Raises `ServiceUnavailable` and `Refused`."""
        await self._call.get("/runs", {"limit": 1})

    async def run(self, run_id: str) -> Run:
        """Raises `RunUnknown`, once a run that was created a moment ago must be there."""
        clock = asyncio.get_running_loop()
        until = clock.time() + NEW_S
        while True:
            try:
                return read(await self._call.get(f"/runs/{run_id}"), Run)
            except RunUnknown:
                if clock.time() >= until:
                    raise
            await asyncio.sleep(min(self._poll_s, 0.5))

    async def submission(self, fill: Run) -> Run | None:
        """The submit run of a fill run's session, if there is one."""
        mark = mark_of(fill.task)
        async for run in self._runs({"sessionId": fill.session_id}):
            its = mark_of(run.task)
            if mark and its and (its.run_key, its.phase) == (mark.run_key, "submit"):
                return await self.run(run.id)
        return None

    async def happened(self, run_id: str, *, after: int) -> list[Happened]:
        """The events above an id, all there are."""
        told: list[Happened] = []
        while True:
            reply = await self._call.get(f"/runs/{run_id}/events", {"after": after, "limit": PAGE})
            page = read(reply, _Happenings)
            told += page.events
            if not page.has_more or not page.events:
                return told
            after = max(event.id for event in page.events)

    async def of_key(self, key: str, phase: Phase) -> Run | None:
        """The run of a key and phase; of two, since a create's reply was lost for long, the oldest."""
        best = None
        async for run in self._runs({}):
            its = mark_of(run.task)
            if its is not None and (its.run_key, its.phase) == (key, phase):
                best = run
            if datetime.now(UTC) - utc(run.created_at) > MEMORY:
                break
        return best

    async def _runs(self, query: dict[str, str]) -> AsyncIterator[Run]:
        """Newest first."""
        cursor: dict[str, str | int] = {}
        for _ in range(PAGES):
            page = read(await self._call.get("/runs", {**query, **cursor, "limit": 100}), _Runs)
            for run in page.runs:
                yield run
            if not page.has_more or page.next_cursor is None:
                return
            cursor = {"cursor": page.next_cursor}
