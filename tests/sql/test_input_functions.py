"""Questions in the database: asked once, answered once, expired by the clock, and no answer outlives its question."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import finish, make_record
from tests.sql.dba import Dba

OTP: dict[str, Any] = {
    "kind": "otp",
    "prompt": "The portal sent a code",
    "run_input_id": "q1",
    "fields": [{"key": "code", "label": "6-digit code", "type": "text"}],
}
APPROVAL: dict[str, Any] = {"kind": "approval", "prompt": "Submit?", "within_s": 100, "detail": {"keyed": {"a": "b"}}}
SEALED = b"sealed"


class Story(Dba):
    """A job that is processing, and what befalls it."""

    async def asks(self, question: dict[str, Any], *, seconds: float = 100) -> Any:
        if "run_input_id" in question:
            until = await self.sees("select clock_timestamp() + make_interval(secs => %s)", seconds)
            question = {**question, "expires_at": until.isoformat()}
        done = await self.sees("select settle_asked(%s, 1, %s, null)", self.job_id, Jsonb(question))
        if done:
            await finish(self.conn, self.job_id, 1)
        return done

    async def begins(self) -> None:
        self.job_id: UUID = (await make_record(self.conn, state="processing")).job_id

    async def asked(self) -> Any:
        return await self.sees("select id from automation_input order by asked_at desc limit 1")

    async def answers(self, *, cipher: bytes | None = SEALED, decision: str | None = None) -> dict[str, Any]:
        view: dict[str, Any] = await self.sees(
            "select answer_input(%s, %s, %s, %s, 'because')", self.job_id, await self.asked(), cipher, decision
        )
        return view

    async def stands(self) -> Any:
        return await self.sees("select state, wait_reason, generation from automation_job where id = %s", self.job_id)

    async def fate(self) -> Any:
        return await self.sees("select outcome, answer_cipher from automation_input")

    async def passes(self) -> None:
        await self.types("update automation_input set expires_at = clock_timestamp() - interval '1 second'")
        await self.sees("select expire_inputs()")


@pytest.fixture
async def story(conn: Connection) -> Story:
    made = Story(conn)
    await made.begins()
    return made


async def test_a_runs_question_keeps_the_run_and_its_answer_goes_first(story: Story) -> None:
    assert await story.asks(OTP) is True
    assert await story.stands() == ("needs_input", "question", 1)
    assert await story.sees("select outcome from automation_attempt") == "parked"
    assert (
        await story.sees("select q.queue_name from automation_job j join procrastinate_jobs q on q.id = j.queue_job_id")
        == "waiting"
    )
    view = await story.sees("select job_view(j) from automation_job as j")
    assert view["question"]["kind"] == "otp"
    assert await story.asked() == UUID(view["question"]["id"])
    assert (await story.answers())["state"] == "queued"
    assert await story.sees(
        "select q.queue_name, q.priority from automation_job j join procrastinate_jobs q on q.id = j.queue_job_id"
    ) == ("automation", 10)
    assert await story.fate() == ("answered", SEALED)
    assert await story.ails() == []


async def test_the_audit_knows_who_and_which_but_not_what(story: Story) -> None:
    await story.asks(OTP)
    await story.answers()
    action, after = await story.sees("select action, after::text from audit_event where action like 'question%%'")
    assert action == "question.answer"
    assert "6-digit" not in after
    assert SEALED.hex() not in after
    assert "The portal sent a code" in after


@pytest.mark.parametrize("second", ["another answer", "too late", "of another job"])
async def test_an_answer_counts_once_and_in_time(story: Story, second: str) -> None:
    await story.asks(OTP)
    if second == "another answer":
        await story.answers()
    elif second == "too late":
        await story.types("update automation_input set expires_at = clock_timestamp()")
    else:
        story.job_id = (await make_record(story.conn, state="needs_input")).job_id
    with pytest.raises(psycopg.Error) as refused:
        await story.answers()
    expected = {"another answer": "AB409", "too late": "AB410", "of another job": "AB404"}
    assert refused.value.sqlstate == expected[second]


async def test_a_zombie_cannot_ask(story: Story) -> None:
    await story.types("update automation_attempt set ended_at = now(), outcome = 'lost'")
    assert await story.asks(OTP) is False
    assert await story.sees("select count(*) from automation_input") == 0


async def test_what_is_past_or_answered_is_not_asked_again(story: Story) -> None:
    assert await story.asks(OTP, seconds=-1) is None
    assert await story.stands() == ("processing", None, 1)


async def test_nobody_answered_and_a_short_attempt_ends_the_run(story: Story) -> None:
    await story.asks(OTP)
    await story.passes()
    assert await story.stands() == ("queued", None, 1)
    assert (await story.fate())[0] == "expired"
    assert await story.ails() == []


async def test_an_answer_that_nobody_came_to_use_is_forgotten(story: Story) -> None:
    await story.asks(OTP)
    await story.answers()
    await story.passes()
    assert await story.fate() == ("expired", None)


async def test_the_timer_knows_when_to_look_again(story: Story) -> None:
    await story.asks(OTP, seconds=50)
    assert 40 < await story.sees("select least(promote_due(), expire_inputs())") <= 50


async def test_an_approval_is_asked_between_two_runs(story: Story) -> None:
    await story.asks(APPROVAL)
    assert await story.stands() == ("needs_input", "approval", 2)
    await story.answers(cipher=None, decision="approved")
    assert await story.stands() == ("queued", None, 2)
    assert (await story.fate()) == ("approved", None)
    assert await story.ails() == []


async def test_refused_is_failed_and_can_be_retried(story: Story) -> None:
    await story.asks(APPROVAL)
    await story.sees("select ops.approve(%s, false, 'the pole is wrong')", story.job_id)
    assert await story.stands() == ("failed", None, 2)
    assert await story.sees("select error_code from automation_job") == "NOT_APPROVED"
    assert await story.ails() == []
    await story.sees("select ops.retry(%s, 'it is right after all')", story.job_id)
    assert (await story.stands())[0] == "queued"


async def test_an_approval_that_nobody_gave_ends_the_job(story: Story) -> None:
    await story.asks(APPROVAL)
    await story.passes()
    assert (await story.stands())[0] == "failed"
    assert await story.sees("select error_code from automation_job") == "INPUT_EXPIRED"
    assert await story.ails() == []


async def test_cancelling_a_job_whose_run_holds_a_page_ends_the_run_first(story: Story) -> None:
    await story.asks(OTP)
    await story.sees("select ops.cancel(%s, 'not needed')", story.job_id)
    assert await story.stands() == ("queued", None, 1)
    assert await story.sees("select cancel_requested_at is not null from automation_job")
    assert (await story.fate())[0] == "withdrawn"
    assert await story.ails() == []


async def test_cancelling_an_approval_withdraws_it(story: Story) -> None:
    await story.asks(APPROVAL)
    await story.sees("select ops.cancel(%s, 'not needed')", story.job_id)
    assert (await story.stands())[0] == "cancelled"
    assert (await story.fate())[0] == "withdrawn"


async def test_no_row_holds_an_answer_that_is_not_waited_for(story: Story) -> None:
    await story.asks(OTP)
    with pytest.raises(psycopg.errors.CheckViolation):
        await story.types(
            "update automation_input set outcome = 'used', answered_at = now(), answered_by = 'x', answer_cipher = 'x'"
        )


async def test_the_switch_is_on_record(story: Story) -> None:
    await story.sees("select ops.require_approval(true, 'first week', p_portal => 'npl')")
    assert await story.sees("select approval from portal where key = 'npl'") is True
    assert ("approval.require", "first week") in await story.acts()
    with pytest.raises(psycopg.Error, match="name a portal or a project"):
        await story.sees("select ops.require_approval(true, 'both')")
