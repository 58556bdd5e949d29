"""A submission whose outcome is open: looked up until the portal can be believed, then finished, repeated, or asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from sql import Connection
from tests.faults.history import Log
from tests.faults.http import serve
from tests.faults.service import Service
from tests.service import sign_in, until
from tests.worker.plant import Plant, plant


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def waits(works: Plant, job: UUID) -> list[tuple[str, str]]:
    """Every state the job was in, with why it waited."""
    query = (
        "select data ->> 'state', coalesce(data ->> 'wait_reason', '') from job_event where job_id = %s order by seq"
    )
    return await (await works.conn.execute(query, [job])).fetchall()


async def intends(works: Plant, job: UUID, *, ago_s: float) -> None:
    """As a worker leaves it that dies after its intent, before the service has heard of the run."""
    row = await works.one("select queue_job_id from automation_job where id = %s", job)
    await works.conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", [row])
    await works.conn.execute("select claim_attempt(%s, %s, 'gone:1', 0.1)", [job, row])
    assert await works.one("select record_intent(%s, 1)", job)
    await works.conn.execute(
        "update portal_submission set intent_at = intent_at - make_interval(secs => %s) where job_id = %s", [ago_s, job]
    )


async def test_a_failed_submission_is_looked_up_until_it_is_believed_and_then_costs_an_attempt(works: Plant) -> None:
    await works.quirks(submit={"ok": 0, "error": 1})
    await works.conn.execute("update portal set settle_s = 0.5")
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "failed"
    assert await works.one("select error_code, failures from automation_job") == ("SUBMIT_NOT_TAKEN", 3)
    assert await works.one("select state, intents from portal_submission") == ("absent", 3)
    assert ("retrying", "verifying") in await waits(works, job)
    assert await works.submissions(job) == 0


async def test_it_is_looked_for_without_a_worker_and_without_spending_an_attempt(works: Plant) -> None:
    """The portal shows it late: the answer was lost, and its search lags."""
    await works.quirks(submit={"ok": 0, "lost": 1}, duplicates="accept", index_lag_s=1.5)
    await works.conn.execute("update portal set settle_s = 20")
    job = await works.upload()
    async with works.worker():
        await works.reaches(job, "retrying")
        reason, failures, held = await works.one(
            "select wait_reason, failures, (select count(*) from automation_attempt where ended_at is null)"
            " from automation_job"
        )
        assert (reason, failures, held) == ("verifying", 1, 0)
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select confirmed_by from portal_submission") == "lookup"
    assert await works.one("select failures, attempt >= 2 from automation_job") == (1, True)


async def test_an_intent_without_a_run_is_looked_up_before_anything_is_keyed_again(works: Plant) -> None:
    # Long enough that a worker of a busy machine is there before it is over.
    await works.conn.execute("update portal set settle_s = 5")
    job = await works.upload()
    await intends(works, job, ago_s=0)
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert ("retrying", "verifying") in await waits(works, job)
    keyed_at, intent_at = await works.one(
        "select min(started_at), (select intent_at from portal_submission) from automation_step"
    )
    assert await works.one("select intents from portal_submission") == 2
    assert intent_at > keyed_at
    assert await works.submissions(job) == 1


async def test_what_lost_three_workers_in_a_row_is_looked_up_and_never_keyed_again(works: Plant) -> None:
    await works.conn.execute("update portal set settle_s = 0.5")
    sent, unsent = await keyed_by_another(works), await works.upload()
    for job in (sent, unsent):
        await intends(works, job, ago_s=1)
    await works.conn.execute("update automation_job set interruptions = 2 where id = any(%s)", [[sent, unsent]])
    async with works.worker():
        assert await works.ends(sent) == "completed"
        assert await works.ends(unsent) == "failed"
    assert await works.one("select error_code from automation_job where id = %s", unsent) == "SUBMIT_NOT_TAKEN"
    assert await works.one("select count(*) from automation_step where job_id = any(%s)", [sent, unsent]) == 0
    assert await works.submissions(unsent) == 0


async def keyed_by_another(works: Plant) -> UUID:
    """A queued job whose reference the portal has already, by the hand of another."""
    other = await works.upload()
    async with works.worker():
        await works.reaches(other, "completed")
    reference = await works.one("select external_ref from automation_job where id = %s", other)
    job = await works.upload()
    await works.conn.execute("delete from portal_submission where external_ref = %s", [reference])
    await works.conn.execute("update automation_job set external_ref = 'AB-OLD' where id = %s", [other])
    await works.conn.execute("update automation_job set external_ref = %s where id = %s", [reference, job])
    return job


async def test_what_a_person_keyed_by_hand_meanwhile_is_adopted(works: Plant) -> None:
    job = await keyed_by_another(works)
    number = await works.one("select confirmation from automation_job where external_ref = 'AB-OLD'")
    await intends(works, job, ago_s=0)
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.one("select confirmation from automation_job where id = %s", job) == number
    assert await works.one("select count(*) from automation_step where job_id = %s", job) == 0


async def test_a_portal_that_cannot_be_asked_is_asked_again_until_a_person_must(works: Plant) -> None:
    job = await works.upload()
    await intends(works, job, ago_s=0)
    await works.quirks(maintenance=True)
    async with works.worker(verify_s=1.0):
        assert await works.ends(job) == "needs_input"
    assert await works.one("select wait_reason, error_code from automation_job") == (
        "outcome_unknown", "SUBMIT_OUTCOME_UNKNOWN",
    )  # fmt: skip
    assert await works.one("select state, looks >= 1 from portal_submission") == ("intent", True)
    assert await works.submissions(job) == 0


async def unknown(works: Plant) -> UUID:
    """A job whose outcome a person is asked about."""
    job = await works.upload()
    await intends(works, job, ago_s=7300)
    await works.quirks(maintenance=True)
    async with works.worker():
        assert await works.ends(job) == "needs_input"
    await works.quirks(maintenance=False)
    return job


async def test_a_person_who_found_it_gives_the_number(works: Plant) -> None:
    job = await unknown(works)
    operator = await sign_in(works.served, works.conn)
    path = f"/api/jobs/{job}/outcome"
    without = await works.served.http.post(path, headers=operator, json={"submitted": True, "confirmation": "  "})
    assert (without.status_code, without.json()["code"]) == (422, "confirmation-missing")
    answer = await works.served.http.post(
        path, headers=operator, json={"submitted": True, "confirmation": " NPL-2026-000777 ", "reason": "seen there"}
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["confirmation"]) == ("completed", "NPL-2026-000777")
    assert await works.one("select state, confirmation, confirmed_by from portal_submission") == (
        "confirmed", "NPL-2026-000777", "person",
    )  # fmt: skip
    assert await works.one("select action, reason from audit_event where action = 'job.outcome'") == (
        "job.outcome", "seen there",
    )  # fmt: skip
    again = await works.served.http.post(path, headers=operator, json={"submitted": False})
    assert (again.status_code, again.json()["code"]) == (409, "outcome-not-asked")
    assert await works.one("select count(*) from ops.doctor(0)") == 0


async def test_a_person_who_did_not_find_it_has_it_submitted_again(works: Plant) -> None:
    job = await unknown(works)
    reviewer = await sign_in(works.served, works.conn, role="reviewer")
    path = f"/api/jobs/{job}/outcome"
    assert (await works.served.http.post(path, headers=reviewer, json={"submitted": False})).status_code == 403
    operator = await sign_in(works.served, works.conn)
    async with works.worker():
        answer = await works.served.http.post(path, headers=operator, json={"submitted": False, "reason": "not there"})
        assert (answer.status_code, answer.json()["state"]) == (200, "queued")
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select failures from automation_job") == 0
    await until(lambda: works.one("select count(*) from ops.doctor(0)"), lambda n: n == 0)


async def test_a_portal_that_cannot_be_searched_is_asked_about_at_once(works: Plant, tmp_path: Path) -> None:
    service = Service(Log(tmp_path / "effects.jsonl"))
    service.mode = msgspec.structs.replace(service.mode, seconds=0.1, lookup="none")
    async with serve(service) as url:
        works.settings = msgspec.structs.replace(works.settings, automation_url=url)
        job = await works.upload()
        await intends(works, job, ago_s=0)
        async with works.worker():
            assert await works.ends(job) == "needs_input"
        assert ("retrying", "verifying") not in await waits(works, job)
        assert await works.one("select outcome from automation_attempt where attempt = 2") == "parked"
        assert service.runs == {}
        await works.conn.execute("select ops.answer_outcome(%s, false, null, 'it is not there')", [job])
        async with works.worker():
            assert await works.ends(job) == "completed"
    assert len(service.submitted) == 1


async def test_what_the_portal_calls_a_double_is_looked_up_and_adopted(works: Plant) -> None:
    """Somebody keyed it by hand before we ever began."""
    first = await works.upload()
    async with works.worker():
        assert await works.ends(first) == "completed"
    reference, number = await works.one("select external_ref, confirmation from automation_job")
    await works.conn.execute("delete from portal_submission")
    await works.conn.execute("update automation_job set external_ref = 'AB-OLD'")
    second = await works.upload()
    await works.conn.execute("update automation_job set external_ref = %s where id = %s", [reference, second])
    async with works.worker():
        assert await works.ends(second) == "completed"
    assert await works.one("select confirmation from automation_job where id = %s", second) == number
    assert await works.one("select confirmed_by, intents from portal_submission where job_id = %s", second) == (
        "lookup", 1,
    )  # fmt: skip
    assert await works.submissions(second) == 1


async def test_a_claim_waits_for_a_job_that_is_held_and_spends_nothing(
    works: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "asbuilt.worker")
    job = await works.upload()
    async with works.conn.transaction():
        await works.conn.execute("select from automation_job where id = %s for no key update", [job])
        worker = works.worker(lease_s=30.0)
        await worker.__aenter__()

        async def held_off() -> bool:
            return "attempt.held_off" in {getattr(line, "event", "") for line in caplog.records}

        await until(held_off, lambda found: found)
    try:
        assert await works.ends(job) == "completed"
    finally:
        await worker.__aexit__(None, None, None)
    assert await works.one("select attempt, failures, interruptions from automation_job") == (1, 0, 0)
    assert await works.one("select count(*) from procrastinate_jobs") == 1
