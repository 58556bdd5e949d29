"""The product's SQL functions called as its processes call them, and a portal whose submissions are counted.

Synchronous and single-threaded: every interleaving is the choice of whoever calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg.types.json import Jsonb

LEASE_S = 45.0
GRACE_S = 45.0
FORM = "fault-form"
FAILURE = {"code": "PORTAL_ERROR", "class": "transient", "message": "the portal did not answer", "step": "login"}
LOCKED = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)
REFUSED = frozenset({"AB403", "AB404", "AB409"})

LEGAL = """
select format('%%s open attempts of job %%s', count(*), job_id) from automation_attempt
 where ended_at is null and job_id = any(%(jobs)s) group by job_id having count(*) > 1
union all
select format('job %%s is %%s and attempt %%s is %%s', j.id, j.state, j.attempt, coalesce(a.outcome, 'open'))
  from automation_job as j left join automation_attempt as a on a.job_id = j.id and a.attempt = j.attempt
 where j.id = any(%(jobs)s) and (j.state = 'processing') <> (a.job_id is not null and a.ended_at is null)
union all
select format('job %%s has %%s events numbered to %%s and says %%s', j.id, count(e.seq), max(e.seq), j.seq)
  from automation_job as j left join job_event as e on e.job_id = j.id
 where j.id = any(%(jobs)s) group by j.id, j.seq having (count(e.seq), max(e.seq)) is distinct from (j.seq::bigint, j.seq)
union all
select format('the last event of job %%s says %%s and it is %%s', j.id, e.data ->> 'state', j.state)
  from automation_job as j join job_event as e on e.job_id = j.id and e.seq = j.seq
 where j.id = any(%(jobs)s) and e.data ->> 'state' <> j.state
union all
select format('%%s live queue rows of job %%s that nobody has used up', count(*), j.id)
  from automation_job as j join procrastinate_jobs as q on q.args ->> 'automation_job_id' = j.id::text
 where j.id = any(%(jobs)s) and q.status = 'todo' group by j.id having count(*) > 1
union all
select format('job %%s failed %%s times of %%s', id, failures, max_attempts)
  from automation_job where id = any(%(jobs)s) and failures > max_attempts
"""

AGING = (
    """update automation_attempt set lease_until = lease_until - make_interval(secs => %(s)s)
        where ended_at is null and job_id = any(%(jobs)s)""",
    """update automation_attempt set ended_at = ended_at - make_interval(secs => %(s)s),
              started_at = started_at - make_interval(secs => %(s)s)
        where ended_at is not null and job_id = any(%(jobs)s)""",
    """update procrastinate_events as e set at = e.at - make_interval(secs => %(s)s)
         from procrastinate_jobs as q, unnest(%(jobs)s) as job
        where e.job_id = q.id and q.status in ('todo', 'doing') and q.args ->> 'automation_job_id' = job::text""",
    """update automation_job set ready_at = ready_at - make_interval(secs => %(s)s)
        where state = 'retrying' and id = any(%(jobs)s)""",
    """update portal_account set breaker_until = breaker_until - make_interval(secs => %(s)s)
        where id in (select account_id from automation_job where id = any(%(jobs)s)) and breaker_until is not null""",
)
RENEW = """update automation_attempt set lease_until = clock_timestamp() + make_interval(secs => %s)
            where job_id = %s and attempt = %s and ended_at is null returning true"""
UNEXPIRED = """select job_id, attempt from automation_attempt
                where ended_at is null and lease_until > clock_timestamp() + interval '1 s' and job_id = any(%s)"""
BUSY = """
select exists (select from automation_job as j left join procrastinate_jobs as q
                   on q.args ->> 'automation_job_id' = j.id::text and q.status in ('todo', 'doing')
                where j.id = any(%s) and (j.state in ('queued', 'processing', 'retrying') or q.status = 'doing'
                   or coalesce(q.status = 'todo', false) <> (j.state in ('needs_input', 'held', 'awaiting_media'))))
"""


class Run(msgspec.Struct):
    """The automation service's run of one key: the gate opens once, for no lower attempt than has been seen."""

    fence: int
    submitted: bool = False


class Attempt(msgspec.Struct):
    """What a worker believes: it may be a zombie by now."""

    job: UUID
    number: int
    row: int
    key: str
    reference: str
    submission: str | None
    run: Run | None = None
    granted: bool = False


