"""browser-use (API v4) as an engine: one run fills in, our gate opens, a second run in the same session submits.

A task's first line holds our run key, so that a run is found again by whoever asks; nothing is kept here, and no POST is
sent twice. Contract-tested against a stand-in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import msgspec

from tasks.engines.browser_use_api import BrowserUseApi
from tasks.engines.browser_use_story import (
    FILL_SCHEMA,
    LAST,
    QUIET_LOOKS,
    SUBMIT_SCHEMA,
    BrowserUsePortal,
    Facts,
    Happened,
    Mark,
    Run,
    failure_of,
    fill_task,
    story_of,
    submit_task,
)
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
    GateBusy,
    GrantExpired,
    InputGone,
    NotAwaitingCommit,
    ServiceBusy,
)
from tasks.engines.proof import Lookups, Proof, unknown
from tasks.engines.story import Ending, Story, follow, utc


class BrowserUseEngine:
    """One portal's instructions, for one attempt. `read_file` gives a photo's bytes."""

    name = "browser-use"

    def __init__(
        self,
        client: httpx.AsyncClient,
        portal: BrowserUsePortal,
        *,
        key: str,
        lookups: Lookups,
        read_file: Callable[[FileSpec], Awaitable[bytes]],
        poll_s: float,
    ) -> None:
        """`key` is the portal's own, as our look-ups know it."""
        self._api = BrowserUseApi(client, portal, poll_s=poll_s)
        self._portal = portal
        self._key = key
        self._lookups = lookups
        self._read_file = read_file
        self._poll_s = poll_s
        self._stopped: set[str] = set()
        self._opening: set[str] = set()

    @property
    def caps(self) -> frozenset[Capability]:
        own: frozenset[Capability] = frozenset({"resume", "cancel", "commit_gate"})
        return own | {"lookup"} if self._portal.lookup else own

    async def close(self) -> None:
        """The client is shared, and closed by who made it."""

    async def start(self, spec: RunSpec, *, key: str) -> RunHandle:
        """Attach to the run of this key, or create it, once; a lost reply is looked for and never repeated."""
        # Nobody has created a run for a first attempt, and looking through all runs is slow.
        there = await self._api.of_key(key, "fill") if spec.attempt > 1 else None
        if there is not None:
            return RunHandle(run_id=there.id, key=key, replayed=True)
        mark = Mark(run_key=key, phase="fill", external_ref=spec.external_ref, account=spec.account)
        run_id = await self._api.create(
            fill_task(self._portal, spec, mark),
            FILL_SCHEMA,
            where={
                "workspaceId": self._portal.workspace_id,
                "attachedFileIds": await self._api.upload(spec, self._read_file),
            },
            lost=lambda: self._api.of_key(key, "fill"),
        )
        return RunHandle(run_id=run_id, key=key)

    async def events(
        self, run: RunHandle, *, after: int = 0, deadline_s: float | None = None
    ) -> AsyncGenerator[Event, None]:
        watch = _Watch(self, self._api, run.run_id)

        async def look() -> Story:
            story = await watch.look()
            if run.run_id in self._stopped and story.events[-1].type == "commit.requested":
                story.stop_at_gate()
            return story

        async def end() -> Ending:
            return await self._ending(run.run_id)

        async for event in follow(look, end, after=after, deadline_s=deadline_s, poll_s=self._poll_s):
            yield event

    async def _ending(self, run_id: str) -> Ending:
        facts = await self.facts(run_id)
        if facts.mark is None:
            return unknown("the run does not say any more whom it was for")
        proof = self._proof(facts.mark)
        if facts.submit is not None and facts.submit.status == "completed":
            return await proof.of_success(facts.submit.answer.get("confirmation_number"))
        ending = await proof.of_failure(failure_of(facts), let_through=facts.submit is not None)
        stopped = isinstance(ending, RunFailure) and ending.code == "CANCELLED" and ending.outcome == "not_submitted"
        return None if stopped else ending

    async def authorize_commit(self, run: RunHandle, grant: CommitGrant) -> RunView:
        """Raises `NotAwaitingCommit`, and what keeps the gate closed: the portal has it already, or cannot be asked.

        To abort is to leave the session alone: its browser closes by itself.
        """
        facts = await self.facts(run.run_id)
        if (
            facts.mark is None
            or not facts.ready
            or run.run_id in self._stopped
            or facts.submit is not None
            or grant.token != f"{run.run_id}-submit"
        ):
            raise NotAwaitingCommit
        if facts.expired:
            raise GrantExpired
        if grant.decision == "submit":
            self._opening.add(run.run_id)
            await self._proof(facts.mark).nothing_yet()
            await self._submit(facts, msgspec.structs.replace(facts.mark, phase="submit"))
        return await self.run(run.run_id)

    async def _submit(self, facts: Facts, mark: Mark) -> None:
        try:
            await self._api.create(
                submit_task(mark),
                SUBMIT_SCHEMA,
                where={"sessionId": facts.fill.session_id},
                lost=lambda: self._api.submission(facts.fill),
            )
        except ServiceBusy as exc:
            raise GateBusy from exc

    async def provide_input(self, run: RunHandle, *, input_id: str, values: dict[str, str]) -> RunView:  # noqa: ARG002
        """A run never asks: one that cannot go on says why, and ends."""
        raise InputGone

    async def cancel(self, run: RunHandle, *, reason: str) -> RunView:  # noqa: ARG002
        facts = await self.facts(run.run_id)
        if run.run_id in self._opening or (facts.submit is not None and not facts.submit.over):
            raise CommitInProgress
        # One that stands filled in has ended already: nobody lets it through any more, and its browser closes by itself.
        self._stopped.add(run.run_id)
        await self._api.cancel(run.run_id)
        return await self.run(run.run_id)

    async def run(self, run_id: str) -> RunView:
        return _view(await self.facts(run_id))

    async def run_by_key(self, key: str) -> RunView | None:
        there = await self._api.of_key(key, "fill")
        return None if there is None else await self.run(there.id)

    async def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Lookup:
        return await self._lookups.lookup(portal=portal, external_ref=external_ref, account=account)

    async def artifact(self, artifact_id: str) -> bytes:  # noqa: ARG002
        raise ArtifactGone

    async def health(self) -> Health:
        await self._api.answers()
        return Health(browser="browser-use", free_slots=1, portals=(self._key,))

    async def facts(self, run_id: str) -> Facts:
        """Both runs as they stand, without what happened in them."""
        fill = await self._api.run(run_id)
        submit = await self._api.submission(fill) if fill.over else None
        return Facts(portal=self._portal, fill=fill, submit=submit, now=datetime.now(UTC))

    def _proof(self, mark: Mark) -> Proof:
        return Proof(
            lookups=self._lookups,
            portal=self._key,
            account=mark.account,
            external_ref=mark.external_ref,
            number=self._portal.number,
        )


