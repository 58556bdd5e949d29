"""The client of the Asbuilt automation contract, version 1, over httpx. It translates; it never decides what to do next."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec

from tasks.engines.contract import (
    Absent,
    Capability,
    CommitGrant,
    Event,
    Found,
    Health,
    Lookup,
    RunHandle,
    RunSpec,
    RunView,
    Unavailable,
    Unsupported,
)
from tasks.engines.errors import (
    ArtifactGone,
    BadReply,
    EngineError,
    LookupUnsupported,
    RunUnknown,
    ServiceBusy,
    ServiceUnavailable,
    StreamGap,
    StreamLost,
)
from tasks.engines.wire import lines, read, refusal

log = logging.getLogger("asbuilt.engines")

_CREATE_TRIES = 3
_BACKOFF_S = 0.1
_BACKOFF_CAP_S = 5.0


class _LookupReply(msgspec.Struct, frozen=True, kw_only=True):
    found: bool
    confirmation_number: str | None = None
    submitted_at: datetime | None = None
    evidence_url: str | None = None
    as_of: datetime | None = None
    index_lag_s: float = 0.0


class _Seen(msgspec.Struct):
    """How far one reader of a run's events has come; a gap is an error, a repeat is skipped."""

    seq: int
    failures: int = 0

    def new(self, event: Event) -> bool:
        if event.seq <= self.seq:
            return False
        if event.seq != self.seq + 1:
            raise StreamGap(f"event {event.seq} came after {self.seq}")
        self.seq = event.seq
        self.failures = 0
        return True


