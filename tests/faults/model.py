"""The protocol as a state space: two workers, one record, every order of events, explored breadth first. No I/O.

Each action is one of the product's own transactions or one request to the automation service. A guard that is switched
off must yield a counter-example: a path of actions to a state that breaks a promise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

GUARDS = (
    "claim",
    "fence",
    "lease",
    "sweep",
    "repair",
    "rowless",
    "cap",
    "key",
    "service_fence",
    "intent",
    "lookup",
)
LEASE = 3
CAP = 3


class Worker(NamedTuple):
    """`phase`: idle, fetched, claimed, running, intended, sent, ending. `run` is the service's run it follows."""

    phase: str = "idle"
    row: int = 0
    attempt: int = 0
    run: int = 0


class State(NamedTuple):
    """`rows` are queue rows by number from 1: t(odo), d(oing), s(pent), x (deleted); `opened` is the open attempt."""

    job: str = "queued"
    attempt: int = 0
    opened: int = 0
    lease: int = 0
    lost: int = 0
    rows: str = "t"
    row: int = 1
    workers: tuple[Worker, ...] = (Worker(), Worker())
    submission: str = "none"
    run: int = 0
    runs: int = 0
    run_fence: int = 0
    submitted: bool = False
    effects: int = 0
    meddle: int = 1
    wrong: str = ""

    def mark(self, row: int, status: str) -> State:
        return self._replace(rows=self.rows[: row - 1] + status + self.rows[row:])

    def put(self, n: int, worker: Worker) -> State:
        # Sorted: it makes no difference which of the two is where.
        return self._replace(workers=tuple(sorted((*self.workers[:n], *self.workers[n + 1 :], worker))))

    def defer(self) -> State:
        return self._replace(rows=self.rows + "t", row=len(self.rows) + 1)


Step = tuple[str, bool, State]
"""What happens, whether it is a fault (which need not happen), and what is then."""

ENDED = frozenset({"completed", "failed", "asks"})


def steps(s: State, on: Callable[[str], bool]) -> Iterator[Step]:
    """Everything that may happen next."""
    for n, worker in enumerate(s.workers):
        for what, then in _worker(s, n, worker, on):
            yield f"{n + 1} {what}", False, then
        if worker.phase != "idle":
            yield f"{n + 1} is killed", True, s.put(n, Worker())
        if worker.phase == "ending":
            yield f"{n + 1} loses its finish", True, s.put(n, Worker())
    if s.lease > 0:
        yield "time passes", False, s._replace(lease=s.lease - 1)
    yield from (("sweep " + what, False, then) for what, then in _sweep(s, on))
    if s.meddle:
        yield from ((what, True, then._replace(meddle=s.meddle - 1)) for what, then in _meddling(s))


def _meddling(s: State) -> Iterator[tuple[str, State]]:
    """What people and the automation service do, a bounded number of times; kills and lost finishes are free."""
    if s.rows[s.row - 1] in "td" and s.job not in ENDED:
        yield "a row is deleted by hand", s.mark(s.row, "x")
    if s.rows[s.row - 1] == "d":
        yield "a row is set to todo by hand", s.mark(s.row, "t")
    if s.run:
        yield "the service forgets its run", s._replace(run=0, run_fence=0, submitted=False)


def _worker(s: State, n: int, w: Worker, on: Callable[[str], bool]) -> Iterator[tuple[str, State]]:
    mine = s.opened == w.attempt or not on("fence")
    if w.phase == "idle":
        for row, status in enumerate(s.rows, start=1):
            if status == "t":
                yield "fetches", s.mark(row, "d").put(n, Worker("fetched", row))
    elif w.phase == "fetched":
        yield "claims", _claim(s, n, w, on)
    elif w.phase == "ending":
        yield "finishes", (s.mark(w.row, "s") if s.rows[w.row - 1] == "d" else s).put(n, Worker())
    else:
        if mine and s.opened and s.lease < LEASE:
            yield "renews", s._replace(lease=LEASE)
        if s.opened != w.attempt and on("fence"):
            yield "notices", s.put(n, Worker("ending", w.row))
        yield from _drive(s, n, w, mine, on)


def _claim(s: State, n: int, w: Worker, on: Callable[[str], bool]) -> State:
    if on("claim") and (s.row != w.row or s.job != "queued"):
        return s.put(n, Worker("ending", w.row))
    overlap = "two attempts are open at once" if s.opened else s.wrong
    claimed = s._replace(job="processing", attempt=s.attempt + 1, opened=s.attempt + 1, lease=LEASE, wrong=overlap)
    return claimed.put(n, w._replace(phase="claimed", attempt=claimed.attempt))


