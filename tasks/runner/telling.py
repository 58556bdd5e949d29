"""Prints a run for the author of its recipe, line by line, and keeps its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from tasks.engines.contract import Event
from tasks.engines.events import (
    ActionCompleted,
    ActionStarted,
    CommitObserved,
    Drift,
    Log,
    Retrying,
    RunFailed,
    RunSucceeded,
    StepConfirmed,
    StepStarted,
)
from tasks.runner.recipe import Recipe


class Teller:
    """`frames` is made with the first picture."""

    def __init__(self, out: TextIO, *, frames: Path) -> None:
        self._out = out
        self._frames = frames
        self._kept = 0
        self._action: ActionStarted | None = None

    def begin(self, recipe: Recipe, *, browser: str, reference: str) -> None:
        by = "plain HTTP" if browser == "none" else browser
        self._say(f"{recipe.recipe} {recipe.version} by {by}, as {reference}")

    def tell(self, event: Event) -> None:
        """One event, in one line or none."""
        match event.type:
            case "step.started":
                step = event.read(StepStarted)
                self._say(f"step {step.index}/{step.total} {step.id}: {step.label}")
            case "action.started":
                self._action = event.read(ActionStarted)
            case "action.completed" if self._action is not None:
                ms = event.read(ActionCompleted).ms
                self._say(f"  {self._action.index}/{self._action.total} {self._action.label} · {ms} ms")
            case "step.confirmed":
                outputs = event.read(StepConfirmed).outputs
                self._say("  saved" + "".join(f" · {key} = {value}" for key, value in outputs.items()))
            case "drift":
                self._say(f"  drift: {event.read(Drift).text}")
            case "log":
                self._say(f"  {event.read(Log).text}")
            case "retrying":
                self._say(f"  again: {event.read(Retrying).why}")
            case "commit.observed":
                self._say(f"  sent; the portal answered {event.read(CommitObserved).status}")
            case _:
                pass

    def keep(self, step: str, picture: bytes) -> None:
        """A frame, numbered in the order of the run."""
        self._frames.mkdir(parents=True, exist_ok=True)
        self._kept += 1
        (self._frames / f"{self._kept:02d}-{step}.jpg").write_bytes(picture)

    def end(self, event: Event, *, commit: bool) -> int:
        """The last word, and the exit code."""
        if self._kept:
            self._say(f"{self._kept} frames in {self._frames}")
        if event.type == "run.succeeded":
            result = event.read(RunSucceeded).result
            self._say(
                f"submitted: {result.confirmation_number}" if commit else "stopped at the gate: nothing was submitted"
            )
            return 0
        if event.type == "run.failed":
            self._failed(event)
        else:
            self._say(f"ended as {event.type}")
        return 1

    def _failed(self, event: Event) -> None:
        error = event.read(RunFailed).error
        if self._action is not None and error.action is not None:
            self._say(f"  {self._action.index}/{self._action.total} {error.action} · failed")
        self._say(f"{error.code} in step {error.step or '-'}: {error.message}")
        for message in error.portal_messages:
            self._say(f"  {message.field or 'the page'}: {message.text}")
        if error.outcome != "not_submitted":
            self._say("It is not known whether the portal took it: look there.")

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)
