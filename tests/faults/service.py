"""A stand-in for automation service and portal in one process: the contract over real HTTP, faults by switch, an honest log.

It outlives the workers, accepts whatever it is sent, and appends every submission to an fsynced log: the ground truth.
Run: `python -m tests.faults.service LOG [--socket PATH]`; prints `ready URL`.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.history import Effect, Log, now
from tests.faults.http import Asked, Hang, Reply, Reset, serve

STEPS = ("sign_in", "job", "photos", "submit")


class Mode(msgspec.Struct, kw_only=True):
    """Manners. `start` and `commit`: ok, drop (done, then the line is cut), hang (done, and no answer), 500, busy (429).

    `commit` can also be slow: done only after `slow_s`. `lookup`: true, false (503) or "none" (501).
    """

    seconds: float = 2.0
    start: str = "ok"
    commit: str = "ok"
    retry_after_s: int = 5
    repeat_events: bool = False
    naive: bool = False
    """Ignores the key: every start is a new run, and none can be found again."""
    lookup: bool | str = True
    slow_s: float = 0.0
    once: bool = False
    """A drop, hang or slow commit happens to each job only the first time."""
    frames: bool = False
    """A picture of every step."""


class Run(msgspec.Struct, kw_only=True):
    id: str
    key: str
    fence: int
    reference: str
    job: str
    note: str = ""
    status: str = "queued"
    events: list[dict[str, Any]] = []
    token: str = ""
    commit_sent: bool = False
    granted: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    news: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    confirmation: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")

    def emit(self, kind: str, /, **data: object) -> None:
        self.events.append(
            {
                "seq": len(self.events) + 1,
                "run_id": self.id,
                "type": kind,
                "at": stamp(),
                "attempt": self.fence,
                "data": data,
            }
        )
        news, self.news = self.news, asyncio.Event()
        news.set()

    def view(self) -> bytes:
        return msgspec.json.encode(
            {
                "id": self.id,
                "key": self.key,
                "attempt": self.fence,
                "status": self.status,
                "last_seq": len(self.events),
                "created_at": stamp(),
            }
        )


def stamp() -> str:
    return datetime.now(UTC).isoformat()


class Service:
    """All runs, the portal's submissions, and how many requests came when."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.mode = Mode()
        self.runs: dict[str, Run] = {}
        self.keys: dict[str, Run] = {}
        self.submitted: dict[str, str] = {}
        self.asked: list[float] = []
        self.commits = 0
        self.troubled: set[tuple[str, str]] = set()

    async def __call__(self, asked: Asked) -> Reply:
        """By the path's last word; a run's own calls name it before."""
        *rooms, last = asked.path.strip("/").split("/")
        whole = {"runs": self.start, "lookups": self.lookup, "faults": self.behave}
        if asked.method == "POST" and last in whole:
            return await whole[last](asked)
        if rooms[-1:] == ["artifacts"]:
            return Reply(b"\xff\xd8" + last.encode())
        own = {"events": self.follow, "commit": self.commit, "cancel": self.cancel}
        run = self.runs.get(rooms[-1]) if last in own else self.runs.get(last)
        if run is None:
            return self.told(asked, last)
        return await own[last](run, asked) if last in own else Reply(run.view())

    def told(self, asked: Asked, about: str) -> Reply:
        if about == "health":
            return Reply(b'{"browser": "none", "free_slots": 99, "portals": ["npl"]}')
        if about == "faults":
            return Reply(msgspec.json.encode({"asked": self.asked, "commits": self.commits}))
        found = self.keys.get(asked.query.get("key", "")) if about == "runs" else None
        return Reply(found.view()) if found else refusal(404, "RUN_UNKNOWN")

    async def behave(self, asked: Asked) -> Reply:
        """Change manners; `forget` drops all runs, as a restart without a disk would."""
        changes: dict[str, Any] = msgspec.json.decode(asked.body)
        if changes.pop("forget", False):
            forgotten, self.runs, self.keys = self.runs, {}, {}
            for run in forgotten.values():
                if run.task is not None:
                    run.task.cancel()
                run.news.set()
        self.mode = msgspec.structs.replace(self.mode, **changes)
        return Reply(b"{}")

    async def start(self, asked: Asked) -> Reply:
        self.asked.append(now())
        spec = msgspec.json.decode(asked.body)
        key = asked.headers.get("idempotency-key", "")
        manner = self._manner("start", spec["job_id"], self.mode.start)
        if manner == "500":
            return refusal(500, "SERVICE_5XX")
        if manner == "busy":
            return refusal(429, "RATE_LIMITED", retry_after=self.mode.retry_after_s)
        if manner == "maintenance":
            return refusal(503, "SERVICE_DOWN", retry_after=self.mode.retry_after_s)
        run = None if self.mode.naive else self.keys.get(key)
        new = run is None
        if run is None:
            run = Run(
                id=f"run_{secrets.token_hex(6)}",
                key=key,
                fence=spec["attempt"],
                reference=spec["external_ref"],
                job=spec["job_id"],
                note=spec["inputs"].get("note", ""),
                events=[],
            )
            self.runs[run.id] = run
            if not self.mode.naive:
                self.keys[key] = run
            run.task = asyncio.create_task(self.play(run))
        run.fence = max(run.fence, spec["attempt"])
        self._trouble(manner)
        return Reply(run.view(), status=201 if new else 200)

    async def play(self, run: Run) -> None:
        """A run from start to end: steps, the gate, the one submission."""
        run.status = "running"
        run.emit("run.started", worker="stand-in", browser="none")
        for index, step in enumerate(STEPS, start=1):
            run.emit("step.started", index=index, total=len(STEPS), id=step, label=step)
            await asyncio.sleep(self.mode.seconds / len(STEPS))
            if step != "submit":
                run.emit("step.confirmed", id=step, outputs={"draft": run.id}, input_hash=step)
                if self.mode.frames:
                    run.emit(
                        "frame", artifact_id=f"{run.id}-{index}", url=f"/v1/artifacts/{index}", w=1, h=1, step=step
                    )
        run.token = secrets.token_hex(8)
        run.status = "awaiting_commit"
        review = {"keyed": {}, "photo_count": 0}
        run.emit(
            "commit.requested",
            external_ref=run.reference,
            review=review,
            token=run.token,
            expires_at="2099-01-01T00:00:00Z",
        )
        await run.granted.wait()
        run.status = "succeeded"
        result = {"external_ref": run.reference, "confirmation_number": run.confirmation, "how": "page"}
        run.emit("run.succeeded", result=result)

    async def commit(self, run: Run, asked: Asked) -> Reply:
        grant = msgspec.json.decode(asked.body)
        if grant["attempt"] < run.fence:
            self._note(run, fence=grant["attempt"], accepted=False)
            return refusal(409, "FENCED")
        if run.status != "awaiting_commit" or run.commit_sent or grant["token"] != run.token:
            return refusal(409, "NOT_AWAITING_COMMIT")
        if grant.get("decision") == "abort":
            run.status = "failed"
            error = {"code": "COMMIT_NOT_AUTHORIZED", "message": "no", "class": "transient", "outcome": "not_submitted"}
            run.emit("run.failed", error=error)
            return Reply(run.view())
        run.commit_sent = True
        run.fence = grant["attempt"]
        run.emit("commit.sent", at=stamp())
        self.commits += 1
        manner = self._manner("commit", run.job, self.mode.commit)
        if manner == "slow":
            await asyncio.sleep(self.mode.slow_s)
        self._note(run, fence=run.fence, accepted=True)
        run.confirmation = self.submitted[run.reference] = f"NPL-{len(self.submitted) + 1:06d}"
        run.emit("commit.observed", status=303, location="/confirmation")
        run.granted.set()
        self._trouble(manner)
        return Reply(run.view())

    async def cancel(self, run: Run, _asked: Asked) -> Reply:
        if run.commit_sent:
            return refusal(409, "COMMIT_IN_PROGRESS")
        if not run.over:
            run.status = "cancelled"
            if run.task is not None:
                run.task.cancel()
            run.emit("run.cancelled", stage="running")
        return Reply(run.view(), status=202)

    async def lookup(self, asked: Asked) -> Reply:
        reference = msgspec.json.decode(asked.body)["external_ref"]
        if self.mode.lookup == "none":
            return refusal(501, "LOOKUP_UNSUPPORTED")
        if not self.mode.lookup:
            return refusal(503, "PORTAL_DOWN", retry_after=1)
        number = self.submitted.get(reference)
        answer: dict[str, object] = {"found": number is not None}
        answer |= {"confirmation_number": number} if number else {"as_of": stamp(), "index_lag_s": 0}
        return Reply(msgspec.json.encode(answer))

    async def follow(self, run: Run, asked: Asked) -> Reply:
        return Reply(self.stream(run, after=int(asked.query.get("after", "0"))))

    async def stream(self, run: Run, *, after: int) -> AsyncIterator[bytes]:
        """Events beyond `after`, then live; each comes twice when the mode says so."""
        sent = after
        while self.runs.get(run.id) is run:
            while sent < len(run.events):
                line = msgspec.json.encode(run.events[sent]) + b"\n"
                yield line * (2 if self.mode.repeat_events else 1)
                sent += 1
            if run.over:
                return
            try:
                async with asyncio.timeout(5):
                    await run.news.wait()
            except TimeoutError:
                yield b'{"type":"heartbeat"}\n'
        raise Reset

    def _note(self, run: Run, *, fence: int, accepted: bool) -> None:
        effect = Effect(reference=run.reference, fence=fence, time=now(), accepted=accepted, run=run.id, note=run.note)
        self.log.write(effect)
        self.log.sync()

    def _manner(self, where: str, job: str, manner: str) -> str:
        if manner in ("drop", "hang", "slow") and self.mode.once:
            if (where, job) in self.troubled:
                return "ok"
            self.troubled.add((where, job))
        return manner

    @staticmethod
    def _trouble(manner: str) -> None:
        if manner == "drop":
            raise Reset
        if manner == "hang":
            raise Hang


def refusal(status: int, code: str, *, retry_after: int | None = None) -> Reply:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    error = {"code": code, "message": code, "class": "transient"}
    return Reply(msgspec.json.encode({"error": error}), status=status, headers=headers)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--socket", type=Path)
    arguments = parser.parse_args()
    service = Service(Log(arguments.log))
    async with serve(service, socket=arguments.socket) as url:
        print(f"ready {url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
