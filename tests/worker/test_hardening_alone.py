"""What the tables say of attempts that were lost with their workers, and of a claim whose answer was lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sql import Connection
from tasks import store
from tests.factories import make_record


class Row:
    """A job as a worker meets it: its queue row is fetched, and then claimed."""

    def __init__(self, conn: Connection, job: UUID) -> None:
        self._conn = conn
        self.job = job

    async def ask(self, query: str, *values: object) -> Any:
        row = await (await self._conn.execute(query, values)).fetchone()
        return row[0] if row is not None and len(row) == 1 else row

    async def fetch(self) -> int:
        return int(
            await self.ask(
                "update procrastinate_jobs set status = 'doing' where id ="
                " (select queue_job_id from automation_job where id = %s) returning id",
                self.job,
            )
        )

    async def claim(self, row: int, *, worker: str = "host:1", lease_s: float = 60.0) -> store.Claim | None:
        return await store.CLAIM(self._conn, job=self.job, queue_job=row, worker=worker, lease_s=lease_s)

    async def lose(self) -> None:
        """The worker is gone and its lease runs out."""
        await self.ask(
            "update automation_attempt set lease_until = clock_timestamp() - interval '1 s'"
            " where job_id = %s and ended_at is null returning attempt",
            self.job,
        )
        await self._conn.execute("select reconcile_lost()")

    async def now(self) -> tuple[str, int, int]:
        state, attempt, interruptions = await self.ask(
            "select state, attempt, interruptions from automation_job where id = %s", self.job
        )
        return state, attempt, interruptions


@pytest.fixture
async def row(conn: Connection) -> Row:
    return Row(conn, (await make_record(conn)).job_id)


async def test_the_third_attempt_waits_to_run_alone_and_costs_nothing_until_then(row: Row, conn: Connection) -> None:
    for _ in range(2):
        claim = await row.claim(await row.fetch())
        assert claim is not None
        assert not claim.suspect
        await row.lose()
    assert await row.now() == ("queued", 2, 2)

    claim = await row.claim(await row.fetch())
    assert claim is not None
    assert claim.suspect
    await row.lose()
    assert await row.now() == ("queued", 3, 2), "lost while it waited, as when another took the worker down"

    claim = await row.claim(await row.fetch())
    assert claim is not None
    assert await store.BEGIN_ALONE(conn, job=claim.id, attempt=claim.attempt) == 1
    await row.lose()
    assert await row.now() == ("failed", 4, 3)
    assert await store.BEGIN_ALONE(conn, job=claim.id, attempt=claim.attempt) == 0


async def test_a_job_that_is_lost_three_times_while_it_waits_to_run_alone_ends(row: Row) -> None:
    for _ in range(4):
        await row.claim(await row.fetch())
        await row.lose()
    assert await row.now() == ("queued", 4, 2)
    await row.claim(await row.fetch())
    await row.lose()
    assert await row.now() == ("failed", 5, 3)


async def test_with_an_intent_open_it_is_claimed_once_more_to_be_looked_up(row: Row, conn: Connection) -> None:
    for _ in range(3):
        claim = await row.claim(await row.fetch())
        assert claim is not None
        assert claim.spent is None
        await store.BEGIN_ALONE(conn, job=claim.id, attempt=claim.attempt)
        await store.RECORD_INTENT(conn, job=claim.id, attempt=claim.attempt)
        await row.lose()
    assert await row.now() == ("queued", 3, 3)
    claim = await row.claim(await row.fetch())
    assert claim is not None
    assert (claim.spent, claim.submission, claim.suspect) == ("interruptions", "intent", True)
    await store.BEGIN_ALONE(conn, job=claim.id, attempt=claim.attempt)
    await row.lose()
    assert await row.now() == ("needs_input", 4, 4)
    assert await row.ask("select wait_reason from automation_job where id = %s", row.job) == "outcome_unknown"


async def test_a_claim_whose_answer_was_lost_is_given_again_to_the_same_worker_only(row: Row) -> None:
    """Else a connection that broke in the claim would cost the job an interruption, and a lease of waiting."""
    fetched = await row.fetch()
    first = await row.claim(fetched)
    assert first is not None
    assert await row.claim(fetched) == first
    assert await row.claim(fetched, worker="host:2") is None
    assert await row.claim(fetched + 1) is None
    assert await row.now() == ("processing", 1, 0)


async def test_a_claim_given_again_renews_its_lease(row: Row) -> None:
    fetched = await row.fetch()
    await row.claim(fetched, lease_s=1.0)
    await row.claim(fetched, lease_s=600.0)
    left = await row.ask("select lease_until > clock_timestamp() + interval '5 min' from automation_attempt")
    assert left is True


async def test_a_lost_attempt_is_not_given_again(row: Row) -> None:
    fetched = await row.fetch()
    await row.claim(fetched)
    await row.lose()
    assert await row.claim(fetched) is None
