"""Any order of any calls: a state machine over the real SQL functions, whose workers are slow, die, and come back late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import psycopg
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from psycopg.types.json import Jsonb

from tests.faults.bench import FAILURE, Attempt, Bench, Run, busy_is_nothing

CONNECTIONS = st.integers(0, 1)
PICK = st.integers(0, 7)
DICE = st.integers(0, 9999)
ENDED = ("completed", "failed", "cancelled", "needs_input", "held", "awaiting_media")
WEIGHTS = {
    "fetch": 7,
    "time_passes": 5,
    "sweep": 5,
    "attach": 7,
    "intend": 7,
    "submit": 5,
    "complete": 5,
    "fail": 2,
    "detach": 3,
    "renew": 1,
    "die": 1,
    "timer": 2,
    "retry": 1,
    "run_again": 3,
    "cancel": 1,
    "stop_run": 1,
    "edit_by_hand": 1,
    "hold": 1,
    "release": 3,
    "service_forgets": 1,
    "photo_arrives": 1,
    "pause": 1,
    "resume": 2,
    "limit": 1,
    "put_on_hold": 1,
    "take_off_hold": 2,
    "upload": 1,
}
"""Of one rule, and only what can be done now is drawn: with a rule each hardly any attempt came to a submission."""
EDITS = (
    "delete from procrastinate_jobs where id = %s",
    "update procrastinate_jobs set queue_name = 'automation' where id = %s",
    "update procrastinate_jobs set status = 'todo' where id = %s",
    "update procrastinate_jobs set status = 'failed' where id = %s",
    "update procrastinate_jobs set status = 'cancelled' where id = %s",
)


class Lifecycle(RuleBasedStateMachine):
    """`attempts` are workers' beliefs: nobody tells a worker that it has been given up.

    Each act takes the connection it is done on, whom it concerns, and one of its variants.
    """

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.url)
        self.attempts: list[Attempt] = []
        self.seen: Counter[str] = Counter()

    @initialize(photo=st.booleans())
    def begin(self, photo: bool) -> None:
        self.bench.upload(photo=photo)
        self.bench.upload()

    @rule(dice=DICE, conn=CONNECTIONS, n=PICK, variant=PICK)
    def act(self, dice: int, conn: int, n: int, variant: int) -> None:
        ways = [what for what, weight in WEIGHTS.items() if self.possible(what) for _ in range(weight)]
        what = ways[dice % len(ways)]
        note(f"{what} on connection {conn}, {n}, {variant}")
        act: Callable[[int, int, int], None] = getattr(self, what)
        act(conn, n, variant)

    def possible(self, what: str) -> bool:
        needs = {
            "attach": lambda: any(a.run is None for a in self.attempts),
            "intend": lambda: any(self.at_gate(a) and not a.granted for a in self.attempts),
            "stop_run": lambda: any(self.at_gate(a) for a in self.attempts),
            "submit": lambda: any(self.at_gate(a) and a.granted for a in self.attempts),
            "complete": lambda: any(a.run is not None and a.run.submitted for a in self.attempts),
            "fail": lambda: bool(self.attempts),
            "detach": lambda: bool(self.attempts),
            "renew": lambda: bool(self.attempts),
            "die": lambda: bool(self.attempts),
            "hold": lambda: self.bench.held is None,
            "release": lambda: self.bench.held is not None,
            "service_forgets": lambda: bool(self.bench.runs),
            "upload": lambda: len(self.bench.jobs) < 4,
            "run_again": lambda: bool(self.completed()),
        }
        return what not in needs or needs[what]()

    def upload(self, _conn: int, _n: int, variant: int) -> None:
        self.bench.upload(photo=variant == 0)

    def photo_arrives(self, _conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.photo_arrives(self.job(n))

    def fetch(self, conn: int, _n: int, variant: int) -> None:
        found = self.bench.fetch(conn)
        if found is None or variant == 7:
            return
        with busy_is_nothing():
            attempt = self.bench.claim(conn, *found)
            if attempt is None:
                self.finish(conn, found[1], "aborted")
            else:
                self.attempts.append(attempt)

    def attach(self, conn: int, n: int, _variant: int) -> None:
        """Start the run of this key, or join it; the service remembers the highest attempt it has seen."""
        a = self.pick(n, lambda a: a.run is None)
        if a is None:
            return
        run = self.bench.runs.get(a.key)
        if a.submission == "confirmed":
            a.run = Run(fence=a.number, submitted=True)
        elif run is None and a.submission == "intent":
            self.verify(conn, a)
        else:
            a.run = self.bench.runs.setdefault(a.key, Run(fence=a.number))
            a.run.fence = max(a.run.fence, a.number)

    def intend(self, conn: int, n: int, _variant: int) -> None:
        a = self.pick(n, lambda a: self.at_gate(a) and not a.granted)
        if a is None:
            return
        with busy_is_nothing():
            open_before = self.bench.is_open(a)
            self.seen["intent " + ("open" if open_before else "stale")] += 1
            done = self.bench.settled(conn, "record_intent", a)
            assert open_before or not done, "the intent of an attempt that is over was taken"
            if done:
                twice = self.bench.settled(conn, "record_intent", a)
                assert not twice, "an intent stands, and a second one was taken"
            else:
                self.bench.value("select refute_intent(%s, %s::int, '{}')", a.job, a.number, conn=conn)
                done = self.bench.settled(conn, "record_intent", a)
            assert done == open_before, "the intent of a fenced attempt was taken, or that of the open one was not"
            a.granted = done

    def submit(self, _conn: int, n: int, _variant: int) -> None:
        """The worker's word at the gate, which may come very late."""
        a = self.pick(n, lambda a: self.at_gate(a) and a.granted)
        if a is not None and a.run is not None and a.number >= a.run.fence:
            a.run.submitted = True
            self.bench.effects[a.reference] = self.bench.effects.get(a.reference, 0) + 1

    def complete(self, conn: int, n: int, variant: int) -> None:
        a = self.pick(n, lambda a: a.run is not None and a.run.submitted)
        if a is not None:
            self.settle(
                conn, a, "settle_completed", "NPL-1", "page", None, finish=None if variant == 0 else "succeeded"
            )

    def fail(self, conn: int, n: int, variant: int) -> None:
        """The run failed before anything was sent; its end shuts the gate."""
        a = self.pick(n, lambda a: a.run is not None and not a.run.submitted and a.number >= a.run.fence)
        if a is None:
            return
        self.end_run(a)
        spends = ("attempt", "attempt", "interruption", "nothing")[variant % 4]
        with busy_is_nothing():
            self.bench.value("select refute_intent(%s, %s::int, '{}')", a.job, a.number, conn=conn)
        self.settle(conn, a, "settle_failed", Jsonb(FAILURE), variant < 6, spends, True, 15.0, None, finish="failed")

    def stop_run(self, conn: int, n: int, _variant: int) -> None:
        """The service has stopped the run, as a person asked; whoever was granted it comes too late."""
        a = self.pick(n, self.at_gate)
        if a is None or not self.bench.value(
            "select cancel_requested_at is not null from automation_job where id = %s", a.job
        ):
            return
        self.end_run(a)
        self.settle(conn, a, "settle_cancelled", finish="aborted")

    def detach(self, conn: int, n: int, _variant: int) -> None:
        if (a := self.pick(n)) is not None:
            self.settle(conn, a, "settle_detached", finish="aborted")

    def renew(self, conn: int, n: int, _variant: int) -> None:
        if (a := self.pick(n)) is not None:
            open_before = self.bench.is_open(a)
            assert self.bench.renew(conn, a) == open_before

    def die(self, _conn: int, n: int, _variant: int) -> None:
        if (a := self.pick(n)) is not None:
            self.attempts.remove(a)

    def time_passes(self, _conn: int, _n: int, variant: int) -> None:
        self.bench.release()
        self.bench.age((1.0, 20.0, 60.0, 60.0)[variant % 4])

    def sweep(self, conn: int, _n: int, _variant: int) -> None:
        robbed = self.bench.sweep(conn)
        assert not robbed, f"attempts lost a lease that had not run out: {robbed}"

    def timer(self, conn: int, _n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value("select promote_probes()", conn=conn)
        self.bench.value("select promote_due()", conn=conn)

    def pause(self, conn: int, _n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value(
                "update portal_account set paused_at = now() where id = %s returning id", self.bench.account, conn=conn
            )

    def resume(self, conn: int, _n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value(
                "update portal_account set paused_at = null where id = %s returning id", self.bench.account, conn=conn
            )

    def limit(self, conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value(
                "update portal_account set max_runs = %s where id = %s returning id",
                1 + n % 3,
                self.bench.account,
                conn=conn,
            )

    def put_on_hold(self, conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.hold(%s, 'wait')", self.job(n), conn=conn)

    def take_off_hold(self, conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.release(%s, 'go on')", self.job(n), conn=conn)

    def retry(self, conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.retry(%s, 'try again')", self.job(n), conn=conn)

    def run_again(self, conn: int, n: int, _variant: int) -> None:
        """Of two at once the second finds it completed no more."""
        done = self.completed()
        if not done:
            return
        with busy_is_nothing():
            self.bench.value("select ops.run_again(%s, 'they lost it')", done[n % len(done)], conn=conn)
            with suppress(psycopg.errors.DatabaseError):
                self.bench.value("select ops.run_again(%s, 'they lost it')", done[n % len(done)], conn=conn)
                raise AssertionError("a job that was not completed was run again")

    def cancel(self, conn: int, n: int, _variant: int) -> None:
        with busy_is_nothing():
            self.bench.value("select ops.cancel(%s, 'not needed')", self.job(n), conn=conn)

    def edit_by_hand(self, _conn: int, n: int, variant: int) -> None:
        row = self.bench.value("select queue_job_id from automation_job where id = %s", self.job(n))
        with busy_is_nothing():
            self.bench.conns[0].execute(EDITS[variant % len(EDITS)].encode(), (row,))

    def hold(self, _conn: int, n: int, _variant: int) -> None:
        self.bench.hold(self.job(n))

    def release(self, _conn: int, _n: int, _variant: int) -> None:
        self.bench.release()

    def service_forgets(self, _conn: int, n: int, _variant: int) -> None:
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
            self.all_that_is_completed_is_submitted_once_more()
        finally:
            self.bench.close()

    def calm_ends_everything(self) -> None:
        """Without further trouble every job ends, or waits for a person or for photos, and no queue row is left."""
        self.attempts.clear()
        self.resume(0, 0, 0)
        # A job on hold whose run may be in the portal keeps its slot from others until a person releases it.
        self.bench.conns[0].execute(
            "select ops.release(j.id, 'calm') from automation_job as j join portal_slot as s on s.job_id = j.id"
            " where j.state = 'held' and j.wait_reason = 'hold' and j.id = any(%s)",
            (self.bench.jobs,),
        )
        for _ in range(60):
            if not self.bench.busy():
                break
            self.bench.age(120.0)
            self.sweep(0, 0, 0)
            self.timer(0, 0, 0)
            while (found := self.bench.fetch(0)) is not None:
                attempt = self.bench.claim(0, *found)
                if attempt is None:
                    self.finish(0, found[1], "aborted")
                    continue
                self.attempts = [attempt]
                for act in (self.attach, self.intend, self.submit, self.complete):
                    act(0, 0, 1)
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

    def all_that_is_completed_is_submitted_once_more(self) -> None:
        """Whatever its past is, under one reference more."""
        done = self.completed()
        before = sum(self.bench.effects.values())
        for job in done:
            self.bench.value("select ops.run_again(%s, 'they lost it')", job)
        if done:
            self.calm_ends_everything()
            assert self.completed() == done
            assert sum(self.bench.effects.values()) == before + len(done)

    def completed(self) -> list[UUID]:
        rows = self.bench.conns[0].execute(
            "select id from automation_job where state = 'completed' and id = any(%s) order by id", (self.bench.jobs,)
        )
        return [row[0] for row in rows.fetchall()]

    def job(self, n: int) -> UUID:
        return self.bench.jobs[n % len(self.bench.jobs)]

    def pick(self, n: int, fits: Callable[[Attempt], bool] = lambda _: True) -> Attempt | None:
        fitting = [attempt for attempt in self.attempts if fits(attempt)]
        return fitting[n % len(fitting)] if fitting else None

    def at_gate(self, a: Attempt) -> bool:
        return a.run is not None and not a.run.submitted and a.run is self.bench.runs.get(a.key)

    def end_run(self, a: Attempt) -> None:
        if self.bench.runs.get(a.key) is a.run:
            del self.bench.runs[a.key]

    def settle(self, conn: int, a: Attempt, function: str, *more: object, finish: str | None) -> None:
        """Takes effect exactly when the attempt is open; else nothing of the job changes."""
        with busy_is_nothing():
            open_before, seq = self.bench.is_open(a), self.bench.seq(a.job)
            self.seen[f"{function} {'open' if open_before else 'stale'}"] += 1
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