class AsbuiltEngine:
    """An automation service that speaks the contract, at `url`; the heartbeat is the service's, in seconds."""

    name = "asbuilt"
    caps: frozenset[Capability] = frozenset(
        {"stream", "resume", "commit_gate", "input", "cancel", "screenshots", "lookup"}
    )

    def __init__(self, url: str, *, token: str, heartbeat_s: float = 10.0) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            # Silence for three and a half heartbeats is a dead stream; httpx has no total timeout of its own.
            timeout=httpx.Timeout(connect=5, read=3.5 * heartbeat_s, write=30, pool=5),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def start(self, spec: RunSpec, *, key: str) -> RunHandle:
        """Repeated with the same key on trouble of the transport: safe by contract."""
        body = msgspec.json.encode(spec)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        for left in reversed(range(_CREATE_TRIES)):
            try:
                reply = await self._call("POST", "/v1/runs", content=body, headers=headers, limit_s=15)
                break
            except ServiceBusy:
                raise
            except ServiceUnavailable:
                if not left:
                    raise
                await asyncio.sleep(_jitter(_CREATE_TRIES - left))
        view = read(reply, RunView)
        return RunHandle(run_id=view.id, key=view.key, replayed=reply.status_code == 200, last_seq=view.last_seq)

    async def events(
        self, run: RunHandle, *, after: int = 0, deadline_s: float | None = None
    ) -> AsyncGenerator[Event, None]:
        deadline = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
        seen = _Seen(seq=after)
        while True:
            cause: Exception | None = None
            try:
                async for event in self._stream(run.run_id, after=seen.seq, deadline=deadline):
                    if seen.new(event):
                        yield event
                        if event.terminal:
                            return
            except (ServiceUnavailable, TimeoutError) as exc:
                cause = exc
            if await self._ended(run.run_id, seen=seen.seq):
                return
            seen.failures += 1
            await self._back_off(run, seen, deadline=deadline, cause=cause)

    async def _stream(self, run_id: str, *, after: int, deadline: float | None) -> AsyncIterator[Event]:
        """One connection's events; ends when the service closes it, raises `ServiceUnavailable` when it breaks."""
        request = self._client.build_request(
            "GET", f"/v1/runs/{run_id}/events", params={"after": after}, headers={"Accept": "application/x-ndjson"}
        )
        try:
            reply = await self._client.send(request, stream=True)
        except httpx.TransportError as exc:
            raise ServiceUnavailable(_transport(exc)) from exc
        try:
            if reply.status_code != 200:
                await reply.aread()
                raise refusal(reply)
            source = lines(reply.aiter_bytes())
            while True:
                async with asyncio.timeout_at(deadline):
                    line = await anext(source, None)
                if line is None:
                    return
                event = _event(line)
                if event is not None:
                    yield event
        except httpx.TransportError as exc:
            raise ServiceUnavailable(_transport(exc)) from exc
        finally:
            await reply.aclose()

    async def _ended(self, run_id: str, *, seen: int) -> bool:
        try:
            view = await self.run(run_id)
        except ServiceUnavailable:
            return False
        return view.over and view.last_seq <= seen

    async def _back_off(self, run: RunHandle, seen: _Seen, *, deadline: float | None, cause: Exception | None) -> None:
        wait = _jitter(seen.failures)
        if deadline is not None and asyncio.get_running_loop().time() + wait >= deadline:
            raise StreamLost(str(cause or "")) from cause
        log.info(
            "event stream broken, reconnecting",
            extra={"event": "engine.reconnect", "run": run.run_id, "seq": seen.seq, "failures": seen.failures},
        )
        await asyncio.sleep(wait)

    async def authorize_commit(self, run: RunHandle, grant: CommitGrant) -> RunView:
        return await self._act(run.run_id, "commit", msgspec.json.encode(grant))

    async def provide_input(self, run: RunHandle, *, input_id: str, values: dict[str, str]) -> RunView:
        return await self._act(
            run.run_id, f"inputs/{quote(input_id, safe='')}", msgspec.json.encode({"values": values})
        )

    async def cancel(self, run: RunHandle, *, reason: str) -> RunView:
        return await self._act(run.run_id, "cancel", msgspec.json.encode({"reason": reason}))

    async def run(self, run_id: str) -> RunView:
        return read(await self._call("GET", f"/v1/runs/{run_id}"), RunView)

    async def run_by_key(self, key: str) -> RunView | None:
        try:
            return read(await self._call("GET", "/v1/runs", params={"key": key}), RunView)
        except RunUnknown:
            return None

    async def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Lookup:
        body = msgspec.json.encode({"portal": portal, "account": account, "external_ref": external_ref})
        headers = {"Content-Type": "application/json"}
        try:
            reply = await self._call("POST", "/v1/lookups", content=body, headers=headers, limit_s=60)
            answer = read(reply, _LookupReply)
        except ServiceBusy as exc:
            return Unavailable(
                reason=str(exc), retry_after_s=None if exc.retry_after_s is None else int(exc.retry_after_s)
            )
        except LookupUnsupported as exc:
            return Unsupported(reason=str(exc))
        except EngineError as exc:
            return Unavailable(reason=str(exc))
        if answer.found and answer.confirmation_number:
            return Found(
                confirmation_number=answer.confirmation_number,
                submitted_at=answer.submitted_at,
                evidence_url=answer.evidence_url,
            )
        # Found without a number, or a negative without its moment, proves nothing.
        if answer.found or answer.as_of is None:
            return Unavailable(reason="the answer to the look-up is incomplete")
        return Absent(as_of=answer.as_of, index_lag_s=answer.index_lag_s)

    async def artifact(self, artifact_id: str) -> bytes:
        try:
            reply = await self._call("GET", f"/v1/artifacts/{quote(artifact_id, safe='')}")
        except RunUnknown as exc:
            raise ArtifactGone from exc
        return reply.content

    async def health(self) -> Health:
        return read(await self._call("GET", "/v1/health", limit_s=5), Health)

    async def _act(self, run_id: str, verb: str, body: bytes) -> RunView:
        headers = {"Content-Type": "application/json"}
        return read(await self._call("POST", f"/v1/runs/{run_id}/{verb}", content=body, headers=headers), RunView)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        limit_s: float = 30,
    ) -> httpx.Response:
        """One request with a limit on its whole time; raises the contract's refusals."""
        try:
            async with asyncio.timeout(limit_s):
                reply = await self._client.request(method, path, content=content, headers=headers, params=params)
        except httpx.TransportError as exc:
            raise ServiceUnavailable(_transport(exc)) from exc
        except TimeoutError as exc:
            raise ServiceUnavailable(f"no answer within {limit_s:g} s") from exc
        if not reply.is_success:
            raise refusal(reply)
        return reply


def _event(line: bytes) -> Event | None:
    """An event, or None for a heartbeat, which has no seq."""
    try:
        if b'"seq"' not in line and msgspec.json.decode(line, type=dict[str, object]).get("type") == "heartbeat":
            return None
        return msgspec.json.decode(line, type=Event)
    except msgspec.MsgspecError as exc:
        raise BadReply(f"unreadable event: {exc}") from exc


def _jitter(failures: int) -> float:
    return random.uniform(0, min(_BACKOFF_CAP_S, _BACKOFF_S * 2**failures))  # noqa: S311


def _transport(exc: httpx.TransportError) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
