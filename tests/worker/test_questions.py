"""People in the loop, on real parts: API, worker, database, and an automation service that asks over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from sql import Connection
from tasks.engines.asbuilt import AsbuiltEngine
from tests.service import serving, sign_in, token, until
from tests.worker.office import CODE, Office, opened

WRITTEN = re.compile(rf"(?<![0-9a-f]){CODE}(?![0-9a-f])|{CODE.encode().hex()}")
"""The code as text, or as the bytes of it; its digits inside a photo's bytes are chance."""


@pytest.fixture
async def office(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def test_an_answer_reaches_the_run_that_asked_and_is_kept_no_longer(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        assert await office.works.ends(job) == "needs_input"
        asked = (await office.inputs(job))[0]
        assert (asked["kind"], asked["fields"][0]["label"]) == ("otp", "6-digit code")
        picture = await office.works.served.http.get(asked["screenshot"], headers=office.person)
        assert picture.headers["content-type"] == "image/jpeg"
        # Nothing of a worker is occupied meanwhile.
        assert await office.works.one("select count(*) from automation_attempt where ended_at is null") == 0
        answer = await office.answer(job)
        assert answer.status_code == 202, answer.text
        assert CODE not in answer.text
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1"], "the run was repeated"
    assert list(office.service.received.values()) == [[{"code": CODE}]]
    assert await office.kept() == ("used", None)
    assert await office.works.one("select attempt, failures from automation_job") == (2, 0)


async def test_nobody_finds_the_answer_anywhere_in_the_database(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
    await office.answer(job)
    # The worker is gone, so the answer lies sealed.
    outcome, cipher = await office.kept()
    assert outcome == "answered"
    assert cipher is not None
    assert CODE.encode() not in cipher
    tables = await (
        await office.works.conn.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        )
    ).fetchall()
    for (table,) in tables:
        text = await office.works.one(f"select coalesce(string_agg(t::text, ' '), '') from {table} as t")
        assert not WRITTEN.search(text), table


async def test_an_answer_survives_the_death_of_the_worker_that_was_to_use_it(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
    await office.answer(job)
    async with office.worker():
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1"]
    assert await office.kept() == ("used", None)


async def test_an_answer_that_the_run_refuses_is_asked_for_again(office: Office) -> None:
    office.service.refuses = CODE
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
        await office.answer(job)
        await until(
            lambda: office.works.one("select max(attempt) from automation_attempt where ended_at is not null"),
            lambda n: n == 2,
        )
        assert await office.works.state(job) == "needs_input"
        assert await office.kept() == (None, None)
        office.service.refuses = "-"
        assert (await office.answer(job)).status_code == 202
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1"]
    assert await office.works.one("select count(*) from audit_event where action = 'question.answer'") == 2


async def test_nobody_answers_and_the_job_has_failed_with_its_run_ended(office: Office) -> None:
    office.service.seconds_to_answer = 1.0
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
        await office.works.reaches(job, "failed")
        assert await office.column("error_code, failures", job) == ("INPUT_EXPIRED", 0)
        run = next(iter(office.service.runs.values()))
        assert run.over
        assert (await office.answer(job)).json()["code"] == "input-expired"
        # And somebody is there the second time.
        office.service.seconds_to_answer = 60.0
        retried = await office.works.served.http.post(
            f"/api/jobs/{job}/retry", headers=office.person, json={"reason": "the phone is here now"}
        )
        assert retried.status_code == 202
        await office.works.reaches(job, "needs_input")
        await office.answer(job)
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1", f"{job}.2"]


async def test_an_answer_that_cannot_be_opened_ends_the_run_and_says_so(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
    await office.answer(job)
    await office.works.conn.execute("update automation_input set answer_cipher = 'damaged'")
    async with office.worker():
        await office.works.reaches(job, "failed")
    assert await office.column("error_code", job) == "INPUT_EXPIRED"
    assert next(iter(office.service.runs.values())).status == "cancelled"


async def test_a_second_answer_and_a_strangers_are_refused(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
    viewer = await sign_in(office.works.served, office.works.conn, role="viewer")
    device = office.works.served.bearer(await token(office.works.conn, scopes=("upload", "read")))
    assert (await office.answer(job, who=viewer)).status_code == 403
    assert (await office.answer(job, who=device)).status_code in (403, 404)
    assert (await office.answer(job, question="0198a0b0-0000-4000-8000-000000000001")).json()["code"] == "input-unknown"
    wrong = await office.answer(job, code="1", other="2")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/values/other")
    assert (await office.answer(job, code=" ")).status_code == 400
    assert (await office.answer(job)).status_code == 202
    again = await office.answer(job)
    assert (again.status_code, again.json()["code"]) == (409, "input-answered")


async def test_a_cancelled_question_ends_its_run_at_once(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
        answer = await office.works.served.http.post(
            f"/api/jobs/{job}/cancel", headers=office.person, json={"reason": "not needed"}
        )
        assert answer.status_code == 202
        await office.works.reaches(job, "cancelled")
    assert next(iter(office.service.runs.values())).status == "cancelled"
    assert (await office.kept())[0] == "withdrawn"


async def test_a_submission_waits_for_its_approval_and_then_passes_unasked(office: Office) -> None:
    office.service.asks = False
    await office.works.conn.execute("update project set approval = true")
    job = await office.works.upload()
    async with office.worker():
        assert await office.works.ends(job) == "needs_input"
        asked = (await office.inputs(job))[0]
        assert asked["kind"] == "approval"
        assert asked["detail"] == {"keyed": {"Pole height (ft)": "45"}, "photo_count": 3}
        assert asked["screenshot"] is not None
        assert office.service.submitted == {}
        assert (await office.answer(job, decision="approve")).status_code == 202
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1", f"{job}.2"]
    assert len(office.service.submitted) == 1
    assert await office.works.one("select count(*) from automation_input") == 1


async def test_an_approval_holds_for_what_was_shown_and_nothing_else(office: Office) -> None:
    office.service.asks = False
    await office.works.conn.execute("update portal set approval = true")
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
        office.service.keyed = {"Pole height (ft)": "54"}
        await office.answer(job, decision="approve")
        await until(lambda: office.inputs(job), lambda asked: len(asked) == 2)
        await office.works.reaches(job, "needs_input")
    assert office.service.submitted == {}


async def test_a_refused_submission_never_happens(office: Office) -> None:
    office.service.asks = False
    await office.works.conn.execute("update project set approval = true")
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
        await office.answer(job, decision="refuse")
        assert await office.works.ends(job) == "failed"
    assert await office.column("error_code", job) == "NOT_APPROVED"
    assert office.service.submitted == {}


async def test_what_only_a_person_can_do_at_the_portal_is_asked_of_one(office: Office) -> None:
    office.service.fails_with = "CAPTCHA"
    job = await office.works.upload()
    async with office.worker():
        assert await office.works.ends(job) == "needs_input"
        asked = (await office.inputs(job))[0]
        assert (asked["kind"], asked["prompt"]) == ("fix", "CAPTCHA at the portal")
        office.service.fails_with, office.service.asks = "", False
        await office.answer(job, decision="try again")
        await office.works.reaches(job, "completed")
    assert office.service.starts == [f"{job}.1", f"{job}.2"]


async def test_without_a_key_an_answer_is_refused_before_it_is_stored(office: Office) -> None:
    job = await office.works.upload()
    async with office.worker():
        await office.works.ends(job)
    keyless = msgspec.structs.replace(office.works.settings, secret_key=())
    question = (await office.inputs(job))[0]["id"]
    async with serving(keyless) as url:
        answer = await office.works.served.http.post(
            f"{url}/api/jobs/{job}/inputs/{question}",
            headers={**office.person, "Origin": url}, json={"values": {"code": CODE}},
        )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (503, "no-secret-key")
    assert await office.kept() == (None, None)


async def test_an_engine_without_a_gate_is_not_even_started_before_the_approval(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AsbuiltEngine, "caps", AsbuiltEngine.caps - {"commit_gate"})
    office.service.asks = False
    await office.works.conn.execute("update project set approval = true")
    job = await office.works.upload()
    async with office.worker():
        assert await office.works.ends(job) == "needs_input"
        asked = (await office.inputs(job))[0]
        assert asked["detail"]["photo_count"] == 3
        assert office.service.starts == []
        assert await office.works.one("select count(*) from portal_submission") == 0
        await office.answer(job, decision="refuse")
        assert await office.works.ends(job) == "failed"
    assert office.service.starts == []
