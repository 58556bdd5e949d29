"""Skyvern as an engine: an agent whose `human_interaction` block is the gate. It translates, and keeps nothing.

The agent's parameters hold our run key, so that a run is found again by whoever asks. Contract-tested against a stand-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import msgspec

from tasks.engines.calls import Caller
from tasks.engines.contract import (
    Capability,
    CommitGrant,
    Event,
    FileSpec,
    Health,
    Lookup,
    RunFailure,
    RunHandle,
    RunSpec,
    RunView,
)
from tasks.engines.errors import (
    ArtifactGone,
    CommitInProgress,
    EngineError,
    FileRefused,
    GateBusy,
    GateShut,
    InputGone,
    NotAwaitingCommit,
    RunUnknown,
    ServiceBusy,
    ServiceUnavailable,
    SubmittedElsewhere,
)
from tasks.engines.pictures import kind_of
from tasks.engines.proof import Lookups, Proof, unknown
from tasks.engines.skyvern_story import (
    Entry,
    Facts,
    Parameters,
    Run,
    SkyvernPortal,
    failure_of,
    question_id,
    story_of,
)
from tasks.engines.story import Ending, Story, follow, utc
from tasks.engines.wire import read

FILE_BYTES = 10 * 2**20
SEARCHES = 5
"""How often a run whose create reply was lost is looked for."""
CONTINUES = 3


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str | None = None
    task_run_id: str | None = None


class _Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    presigned_url: str


class _Artifact(msgspec.Struct, frozen=True, kw_only=True):
    artifact_id: str
    artifact_type: str
    workflow_run_block_id: str | None = None


class SkyvernEngine:
    """One portal's agent, for one attempt. `read_file` gives a photo's bytes."""

    name = "skyvern"

    def __init__(
        self,
        client: httpx.AsyncClient,
        portal: SkyvernPortal,
        *,
        key: str,
        lookups: Lookups,
        read_file: Callable[[FileSpec], Awaitable[bytes]],
        poll_s: float,
    ) -> None:
        """`key` is the portal's own, as our look-ups know it."""
        self._call = Caller(client, pause_s=poll_s / 2)
        self._portal = portal
        self._key = key
        self._lookups = lookups
        self._read_file = read_file
        self._poll_s = poll_s
        self._stopped: set[str] = set()
        self._opening: set[str] = set()

    @property
    def caps(self) -> frozenset[Capability]:
        own: frozenset[Capability] = frozenset({"resume", "input", "cancel", "screenshots"})
        own |= {"lookup"} if self._portal.lookup else frozenset()
        return own | {"commit_gate"} if self._portal.gate else own

    async def close(self) -> None:
        """The client is shared, and closed by who made it."""

    async def start(self, spec: RunSpec, *, key: str) -> RunHandle:
        """Attach to the run of this key, or create it, once; a lost reply is looked for and never repeated."""
        there = await self._of_key(key)
        if there:
            return _handle(there[0], key, replayed=True)
        body = {
            "agent_id": self._portal.agent_id,
            "title": spec.external_ref,
            "parameters": await self._parameters(spec, key),
            "totp_identifier": key,
            "max_elapsed_time_minutes": self._portal.max_minutes,
            "run_metadata": {"run_key": key, "external_ref": spec.external_ref},
        }
        try:
            run = read(await self._call.post("/v1/run/agents", body), Run)
        except ServiceBusy:
            raise
        except ServiceUnavailable:
            for _ in range(SEARCHES):
                await asyncio.sleep(self._poll_s)
                there = await self._of_key(key)
                if there:
                    return _handle(there[0], key, replayed=False)
            raise
        return RunHandle(run_id=run.run_id, key=key)

    async def _parameters(self, spec: RunSpec, key: str) -> Parameters:
        photos = [await self._upload(file) for file in spec.files]
        return Parameters(
            run_key=key,
            external_ref=spec.external_ref,
            account=spec.account,
            record=spec.inputs,
            photos=tuple(photos),
            credential_id=self._portal.credentials.get(spec.account),
        )

    async def _upload(self, file: FileSpec) -> str:
        """An address that the agent's browser can fetch the photo from."""
        if file.size > FILE_BYTES:
            raise FileRefused(f"{file.name} has {file.size} bytes, and {FILE_BYTES} are taken")
        data = await self._read_file(file)
        reply = await self._call.send_file("/v1/upload_file", name=file.name, mime=file.mime, data=data)
        return read(reply, _Uploaded).presigned_url

    async def events(
        self, run: RunHandle, *, after: int = 0, deadline_s: float | None = None
    ) -> AsyncGenerator[Event, None]:
        async def look() -> Story:
            facts = await self._facts(run.run_id)
            story = story_of(facts)
            if facts.waits and run.run_id in self._stopped:
                story.stop_at_gate()
            return story

        async def end() -> Ending:
            return await self._ending(run.run_id)

        async for event in follow(look, end, after=after, deadline_s=deadline_s, poll_s=self._poll_s):
            yield event

    async def _ending(self, run_id: str) -> Ending:
        facts = await self._facts(run_id)
        if not facts.run.parameters.external_ref:
            return unknown("the run does not say any more whom it was for")
        proof = self._proof(facts)
        if facts.run.status == "completed" and facts.let_through:
            return await proof.of_success(facts.run.claimed)
        failure = failure_of(facts.run) if facts.run.over else RunFailure.of("CANCELLED", "", outcome="unknown")
        ending = await proof.of_failure(failure, let_through=facts.let_through)
        stopped = isinstance(ending, RunFailure) and ending.code == "CANCELLED" and ending.outcome == "not_submitted"
        return None if stopped else ending

    async def authorize_commit(self, run: RunHandle, grant: CommitGrant) -> RunView:
        """Raises `NotAwaitingCommit`, and what keeps the gate closed: the portal has it already, or cannot be asked."""
        facts = await self._facts(run.run_id)
        if (
            not facts.waits
            or run.run_id in self._stopped
            or facts.gate is None
            or facts.gate.workflow_run_block_id != grant.token
        ):
            raise NotAwaitingCommit
        if grant.decision == "submit":
            self._opening.add(run.run_id)
            await self._alone(facts)
            await self._proof(facts).nothing_yet()
            await self._continue(run.run_id)
        # Nothing aborts a paused run safely: cancelling would end the pause, as a success. It times out at its gate.
        return await self.run(run.run_id)

    async def _alone(self, facts: Facts) -> None:
        """A create whose reply was lost for long may have made a second run of the key. Raises `SubmittedElsewhere`."""
        for other in await self._of_key(facts.run.parameters.run_key):
            if other.run.run_id != facts.run.run_id and other.let_through:
                raise SubmittedElsewhere

    async def _continue(self, run_id: str) -> None:
        """The one pause of this run is ended at most once, so that a repeat does no harm while it lasts."""
        for left in reversed(range(CONTINUES)):
            try:
                await self._call.post(f"/v1/workflows/runs/{run_id}/continue")
            except RunUnknown:
                # It says nothing about an earlier one, whose reply was lost.
                raise NotAwaitingCommit from None
            except ServiceBusy as exc:
                raise GateBusy from exc
            except ServiceUnavailable as exc:
                await asyncio.sleep(self._poll_s)
                if not (await self._facts(run_id)).waits:
                    return
                if not left:
                    raise GateShut from exc
            else:
                return

    async def provide_input(self, run: RunHandle, *, input_id: str, values: dict[str, str]) -> RunView:
        facts = await self._facts(run.run_id)
        asking = [b for b in facts.blocks if b.label == self._portal.otp_step and not b.over and not facts.run.over]
        if not asking or question_id(asking[-1]) != input_id or not values.get("code"):
            raise InputGone
        body = {
            "totp_identifier": facts.run.parameters.run_key,
            "content": values["code"],
            "workflow_run_id": run.run_id,
            "source": "asbuilt",
            "type": "totp",
        }
        await self._call.post("/v1/credentials/totp", body, repeat=True)
        return _view(facts)

    async def cancel(self, run: RunHandle, *, reason: str) -> RunView:  # noqa: ARG002
        """Raises `CommitInProgress`.

        A run that has a gate is only kept from passing it: a real cancel that met it there would end the pause, which
        lets it through. It stays there until its time is over.
        """
        facts = await self._facts(run.run_id)
        gated = bool(self._portal.gate) and not facts.run.over
        if gated and (facts.let_through or run.run_id in self._opening):
            raise CommitInProgress
        if gated and facts.run.status not in {"created", "queued"}:
            self._stopped.add(run.run_id)
            return _view(facts)
        await self._call.post(f"/v1/runs/{run.run_id}/cancel", repeat=True)
        return await self.run(run.run_id)

    async def run(self, run_id: str) -> RunView:
        return _view(await self._facts(run_id))

    async def run_by_key(self, key: str) -> RunView | None:
        there = await self._of_key(key)
        return _view(there[0]) if there else None

    async def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Lookup:
        return await self._lookups.lookup(portal=portal, external_ref=external_ref, account=account)

    async def artifact(self, artifact_id: str) -> bytes:
        """The last picture of a block."""
        run_id, _, block = artifact_id.partition("/")
        try:
            kept = read(await self._call.get(f"/v1/runs/{run_id}/artifacts"), list[_Artifact])
            mine = [a for a in kept if a.workflow_run_block_id == block and a.artifact_type.startswith("screenshot")]
            best = max(mine, key=lambda a: a.artifact_type == "screenshot_final", default=None)
            reply = None if best is None else await self._call.get(f"/v1/artifacts/{best.artifact_id}/content")
        except EngineError as exc:
            raise ArtifactGone(str(exc)) from exc
        if reply is None or kind_of(reply.content) is None:
            raise ArtifactGone
        return reply.content

    async def health(self) -> Health:
        await self._call.get("/v1/runs", {"page": 1, "page_size": 1})
        return Health(browser="skyvern", free_slots=1, portals=(self._key,))

    async def _facts(self, run_id: str) -> Facts:
        run = read(await self._call.get(f"/v1/runs/{run_id}"), Run)
        entries = read(await self._call.get(f"/v1/runs/{run_id}/timeline"), list[Entry])
        blocks = [entry.block for entry in entries if entry.type == "block" and entry.block is not None]
        ordered = sorted(blocks, key=lambda block: (block.created_at, block.workflow_run_block_id))
        return Facts(portal=self._portal, run=run, blocks=tuple(ordered))

    async def _of_key(self, key: str) -> list[Facts]:
        """The runs that were given this key; one that was let through first, then the oldest."""
        for path in ("/v1/agents/runs", "/v1/runs"):
            found = read(await self._call.get(path, {"search_key": key, "page_size": 100}), list[_Found])
            names = {item.run_id or item.task_run_id for item in found}
            seen = [await self._facts(name) for name in sorted(name for name in names if name)]
            # A search finds every key that this one begins, too.
            mine = [facts for facts in seen if facts.run.parameters.run_key == key]
            if mine:
                return sorted(mine, key=lambda facts: (not facts.let_through, facts.run.created_at, facts.run.run_id))
        return []

    def _proof(self, facts: Facts) -> Proof:
        parameters = facts.run.parameters
        return Proof(
            lookups=self._lookups,
            portal=self._key,
            account=parameters.account,
            external_ref=parameters.external_ref,
            number=self._portal.number,
        )


def _handle(facts: Facts, key: str, *, replayed: bool) -> RunHandle:
    return RunHandle(run_id=facts.run.run_id, key=key, replayed=replayed, last_seq=len(story_of(facts).events))


def _view(facts: Facts) -> RunView:
    run = facts.run
    return RunView(
        id=run.run_id,
        key=run.parameters.run_key,
        attempt=1,
        status=facts.status,
        last_seq=len(story_of(facts).events) + (1 if run.over else 0),
        created_at=utc(run.created_at),
        started_at=utc(run.started_at) if run.started_at else None,
        finished_at=utc(run.finished_at) if run.finished_at else None,
    )