class _Watch:
    """One reader of a session: remembers the events that it has fetched, and asks for those after them."""

    def __init__(self, engine: BrowserUseEngine, api: BrowserUseApi, run_id: str) -> None:
        self._engine = engine
        self._api = api
        self._run_id = run_id
        self._events: dict[str, dict[int, Happened]] = {}
        self._quiet: dict[str, int] = {}

    async def look(self) -> Story:
        facts = await self._engine.facts(self._run_id)
        filled, fill_settled = await self._of(facts.fill)
        submitted, submit_settled = await self._of(facts.submit) if facts.submit else ((), False)
        return story_of(
            msgspec.structs.replace(
                facts,
                filled=filled,
                fill_settled=fill_settled,
                submitted=submitted,
                submit_settled=submit_settled,
            )
        )

    async def _of(self, run: Run) -> tuple[tuple[Happened, ...], bool]:
        """What happened in a run, each once and in order, and whether that is all."""
        known = self._events.setdefault(run.id, {})
        new = await self._api.happened(run.id, after=max(known, default=0))
        known |= {event.id: event for event in new}
        self._quiet[run.id] = 0 if new or not run.over else self._quiet.get(run.id, 0) + 1
        ordered = tuple(known[number] for number in sorted(known))
        said = any(event.type in LAST for event in ordered)
        return ordered, run.over and (said or self._quiet[run.id] >= QUIET_LOOKS)


def _view(facts: Facts) -> RunView:
    mark = facts.mark
    return RunView(
        id=facts.fill.id,
        key=mark.run_key if mark else "",
        attempt=1,
        status=facts.status,
        # Not counted here: that would take all events of both runs.
        last_seq=0,
        created_at=utc(facts.fill.created_at),
        finished_at=(facts.submit or facts.fill).changed_at if facts.over else None,
    )
