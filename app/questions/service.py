"""Who may see and answer a question, and what counts as an answer. Answers are sealed here, before any statement sees them."""

from __future__ import annotations

from uuid import UUID

import msgspec
import psycopg

from app.core.auth import Caller
from app.core.db import acting
from app.core.errors import AnswersCannotBeKept, InputAnswered, InputExpired, InputUnknown, JobUnknown, MalformedRequest
from app.core.vault import Vault
from app.jobs.schemas import JobView
from app.questions import store
from app.questions.schemas import Answer, InputField, InputList, InputView
from sql import Connection

LONGEST = 500
DECISION = "decision"
GOES_ON = {"approval": "approved", "fix": "used"}
"""What the first option of a decision means; the second one is a refusal."""

_REFUSALS = {"AB404": InputUnknown, "AB409": InputAnswered, "AB410": InputExpired}


async def inputs(conn: Connection, caller: Caller, job_id: UUID) -> InputList:
    """All questions of a job, newest first. Raises `JobUnknown`."""
    await _project(conn, caller, job_id)
    rows = await store.INPUTS_OF_JOB(conn, job=job_id)
    return InputList(items=[msgspec.convert(row.view, InputView) for row in rows])


async def answer(
    conn: Connection, caller: Caller, job_id: UUID, input_id: UUID, *, given: Answer, vault: Vault
) -> JobView:
    """Give an answer; the job goes on at once.

    Raises `JobUnknown`, `InputUnknown`, `Forbidden`, `MalformedRequest`, `InputAnswered`, `InputExpired` and
    `AnswersCannotBeKept`.
    """
    caller.demand("reviewer", await _project(conn, caller, job_id))
    row = await store.FIND_INPUT(conn, id=input_id, job=job_id)
    if row is None:
        raise InputUnknown
    asked = msgspec.convert(row.view, InputView)
    _check(asked, given.values)
    decision = None if row.held else _decision(asked, given.values)
    if decision is None and not vault:
        raise AnswersCannotBeKept
    cipher = vault.seal(msgspec.json.encode(given.values).decode()) if decision is None else None
    try:
        async with acting(conn, caller.actor, projects=caller.sight):
            done = await store.ANSWER_INPUT(
                conn, job=job_id, id=input_id, cipher=cipher, decision=decision, reason=given.reason[:LONGEST]
            )
    except psycopg.Error as exc:
        if exc.sqlstate in _REFUSALS:
            raise _REFUSALS[exc.sqlstate](exc.diag.message_primary or "") from exc
        raise
    return msgspec.convert(done.view, JobView)


async def _project(conn: Connection, caller: Caller, job_id: UUID) -> UUID:
    row = await store.FIND_JOB(conn, job=job_id, projects=caller.project_ids, device=caller.device_id)
    if row is None:
        raise JobUnknown
    return row.project_id


def _check(asked: InputView, values: dict[str, str]) -> None:
    """Each field once, and nothing else; what is wrong is said without the value."""
    for name in values.keys() - {field.key for field in asked.fields}:
        raise MalformedRequest("the question has no such field", pointer=f"/values/{name[:60]}")
    for field in asked.fields:
        if sentence := _wrong(field, values.get(field.key, "")):
            raise MalformedRequest(sentence, pointer=f"/values/{field.key}")


def _wrong(field: InputField, value: str) -> str:
    if not value.strip():
        return f"{field.label} is missing"
    if len(value) > LONGEST or not value.isprintable():
        return f"{field.label} is too long, or has characters that cannot be typed"
    if field.type == "choice" and value not in field.options:
        return f"{field.label} is none of the options"
    return ""


def _decision(asked: InputView, values: dict[str, str]) -> str:
    """Between two runs there is nothing to type, only something to decide."""
    field = next((field for field in asked.fields if field.key == DECISION), None)
    if field is None or not field.options:
        raise InputUnknown
    return GOES_ON.get(asked.kind, "used") if values[DECISION] == field.options[0] else "refused"
