"""Checks of the two-phase commit, cancelling, look-ups, artifacts and endings: what "exactly once" stands on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests.contract.speaker import Body, NotChecked, Speaker, code


async def without_a_grant_nothing_is_sent(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert {"external_ref", "review", "token", "expires_at"} <= set(request)
    assert request["external_ref"] == run["spec"]["external_ref"]
    assert (await say.view(run["id"]))["status"] == "awaiting_commit"
    await say.nothing_left(run)
    await say.cancel(run["id"])
    await say.nothing_left(run)


async def an_abort_sends_nothing_and_says_so(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert (await say.commit(run["id"], request["token"], decision="abort")).status_code == 200
    error = (await say.ending(run["id"]))[-1]["data"]["error"]
    assert (error["code"], error["outcome"]) == ("COMMIT_NOT_AUTHORIZED", "not_submitted")
    assert (await say.view(run["id"]))["error"]["outcome"] == "not_submitted"
    await say.nothing_left(run)


async def a_grant_sends_once_and_tells_each_step(say: Speaker) -> None:
    run, events = await say.submitted()
    kinds = [event["type"] for event in events]
    order = ["commit.requested", "commit.sent", "commit.observed", "run.succeeded"]
    assert [kind for kind in kinds if kind in order] == order
    result = events[-1]["data"]["result"]
    assert result["confirmation_number"]
    assert result["external_ref"] == run["spec"]["external_ref"]
    assert (await say.view(run["id"]))["result"]["confirmation_number"] == result["confirmation_number"]


async def a_token_is_used_once_and_must_be_right(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert code(await say.commit(run["id"], "guess")) == (409, "NOT_AWAITING_COMMIT")
    await say.nothing_left(run)
    replies = await asyncio.gather(*(say.commit(run["id"], request["token"]) for _ in range(3)))
    assert sorted(reply.status_code for reply in replies) == [200, 409, 409]
    kinds = [event["type"] for event in await say.ending(run["id"])]
    assert kinds.count("commit.sent") == 1
    assert code(await say.commit(run["id"], request["token"])) == (409, "NOT_AWAITING_COMMIT")


async def a_run_that_is_not_at_its_gate_takes_no_grant(say: Speaker) -> None:
    run = await say.started()
    assert code(await say.commit(run["id"], "early")) == (409, "NOT_AWAITING_COMMIT")
    await say.cancel(run["id"])


async def a_lower_attempt_is_fenced_out(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert (await say.create(run["spec"] | {"attempt": 3}, key=run["key"])).status_code == 200
    for attempt in (1, 2):
        assert code(await say.commit(run["id"], request["token"], attempt=attempt)) == (409, "FENCED")
    await say.nothing_left(run)
    assert (await say.commit(run["id"], request["token"], attempt=3)).status_code == 200
    events = await say.ending(run["id"])
    [sent] = [event for event in events if event["type"] == "commit.sent"]
    assert sent["attempt"] == 3


async def a_lower_start_does_not_lower_the_fence(say: Speaker) -> None:
    run, request = await say.at_gate(attempt=4)
    assert (await say.create(run["spec"] | {"attempt": 2}, key=run["key"])).json()["attempt"] == 4
    assert code(await say.commit(run["id"], request["token"], attempt=2)) == (409, "FENCED")
    await say.cancel(run["id"])


async def a_gate_that_nobody_opens_closes(say: Speaker) -> None:
    run, request = await say.at_gate()
    open_s = (datetime.fromisoformat(request["expires_at"]) - datetime.now(UTC)).total_seconds()
    if open_s > say.target.patience_s:
        await say.cancel(run["id"])
        raise NotChecked(f"the gate stays open for {open_s:.0f} s")
    error = (await say.ending(run["id"]))[-1]["data"]["error"]
    assert (error["code"], error["outcome"]) == ("COMMIT_NOT_AUTHORIZED", "not_submitted")
    assert code(await say.commit(run["id"], request["token"])) == (410, "COMMIT_TOKEN_EXPIRED")
    await say.nothing_left(run)


async def a_dry_run_stops_at_the_gate(say: Speaker) -> None:
    run = await say.started(commit="dry_run")
    events = await say.ending(run["id"])
    assert events[-1]["type"] == "run.succeeded"
    assert events[-1]["data"]["result"]["how"] == "dry_run"
    await say.nothing_left(run)


async def a_run_can_be_cancelled_again_and_again(say: Speaker) -> None:
    run = await say.started()
    replies = [await say.cancel(run["id"]) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [202, 202, 202]
    assert (await say.ending(run["id"]))[-1]["type"] == "run.cancelled"
    assert (await say.view(run["id"]))["status"] == "cancelled"


async def a_run_cancelled_at_the_gate_sends_nothing(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert (await say.cancel(run["id"])).status_code == 202
    assert (await say.ending(run["id"]))[-1]["type"] == "run.cancelled"
    assert code(await say.commit(run["id"], request["token"])) == (409, "NOT_AWAITING_COMMIT")
    await say.nothing_left(run)


async def a_cancel_after_the_grant_comes_too_late(say: Speaker) -> None:
    run, request = await say.at_gate()
    assert (await say.commit(run["id"], request["token"])).status_code == 200
    reply = await say.cancel(run["id"])
    assert reply.status_code == 202 or code(reply) == (409, "COMMIT_IN_PROGRESS")
    assert (await say.ending(run["id"]))[-1]["type"] == "run.succeeded", "a submission was cancelled on its way"
    assert (await say.cancel(run["id"])).status_code in {202, 409}
    assert (await say.view(run["id"]))["status"] == "succeeded"


async def a_look_up_finds_what_was_submitted(say: Speaker) -> None:
    _need_look_ups(say)
    run, events = await say.submitted()
    number = events[-1]["data"]["result"]["confirmation_number"]
    asked = datetime.now(UTC)
    limit = asked.timestamp() + say.target.patience_s
    while not (answer := await say.look_up(run["spec"]["external_ref"]))["found"]:
        assert datetime.now(UTC).timestamp() < limit, "the portal does not show its own submission"
        await asyncio.sleep(0.5)
    assert answer["confirmation_number"] == number


async def a_negative_look_up_says_as_of_when(say: Speaker) -> None:
    _need_look_ups(say)
    asked = datetime.now(UTC)
    answer = await say.look_up("CT-NEVER-SENT")
    assert answer["found"] is False
    assert datetime.fromisoformat(answer["as_of"]) >= asked.replace(microsecond=0)
    assert answer["index_lag_s"] >= 0


async def a_portal_that_cannot_be_searched_is_said_to_be(say: Speaker) -> None:
    if say.target.lookup:
        raise NotChecked("this portal can be searched")
    body = {"portal": say.target.portal, "account": say.target.account, "external_ref": "CT-NEVER-SENT"}
    assert code(await say.ask("POST", "/v1/lookups", json=body)) == (501, "LOOKUP_UNSUPPORTED")


async def every_artifact_that_is_listed_can_be_had(say: Speaker) -> None:
    run, events = await say.submitted()
    listed: list[Body] = (await say.ask("GET", f"/v1/runs/{run['id']}/artifacts")).json()
    told = [event["data"]["artifact_id"] for event in events if event["type"] in {"frame", "artifact"}]
    assert set(told) <= {each["id"] for each in listed}, "an artifact was told of and is not listed"
    for each in listed:
        reply = await say.ask("GET", each["url"])
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].partition(";")[0] == each["mime"]
        assert len(reply.content) == each["size"]


def _need_look_ups(say: Speaker) -> None:
    if not say.target.lookup:
        raise NotChecked("this portal cannot be searched")


CASES = (
    without_a_grant_nothing_is_sent,
    an_abort_sends_nothing_and_says_so,
    a_grant_sends_once_and_tells_each_step,
    a_token_is_used_once_and_must_be_right,
    a_run_that_is_not_at_its_gate_takes_no_grant,
    a_lower_attempt_is_fenced_out,
    a_lower_start_does_not_lower_the_fence,
    a_gate_that_nobody_opens_closes,
    a_dry_run_stops_at_the_gate,
    a_run_can_be_cancelled_again_and_again,
    a_run_cancelled_at_the_gate_sends_nothing,
    a_cancel_after_the_grant_comes_too_late,
    a_look_up_finds_what_was_submitted,
    a_negative_look_up_says_as_of_when,
    a_portal_that_cannot_be_searched_is_said_to_be,
    every_artifact_that_is_listed_can_be_had,
)