def _drive(s: State, n: int, w: Worker, mine: bool, on: Callable[[str], bool]) -> Iterator[tuple[str, State]]:
    if w.phase == "claimed":
        yield "starts its run", _attach(s, n, w, on)
    elif w.phase == "running":
        if s.run == w.run and s.submitted:
            yield "sees it submitted", s.put(n, Worker("sent", w.row, w.attempt))
        elif s.run == w.run and mine:
            # An older intent for a gate that is still closed is taken back first; the service's fence makes that safe.
            noted = s._replace(submission="intent") if on("intent") else s
            yield "stores its intent", noted.put(n, w._replace(phase="intended"))
            yield "takes an old intent back", s._replace(submission="none") if s.submission == "intent" else s
    elif w.phase == "intended":
        if s.run != w.run or (on("service_fence") and w.attempt < s.run_fence):
            yield "is refused", s.put(n, Worker("ending", w.row))
        else:
            new = 0 if s.submitted else 1
            yield (
                "submits",
                s._replace(effects=s.effects + new, submitted=True).put(n, Worker("sent", w.row, w.attempt)),
            )
    elif w.phase == "sent" and mine:
        yield "settles", _settle(s, "completed", n, w)


def _attach(s: State, n: int, w: Worker, on: Callable[[str], bool]) -> State:
    if s.submission == "intent" and not s.run and on("lookup"):
        return _settle(s, "asks", n, w) if s.opened == w.attempt else s.put(n, Worker("ending", w.row))
    if not s.run or not on("key"):
        s = s._replace(run=s.runs + 1, runs=s.runs + 1, run_fence=0, submitted=False)
    return s._replace(run_fence=max(s.run_fence, w.attempt)).put(n, w._replace(phase="running", run=s.run))


def _settle(s: State, outcome: str, n: int, w: Worker) -> State:
    opened = 0 if s.opened == w.attempt else s.opened
    submission = "confirmed" if outcome == "completed" else s.submission
    wrong = "a stale attempt settled the job" if s.opened != w.attempt else s.wrong
    settled = s._replace(job=outcome, opened=opened, lease=0, submission=submission, wrong=wrong)
    return settled.put(n, Worker("ending", w.row))


def _sweep(s: State, on: Callable[[str], bool]) -> Iterator[tuple[str, State]]:
    if s.opened and (s.lease == 0 or not on("lease")) and on("sweep"):
        robbed = "an attempt lost a lease that had not run out" if s.lease else s.wrong
        spent = s.mark(s.row, "s") if s.rows[s.row - 1] == "d" else s
        yield "closes a lost attempt", _interrupt(spent._replace(opened=0, lease=0, wrong=robbed), on)
    elif s.job == "queued" and s.rows[s.row - 1] == "d" and on("sweep"):
        yield "supersedes an unclaimed row", _interrupt(s.mark(s.row, "s"), on)
    if s.job == "queued" and s.rows[s.row - 1] in "sx" and on("rowless"):
        yield "defers a missing row", s.defer()
    if on("repair"):
        for row, status in enumerate(s.rows, start=1):
            if status == "d" and not s.opened and (row != s.row or s.job in ENDED):
                yield "ends a spent row", s.mark(row, "s")


def _interrupt(s: State, on: Callable[[str], bool]) -> State:
    s = s._replace(lost=min(CAP + 1, s.lost + 1))
    if s.lost < CAP or (s.lost == CAP and s.submission == "intent") or not on("cap"):
        return s.defer()._replace(job="queued")
    return s._replace(job="asks" if s.submission == "intent" else "failed")


def broken(s: State) -> str:
    """The promise that a state breaks, if any."""
    if s.wrong:
        return s.wrong
    if s.effects > 1:
        return "submitted twice"
    if s.job == "failed" and s.effects:
        return "failed, and submitted"
    if s.job == "completed" and not s.effects:
        return "completed, and not submitted"
    if s.attempt > CAP + 1 or len(s.rows) > CAP + 3:
        return "a job that kills its workers never ends"
    return ""


def done(s: State) -> bool:
    return s.job in ENDED and not s.opened and "d" not in s.rows and "t" not in s.rows


class Explored(NamedTuple):
    """`path` leads to the first broken promise, and is empty when every state keeps them all."""

    states: int
    promise: str
    path: tuple[str, ...]


def explore(*, off: str = "", meddle: int = 1) -> Explored:
    """All states, breadth first, so that a counter-example is a shortest one. `meddle` bounds the edits by hand."""
    first = State(meddle=meddle)
    came: dict[State, tuple[State, str]] = {}
    backward: dict[State, list[State]] = {first: []}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        if promise := broken(state):
            return Explored(len(backward), promise, _path(came, state))
        for what, fault, then in steps(state, lambda guard: guard != off):
            if then not in backward:
                backward[then] = []
                came[then] = (state, what)
                queue.append(then)
            if not fault:
                backward[then].append(state)
    ends = _ending(backward)
    stuck = next((state for state in backward if state not in ends), None)
    if stuck is not None:
        return Explored(len(backward), "stuck: no way to an end", _path(came, stuck))
    return Explored(len(backward), "", ())


def _ending(backward: dict[State, list[State]]) -> set[State]:
    """The states from which an end can be reached without any further fault."""
    alive = deque(state for state in backward if done(state))
    ends = set(alive)
    while alive:
        for state in backward[alive.popleft()]:
            if state not in ends:
                ends.add(state)
                alive.append(state)
    return ends


def _path(came: dict[State, tuple[State, str]], state: State) -> tuple[str, ...]:
    path: list[str] = []
    while state in came:
        state, what = came[state]
        path.append(what)
    return tuple(reversed(path))
