"""What Skyvern says of an agent run, and the story that it makes; sends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from tasks.engines import events as told
from tasks.engines.codes import CLASS_OF
from tasks.engines.contract import RunFailure, RunStatus
from tasks.engines.story import Story, utc

OTP_S = 180.0
TOLD = 300
"""Characters of a model's free text that are kept."""

ENDED = frozenset({"completed", "failed", "terminated", "canceled", "timed_out"})


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A block of the agent, by its label there; `title` is the dashboard's word for it."""

    label: str
    title: str


class SkyvernPortal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`portal.engine_config` of a portal whose engine is Skyvern. `number` is the pattern of confirmation numbers."""

    agent_id: str
    number: str
    steps: tuple[Step, ...] = ()
    gate: str = "gate"
    """Label of the `human_interaction` block; empty: the agent has none, and every start is a point of no return."""
    gate_s: Annotated[int, msgspec.Meta(gt=0)] = 7200
    otp_step: str = ""
    """Label of the block in which the portal asks for a one-time code; empty: it never does."""
    credentials: dict[str, str] = {}
    """Account to the id of its credential in Skyvern's vault."""
    max_minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 30
    lookup: bool = True


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent is given, and we read again: who this run is for."""

    run_key: str = ""
    external_ref: str = ""
    account: str = "default"
    record: dict[str, object] = {}
    photos: tuple[str, ...] = ()
    credential_id: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    parameters: Parameters | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /v1/runs/{id}`, as far as we read it; all but the first four may be null or absent."""

    run_id: str
    status: str
    created_at: datetime
    modified_at: datetime
    output: Any = None
    failure_reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    run_request: Request | None = None

    @property
    def parameters(self) -> Parameters:
        return (self.run_request and self.run_request.parameters) or Parameters()

    @property
    def over(self) -> bool:
        return self.status in ENDED

    @property
    def claimed(self) -> object:
        """The confirmation number that the run says it got."""
        return self.output.get("confirmation_number") if isinstance(self.output, dict) else None


class Block(msgspec.Struct, frozen=True, kw_only=True):
    workflow_run_block_id: str
    created_at: datetime
    modified_at: datetime
    label: str | None = None
    block_type: str | None = None
    status: str | None = None

    @property
    def over(self) -> bool:
        return self.status in ENDED or self.status == "skipped"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One of a timeline; a thought has no block."""

    type: str
    block: Block | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A run and its blocks, first to last. The run was asked for first, so the blocks may be ahead of it."""

    portal: SkyvernPortal
    run: Run
    blocks: tuple[Block, ...]

    @property
    def gate(self) -> Block | None:
        gates = [block for block in self.blocks if self.portal.gate and block.label == self.portal.gate]
        return gates[-1] if gates else None

    @property
    def waits(self) -> bool:
        """At its gate, which is closed."""
        return (
            self.run.status == "paused"
            and self.gate is not None
            and self.blocks[-1] == self.gate
            and not self.gate.over
        )

    @property
    def let_through(self) -> bool:
        """Whether it may have submitted by its own right: from the start where there is no gate."""
        if not self.portal.gate:
            return True
        gate = self.gate
        # Whatever ends the pause ends the block as a success, a cancel too.
        return gate is not None and (gate.status == "completed" or self.blocks[-1] != gate)

    @property
    def status(self) -> RunStatus:
        """In our words. One that ended is a success only by proof, which is not looked for here."""
        if self.waits:
            return "awaiting_commit"
        words: dict[str, RunStatus] = {
            "created": "queued",
            "queued": "queued",
            "paused": "needs_input",
            "completed": "succeeded",
            "canceled": "cancelled",
        }
        return words.get(self.run.status, "failed" if self.run.over else "running")


def story_of(facts: Facts) -> Story:
    """The run's events so far."""
    run, portal = facts.run, facts.portal
    story = Story(run.run_id)
    story.tell("run.queued", utc(run.created_at), told.RunQueued(position=0))
    if run.status in {"created", "queued"} and not facts.blocks:
        return story
    story.tell(
        "run.started", utc(run.started_at or run.created_at), told.RunStarted(worker="skyvern", browser="skyvern")
    )
    titles = {step.label: step.title for step in portal.steps}
    shown = [block for block in facts.blocks if block.label != portal.gate]
    for position, block in enumerate(facts.blocks):
        passed = block.over or run.over or position + 1 < len(facts.blocks)
        if portal.gate and block.label == portal.gate:
            if not passed and run.status != "paused":
                # Asked now, the worker would find the gate not reached yet, and never be asked again.
                return story
            story.tell("commit.requested", utc(block.created_at), _request(facts, block))
            if facts.let_through and block == facts.gate:
                story.tell("commit.sent", utc(block.modified_at), told.CommitSent(at=utc(block.modified_at)))
            continue
        label = block.label or block.workflow_run_block_id
        index = shown.index(block) + 1
        # Of the steps that are declared: those still to come must not change what was told.
        total = max(len(titles), index)
        _step(story, block, index=index, total=total, title=titles.get(label, label), portal=portal)
    story.over = run.over
    return story


def _step(story: Story, block: Block, *, index: int, total: int, title: str, portal: SkyvernPortal) -> None:
    began, changed = utc(block.created_at), utc(block.modified_at)
    label = block.label or block.workflow_run_block_id
    story.step(began, index=index, total=total, key=label, label=title)
    asks = portal.otp_step != "" and block.label == portal.otp_step
    if asks:
        story.tell("input.required", began, _question(block))
    if not block.over:
        return
    if asks:
        story.tell("input.received", changed, told.InputReceived(id=question_id(block)))
    picture = f"{story.run_id}/{block.workflow_run_block_id}"
    story.tell("frame", changed, told.Frame(artifact_id=picture, url="", w=0, h=0, step=label))
    if block.status == "completed":
        story.tell("step.confirmed", changed, told.StepConfirmed(id=label))


def _request(facts: Facts, gate: Block) -> told.CommitRequested:
    parameters = facts.run.parameters
    return told.CommitRequested(
        external_ref=parameters.external_ref,
        # A model's summary of its own work would prove nothing, so none is asked for.
        review=told.Review(photo_count=len(parameters.photos)),
        token=gate.workflow_run_block_id,
        expires_at=utc(gate.created_at) + timedelta(seconds=facts.portal.gate_s),
    )


def question_id(block: Block) -> str:
    """Of the one question that a block can have."""
    return f"otp-{block.workflow_run_block_id}"


def _question(block: Block) -> dict[str, object]:
    expires_at = utc(block.created_at) + timedelta(seconds=OTP_S)
    return {
        "id": question_id(block),
        "kind": "otp",
        "prompt": "The portal asks for a one-time code.",
        "expires_at": expires_at,
        "fields": [{"key": "code", "label": "One-time code", "type": "text"}],
    }


def failure_of(run: Run) -> RunFailure:
    """Why it ended without success; its outcome is for the proof to say."""
    mapped = run.output.get("error") if isinstance(run.output, dict) else None
    usual = {"failed": "SERVICE_5XX", "timed_out": "DEADLINE", "canceled": "CANCELLED"}.get(run.status, "UNKNOWN_PAGE")
    code = mapped if isinstance(mapped, str) and mapped in CLASS_OF else usual
    return RunFailure.of(code, (run.failure_reason or f"the run is {run.status}")[:TOLD], outcome="unknown")
