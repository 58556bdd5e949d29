"""Any order of any calls: a state machine over the real SQL functions, whose workers are slow, die, and come back late."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from psycopg.types.json import Jsonb

from tests.faults.bench import FAILURE, GRACE_S, LEASE_S, Attempt, Bench, Run, busy_is_nothing

CONNECTIONS = st.integers(0, 1)
PICK = st.integers(0, 7)
ENDED = ("completed", "failed", "cancelled", "needs_input", "held", "awaiting_media")


class Lifecycle(RuleBasedStateMachine):
    """`attempts` are workers' beliefs: nobody tells a worker that it has been given up."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.url)
        self.fetched: list[tuple[int, int]] = []
        self.attempts: list[Attempt] = []

    @initialize(photo=st.booleans())
    def begin(self, photo: bool) -> None:
        self.bench.upload(photo=photo)
        self.bench.upload()

    @precondition(lambda self: len(self.bench.jobs) < 4)
    @rule(photo=st.booleans())
    def upload(self, photo: bool) -> None:
        self.bench.upload(photo=photo)

    @rule(n=PICK)
    def photo_arrives(self, n: int) -> None:
        with busy_is_nothing():
            self.bench.photo_arrives(self.job(n))

    @rule(conn=CONNECTIONS, then=st.sampled_from(("claim", "claim", "claim", "die")))
    def fetch(self, conn: int, then: str) -> None:
        found = self.bench.fetch(conn)
        if found is None or then == "die":
            return
        with busy_is_nothing():
            attempt = self.bench.claim(conn, *found)
            if attempt is None:
                self.finish(conn, found[1], "aborted")
            else:
                self.attempts.append(attempt)

    @rule(conn=CONNECTIONS, n=PICK)
    def attach(self, conn: int, n: int) -> None:
        """Start the run of this key, or join it; the service remembers the highest attempt it has seen."""
        a = self.pick(n)
        if a is None or a.run is not None:
            return
        run = self.bench.runs.get(a.key)
        if a.submission == "confirmed":
            a.run = Run(fence=a.number, submitted=True)
        elif run is None and a.submission == "intent":
            self.verify(conn, a)
        else:
            a.run = self.bench.runs.setdefault(a.key, Run(fence=a.number))
            a.run.fence = max(a.run.fence, a.number)

    @rule(conn=CONNECTIONS, n=PICK)
    def intend(self, conn: int, n: int) -> None:
        a = self.pick(n)
        if a is None or a.run is None or a.run.submitted or a.granted or a.run is not self.bench.runs.get(a.key):
            return
        with busy_is_nothing():
            open_before = self.bench.is_open(a)
            done = self.bench.settled(conn, "record_intent", a)
            if not done:
                self.bench.value("select refute_intent(%s, %s::int, '{}')", a.job, a.number, conn=conn)
                done = self.bench.settled(conn, "record_intent", a)
            assert done == open_before, "the intent of a fenced attempt was taken, or that of the open one was not"
            a.granted = done

    @rule(n=PICK)
    def submit(self, n: int) -> None:
        """The worker's word at the gate, which may come very late."""
        a = self.pick(n)
        if a is None or a.run is None or not a.granted or a.run is not self.bench.runs.get(a.key):
            return
        if a.number >= a.run.fence and not a.run.submitted:
            a.run.submitted = True
            self.bench.effects[a.reference] = self.bench.effects.get(a.reference, 0) + 1

    @rule(conn=CONNECTIONS, n=PICK, lost=st.booleans())
    def complete(self, conn: int, n: int, lost: bool) -> None:
        a = self.pick(n)
        if a is not None and a.run is not None and a.run.submitted:
            self.settle(conn, a, "settle_completed", "NPL-1", "page", None, finish=None if lost else "succeeded")

    @rule(conn=CONNECTIONS, n=PICK, again=st.booleans(), spends=st.sampled_from(("attempt", "interruption", "nothing")))
    def fail(self, conn: int, n: int, again: bool, spends: str) -> None:
        """The run failed before anything was sent; its end shuts the gate."""
        a = self.pick(n)
        if a is None or a.run is None or a.run.submitted or a.number < a.run.fence:
            return
        if self.bench.runs.get(a.key) is a.run:
            del self.bench.runs[a.key]
        with busy_is_nothing():
            self.bench.value("select refute_intent(%s, %s::int, '{}')", a.job, a.number, conn=conn)
        self.settle(conn, a, "settle_failed", Jsonb(FAILURE), again, spends, True, 15.0, None, finish="failed")

    @rule(conn=CONNECTIONS, n=PICK)
    def detach(self, conn: int, n: int) -> None:
        if (a := self.pick(n)) is not None:
            self.settle(conn, a, "settle_detached", finish="aborted")

    @rule(conn=CONNECTIONS, n=PICK)
    def renew(self, conn: int, n: int) -> None:
        if (a := self.pick(n)) is not None:
            open_before = self.bench.is_open(a)
            found = self.bench.value(
                "update automation_attempt set lease_until = clock_timestamp() + make_interval(secs => %s)"
                " where job_id = %s and attempt = %s and ended_at is null returning true",
                LEASE_S, a.job, a.number, conn=conn,
            )  # fmt: skip
            assert bool(found) == open_before

    @rule(n=PICK)
    def die(self, n: int) -> None:
        if (a := self.pick(n)) is not None:
            self.attempts.remove(a)

    @rule(seconds=st.sampled_from((1.0, 20.0, 60.0)))
    def time_passes(self, seconds: float) -> None:
        self.bench.release()
        self.bench.age(seconds)

    @rule(conn=CONNECTIONS)
    def sweep(self, conn: int) -> None:
        self.bench.conns[conn].execute("select kind, job_id from reconcile(%s)", (GRACE_S,)).fetchall()

    @rule(conn=CONNECTIONS)
    def timer(self, conn: int) -> None:
        self.bench.value("select promote_due()", conn=conn)

    @rule(conn=CONNECTIONS, n=PICK)
    def retry(self, conn: int, n: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.retry(%s, 'try again')", self.job(n), conn=conn)

    @rule(conn=CONNECTIONS, n=PICK)
    def cancel(self, conn: int, n: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.cancel(%s, 'not needed')", self.job(n), conn=conn)

    @rule(n=PICK, edit=st.sampled_from(("delete", "todo", "failed", "cancelled", "automation")))
    def edit_by_hand(self, n: int, edit: str) -> None:
        row = self.bench.value("select queue_job_id from automation_job where id = %s", self.job(n))
        text = {
            "delete": "delete from procrastinate_jobs where id = %s",
            "automation": "update procrastinate_jobs set queue_name = 'automation' where id = %s",
        }.get(edit, f"update procrastinate_jobs set status = '{edit}' where id = %s")
        with busy_is_nothing():
            self.bench.conns[0].execute(text.encode(), (row,))

    @precondition(lambda self: self.bench.held is None)
    @rule(n=PICK)
    def hold(self, n: int) -> None:
        self.bench.hold(self.job(n))

    @precondition(lambda self: self.bench.held is not None)
    @rule()
    def release(self) -> None:
        self.bench.release()

    @precondition(lambda self: len(self.bench.runs) > 0)
    @rule(n=PICK)
    def service_forgets(self, n: int) -> None:
        keys = sorted(self.bench.runs)
        del self.bench.runs[keys[n % len(keys)]]

    @invariant()
    def nothing_is_wrong(self) -> None:
        wrong = self.bench.wrong()
        assert not wrong, wrong

    def teardown(self) -> None:
        try:
            self.bench.release()
            self.calm_ends_everything()
        finally:
            self.bench.close()

    def calm_ends_everything(self) -> None:
        """Without further trouble every job ends, or waits for a person or for photos, and no queue row is left."""
        self.attempts.clear()
        for _ in range(60):
            if not self.bench.busy():
                break
            self.bench.age(120.0)
            self.sweep(0)
            self.timer(0)
            while (found := self.bench.fetch(0)) is not None:
                attempt = self.bench.claim(0, *found)
                if attempt is None:
                    self.finish(0, found[1], "aborted")
                    continue
                self.attempts = [attempt]
                for act in (self.attach, self.intend):
                    act(0, 0)
                self.submit(0)
                self.complete(0, 0, lost=False)
        wrong = self.bench.wrong(calm=True)
        assert not wrong, wrong
        left = (
            self.bench.conns[0]
            .execute(
                "select j.state, q.status::text from automation_job as j left join procrastinate_jobs as q"
                " on q.args ->> 'automation_job_id' = j.id::text and q.status in ('todo', 'doing') where j.id = any(%s)",
                (self.bench.jobs,),
            )
            .fetchall()
        )
        waiting = ("needs_input", "held", "awaiting_media")
        assert all(state in ENDED and (status == "todo") == (state in waiting) for state, status in left), left

    def job(self, n: int) -> UUID:
        return self.bench.jobs[n % len(self.bench.jobs)]

    def pick(self, n: int) -> Attempt | None:
        return self.attempts[n % len(self.attempts)] if self.attempts else None

    def settle(self, conn: int, a: Attempt, function: str, *more: object, finish: str | None) -> None:
        """Takes effect exactly when the attempt is open; else nothing of the job changes."""
        with busy_is_nothing():
            open_before, seq = self.bench.is_open(a), self.bench.seq(a.job)
            done = self.bench.settled(conn, function, a, *more)
            assert done == open_before, f"{function} of attempt {a.number}: open {open_before}, done {done}"
            assert done or self.bench.seq(a.job) == seq, "a stale attempt changed its job"
            if a in self.attempts:
                self.attempts.remove(a)
            if finish is not None:
                self.finish(conn, a.row, finish if done else "aborted")

    def verify(self, conn: int, a: Attempt) -> None:
        """The run that was to submit is lost: the portal is asked, and a person when it cannot tell."""
        if self.bench.effects.get(a.reference):
            self.settle(conn, a, "settle_completed", "NPL-1", "lookup", None, finish="succeeded")
        else:
            self.settle(conn, a, "settle_parked", "outcome_unknown", Jsonb(FAILURE), finish="succeeded")

    def finish(self, conn: int, row: int, status: str) -> None:
        """The worker's last word on its row, which may be spent by now."""
        with suppress(psycopg.errors.RaiseException):
            self.bench.conns[conn].execute("select procrastinate_finish_job_v1(%s, %s, false)", (row, status))