class Bench:
    """Connections to one database; `effects` counts accepted submissions by reference."""

    def __init__(self, url: str, *, connections: int = 3) -> None:
        self.conns = [psycopg.connect(url, autocommit=True) for _ in range(connections)]
        for conn in self.conns:
            conn.execute("set lock_timeout = '50ms'")
            conn.execute("set statement_timeout = '5s'")
        self.held: psycopg.Cursor[Any] | None = None
        self.effects: dict[str, int] = {}
        self.runs: dict[str, Run] = {}
        self.jobs: list[UUID] = []
        self.has_doctor = bool(self.value("select to_regprocedure('ops.doctor(double precision)') is not null"))
        self.worker = self.value("select worker_id from procrastinate_register_worker_v1()")
        self.project, self.device = self._site()

    def close(self) -> None:
        self.release()
        for conn in self.conns:
            conn.close()

    def value(self, query: str, *args: object, conn: int = 0) -> Any:
        row = self.conns[conn].execute(query.encode(), args).fetchone()
        return row[0] if row else None

    def _site(self) -> tuple[UUID, UUID]:
        run = self.conns[0].execute
        run(
            "insert into portal (key, name, recipe, recipe_version) values ('npl', 'N', 'npl-asbuilt', 1) on conflict do nothing"
        )
        self.account = self.value(
            "insert into portal_account (portal_key, label) values ('npl', %s) returning id", f"crew {uuid4().hex[:8]}"
        )
        run(
            "insert into form_def (form_key, version, title, schema) values (%s, 1, 'Form', '{}') on conflict do nothing",
            (FORM,),
        )
        project = self.value(
            "insert into project (code, name, portal_account_id) values (%s, 'P', %s) returning id",
            f"p-{uuid4().hex[:8]}",
            self.account,
        )
        return project, self.value("insert into device (project_id, label) values (%s, 'phone') returning id", project)

    def upload(self, *, photo: bool = False) -> UUID:
        record = uuid4()
        photos = [{"name": "pole", "shot": "pole", "kind": "photo"}] if photo else []
        job: UUID = self.value(
            "select job_id from accept_record(%s, %s, %s, %s, '[]', sha256(%s), 3, 'device:test')",
            self.project,
            self.device,
            Jsonb({"id": str(record), "form_key": FORM, "form_version": 1, "fields": {}}),
            Jsonb(photos),
            record.bytes,
        )
        self.jobs.append(job)
        return job

    def photo_arrives(self, job: UUID) -> None:
        record = self.value("select record_id from automation_job where id = %s", job)
        photo = {"name": "pole", "blob_sha256": "ab" * 32, "size": 9, "type": "image/jpeg", "checks": "done"}
        self.value("select outcome from accept_photo(%s, %s, '[]', 'device:test')", record, Jsonb(photo))

    def fetch(self, conn: int) -> tuple[UUID, int] | None:
        found = (
            self.conns[conn]
            .execute(
                "select id, args ->> 'automation_job_id' from procrastinate_fetch_job_v2(array['automation'], %s::bigint)",
                (self.worker,),
            )
            .fetchone()
        )
        return None if found is None or found[0] is None else (UUID(found[1]), found[0])

    def claim(self, conn: int, job: UUID, row: int) -> Attempt | None:
        found = (
            self.conns[conn]
            .execute(
                "select j.attempt, j.id || '.' || j.generation, j.external_ref, s.state"
                "  from claim_attempt(%s, %s::bigint, 'w:1', %s) as j"
                "  left join portal_submission as s on s.external_ref = j.external_ref",
                (job, row, LEASE_S),
            )
            .fetchone()
        )
        if found is None:
            return None
        return Attempt(job=job, number=found[0], row=row, key=found[1], reference=found[2], submission=found[3])

    def settled(self, conn: int, function: str, a: Attempt, *more: object) -> bool:
        """Call a settle function; true when it took effect."""
        marks = "".join(", %s" for _ in more)
        answer = self.value(f"select {function}(%s, %s::int{marks})", a.job, a.number, *more, conn=conn)
        return answer not in (None, False)

    def renew(self, conn: int, a: Attempt) -> bool:
        """As a worker's heartbeat does."""
        return bool(self.value(RENEW, LEASE_S, a.job, a.number, conn=conn))

    def sweep(self, conn: int) -> list[Any]:
        """One sweep; answers the attempts it closed although their lease had not run out."""
        live = self.conns[0].execute(UNEXPIRED.encode(), (self.jobs,)).fetchall()
        self.conns[conn].execute("select kind, job_id from reconcile(%s)", (GRACE_S,)).fetchall()
        still = self.conns[0].execute(UNEXPIRED.encode(), (self.jobs,)).fetchall()
        return [attempt for attempt in live if attempt not in still]

    def is_open(self, a: Attempt) -> bool:
        return bool(
            self.value(
                "select ended_at is null from automation_attempt where job_id = %s and attempt = %s", a.job, a.number
            )
        )

    def seq(self, job: UUID) -> int:
        return int(self.value("select seq from automation_job where id = %s", job))

    def age(self, seconds: float) -> None:
        """Let time pass for everything of these jobs that is computed with it."""
        for statement in AGING:
            self.conns[0].execute(statement.encode(), {"s": seconds, "jobs": self.jobs})

    def busy(self) -> bool:
        """Whether anything still runs, is due, or is carried by a row that a worker could fetch."""
        return bool(self.value(BUSY, self.jobs))

    def hold(self, job: UUID) -> None:
        """Somebody holds the job's row for a while, as a submission in flight or a slow transaction does."""
        cursor = self.conns[-1].cursor()
        cursor.execute("begin")
        cursor.execute("select from automation_job where id = %s for no key update", (job,))
        self.held = cursor

    def release(self) -> None:
        if self.held is not None:
            self.held.execute("rollback")
            self.held = None

    def wrong(self, *, calm: bool = False) -> list[str]:
        """Everything that must not be, at this moment; `calm`: all has been swept, so nothing is left to be mended."""
        said = [row[0] for row in self.conns[0].execute(LEGAL.encode(), {"jobs": self.jobs})]
        if self.has_doctor:
            rows = self.conns[0].execute(
                "select rule, sentence from ops.doctor(1e6) where job_id = any(%s) and (rule not in ('J1', 'J3') or %s)",
                (self.jobs, calm),
            )
            said += [f"doctor {rule}: {sentence}" for rule, sentence in rows]
        states = (
            self.conns[0]
            .execute("select external_ref, state from automation_job where id = any(%s)", (self.jobs,))
            .fetchall()
        )
        said += [f"{count} submissions under {reference}" for reference, count in self.effects.items() if count > 1]
        for reference, state in states:
            count = self.effects.get(reference, 0)
            if (state == "completed" and count != 1) or (state in ("failed", "cancelled") and count):
                said.append(f"{reference} is {state} with {count} submissions")
        return said


@contextmanager
def busy_is_nothing() -> Iterator[None]:
    """A lock that somebody else holds, and an act that is refused, change nothing."""
    try:
        yield
    except LOCKED:
        pass
    except psycopg.Error as exc:
        if exc.sqlstate not in REFUSED:
            raise
