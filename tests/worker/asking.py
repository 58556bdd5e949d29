"""A stand-in for an automation service that asks: the contract over real HTTP, one question before the gate of each run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.faults.http import Asked, Reply
from tests.faults.service import Run, Service, refusal
from tests.unit.pictures import jpeg

FIELD = {"key": "code", "label": "6-digit code", "type": "text"}


class Asker(Service):
    """`seconds_to_answer`: how long a page is held open. `received`: every answer, by run. `silent`: it asks nothing."""

    seconds_to_answer = 60.0
    asks = True
    fails_with = ""
    """Ends each run so instead, before it asks."""
    refuses = ""
    """An answer that does not fit the question."""
    keyed: dict[str, str]

    def __init__(self, log: Any) -> None:
        super().__init__(log)
        self.mode.seconds = 0.1
        self.received: dict[str, list[dict[str, str]]] = {}
        self.starts: list[str] = []
        self.keyed = {"Pole height (ft)": "45"}
        self._answered: dict[str, asyncio.Event] = {}
        self._until: dict[str, datetime] = {}

    async def __call__(self, asked: Asked) -> Reply:
        parts = asked.path.strip("/").split("/")
        if len(parts) == 5 and parts[3] == "inputs":
            return self.answer(self.runs[parts[2]], parts[4], asked)
        if parts[1] == "artifacts":
            return Reply(jpeg(shade=70), headers={"Content-Type": "image/jpeg"})
        return await super().__call__(asked)

    def answer(self, run: Run, input_id: str, asked: Asked) -> Reply:
        if input_id != "q1":
            return refusal(404, "INPUT_UNKNOWN")
        if self._answered[run.id].is_set():
            return refusal(409, "INPUT_ANSWERED")
        if self._until[run.id] <= datetime.now(UTC):
            return refusal(410, "INPUT_EXPIRED")
        values = msgspec.json.decode(asked.body)["values"]
        if self.refuses in values.values():
            return refusal(422, "INPUT_INVALID")
        self.received.setdefault(run.id, []).append(values)
        run.emit("input.received", id=input_id)
        run.status = "running"
        self._answered[run.id].set()
        return Reply(run.view())

    async def play(self, run: Run) -> None:
        self.starts.append(run.key)
        run.status = "running"
        run.emit("run.started", worker="stand-in", browser="none")
        run.emit("step.started", index=1, total=2, id="sign_in", label="Sign in")
        if self.fails_with:
            return self._fail(run, self.fails_with)
        if self.asks:
            await self._ask(run)
            if run.over:
                return None
        run.emit("step.confirmed", id="sign_in", outputs={})
        run.emit("step.started", index=2, total=2, id="submit", label="Submit")
        run.token, run.status = f"token-{run.id}", "awaiting_commit"
        review = {"keyed": self.keyed, "photo_count": 3, "frame": f"{run.id}-9"}
        run.emit(
            "commit.requested",
            external_ref=run.reference, review=review, token=run.token, expires_at="2099-01-01T00:00:00Z",
        )  # fmt: skip
        await run.granted.wait()
        run.status = "succeeded"
        result = {"external_ref": run.reference, "confirmation_number": run.confirmation, "how": "page"}
        run.emit("run.succeeded", result=result)
        return None

    async def _ask(self, run: Run) -> None:
        until = self._until[run.id] = datetime.now(UTC) + timedelta(seconds=self.seconds_to_answer)
        answered = self._answered[run.id] = asyncio.Event()
        run.status = "needs_input"
        run.emit(
            "input.required",
            id="q1", kind="otp", prompt="Enter the code that was sent to the phone",
            fields=[FIELD], frame=f"{run.id}-1", expires_at=until.isoformat(),
        )  # fmt: skip
        try:
            # The service gives up a little after the time it named, as any clock may.
            async with asyncio.timeout(self.seconds_to_answer + 1):
                await answered.wait()
        except TimeoutError:
            self._fail(run, "OTP_REQUIRED")

    @staticmethod
    def _fail(run: Run, code: str) -> None:
        error = {"code": code, "class": "needs_human", "message": f"{code} at the portal", "outcome": "not_submitted"}
        run.status = "failed"
        run.emit("run.failed", error=error)
