"""Checks of starting, finding and following runs. Each takes a speaker, and its name is the rule it checks."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx

from tests.contract.speaker import TERMINAL, Body, Speaker, code


async def without_the_token_nothing_answers(say: Speaker) -> None:
    for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": say.target.token}):
        async with httpx.AsyncClient(base_url=say.target.url, headers=sent, trust_env=False) as http:
            stranger = Speaker(say.target, http)
            for method, path in (("GET", "/v1/health"), ("GET", "/v1/runs?key=x"), ("POST", "/v1/runs")):
                assert (await stranger.ask(method, path)).status_code == 401, f"{method} {path} answered a stranger"


async def a_start_needs_a_key(say: Speaker) -> None:
    for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 256}, {"Idempotency-Key": "a b"}):
        reply = await say.ask("POST", "/v1/runs", json=say.spec(), headers=headers)
        assert code(reply) == (400, "IDEMPOTENCY_KEY_REQUIRED"), f"{headers}: {reply.status_code}"


async def a_body_that_cannot_be_read_is_refused(say: Speaker) -> None:
    for content in (b"", b"{", b"[]", b'{"job_id": "x"}'):
        headers = {"Idempotency-Key": "unreadable.1", "Content-Type": "application/json"}
        reply = await say.ask("POST", "/v1/runs", content=content, headers=headers)
        assert reply.status_code == 400, f"{content!r} was answered {reply.status_code}"


async def one_key_is_one_run_however_often_it_is_asked_for(say: Speaker) -> None:
    spec = say.spec()
    key = f"{spec['job_id']}.1"
    replies = await asyncio.gather(*(say.create(spec, key=key) for _ in range(3)))
    assert sorted(reply.status_code for reply in replies) == [200, 200, 201]
    [run_id] = {reply.json()["id"] for reply in replies}
    for reply in replies:
        replayed = reply.headers.get("Idempotent-Replay") == "true"
        assert replayed == (reply.status_code == 200), "only a replay says Idempotent-Replay"
        assert reply.headers["Location"].endswith(f"/v1/runs/{run_id}")
    await say.cancel(run_id)


async def a_key_belongs_to_what_is_keyed(say: Speaker) -> None:
    run = await say.started()
    spec = run["spec"]
    changes: tuple[Body, ...] = (
        {"external_ref": "CT-OTHER"},
        {"inputs": {**spec["inputs"], "extra": 1}},
        {"files": []} if spec["files"] else {"commit": "dry_run"},
    )
    for change in changes:
        reply = await say.create(spec | change, key=run["key"])
        assert code(reply) == (422, "IDEMPOTENCY_KEY_REUSED"), f"{list(change)}: {reply.status_code}"
    await say.cancel(run["id"])


async def another_attempt_deadline_or_address_attaches(say: Speaker) -> None:
    run = await say.started()
    spec = run["spec"]
    deadline = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    moved = [file | {"url": f"{file['url']}?moved"} for file in spec["files"]]
    again = spec | {"attempt": 2, "deadline": deadline, "files": moved, "screenshots": "off"}
    reply = await say.create(again | {"resume": {"steps": [], "outputs": {}}}, key=run["key"])
    assert (reply.status_code, reply.json()["id"], reply.json()["attempt"]) == (200, run["id"], 2)
    await say.cancel(run["id"])


async def a_run_is_found_by_its_key(say: Speaker) -> None:
    run = await say.started()
    found = await say.ask("GET", "/v1/runs", params={"key": run["key"]})
    assert (found.status_code, found.json()["id"], found.json()["key"]) == (200, run["id"], run["key"])
    assert (await say.ask("GET", "/v1/runs", params={"key": "nobody-s-key"})).status_code == 404
    await say.cancel(run["id"])


async def what_is_unknown_is_said_to_be(say: Speaker) -> None:
    gets = ("/v1/runs/run_0", "/v1/runs/run_0/events", "/v1/runs/run_0/artifacts", "/v1/artifacts/run_0-1")
    for path in gets:
        assert (await say.ask("GET", path)).status_code == 404, path
    grant = {"token": "t", "attempt": 1, "decision": "submit"}
    posts = (("commit", grant), ("cancel", {"reason": ""}), ("inputs/inp_0", {"values": {"answer": "1"}}))
    for verb, body in posts:
        assert (await say.ask("POST", f"/v1/runs/run_0/{verb}", json=body)).status_code == 404, verb
    run = await say.started()
    reply = await say.ask("POST", f"/v1/runs/{run['id']}/inputs/inp_0", json={"values": {"answer": "1"}})
    assert reply.status_code == 404, "a question that was never asked"
    await say.cancel(run["id"])


async def events_are_dense_and_begin_anywhere(say: Speaker) -> None:
    run, events = await say.submitted()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "a seq is missing"
    for event in events:
        assert {"seq", "run_id", "type", "at", "attempt", "data"} <= set(event), f"an event lacks a member: {event}"
        assert event["run_id"] == run["id"]
        assert datetime.fromisoformat(event["at"]).tzinfo is not None
    view = await say.view(run["id"])
    assert (view["status"], view["last_seq"]) == (TERMINAL[events[-1]["type"]], len(events))
    for after in range(len(events) + 1):
        assert await say.page(run["id"], after=after) == events[after:], f"after={after}"


async def a_stream_may_be_cut_after_any_event(say: Speaker) -> None:
    run = await say.started()
    seen: list[int] = []
    opened = False
    ended = False
    while not ended:
        async with say.stream(run["id"], after=len(seen)) as lines:
            async for event in lines:
                if "seq" not in event:
                    continue
                seen.append(event["seq"])
                ended = event["type"] in TERMINAL
                if event["type"] == "commit.requested" and not opened:
                    opened = True
                    await say.commit(run["id"], event["data"]["token"])
                break
    assert seen == list(range(1, len(seen) + 1)), f"lost or repeated: {seen}"


async def events_come_as_server_sent_events_too(say: Speaker) -> None:
    run, events = await say.submitted()
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(len(events) - 2)}
    reply = await say.ask("GET", f"/v1/runs/{run['id']}/events", headers=headers)
    fields = [line.partition(": ")[::2] for line in reply.text.splitlines() if line and not line.startswith(":")]
    assert [value for name, value in fields if name == "id"] == [str(len(events) - 1), str(len(events))]
    assert [json.loads(value) for name, value in fields if name == "data"] == events[-2:]
    assert ("event", events[-1]["type"]) in fields


async def a_quiet_stream_has_a_heartbeat(say: Speaker) -> None:
    run, _ = await say.at_gate()
    async with asyncio.timeout(35), say.stream(run["id"]) as lines:
        async for event in lines:
            if event["type"] == "heartbeat":
                assert "seq" not in event
                break
    await say.cancel(run["id"])


async def a_page_does_not_wait(say: Speaker) -> None:
    run, _ = await say.at_gate()
    async with asyncio.timeout(5):
        assert (await say.page(run["id"]))[-1]["type"] == "commit.requested"
    await say.cancel(run["id"])


async def the_service_says_what_it_can_do(say: Speaker) -> None:
    health = (await say.ask("GET", "/v1/health")).json()
    assert {"browser", "free_slots", "portals"} <= set(health)
    assert say.target.portal in health["portals"]


CASES = (
    without_the_token_nothing_answers,
    a_start_needs_a_key,
    a_body_that_cannot_be_read_is_refused,
    one_key_is_one_run_however_often_it_is_asked_for,
    a_key_belongs_to_what_is_keyed,
    another_attempt_deadline_or_address_attaches,
    a_run_is_found_by_its_key,
    what_is_unknown_is_said_to_be,
    events_are_dense_and_begin_anywhere,
    a_stream_may_be_cut_after_any_event,
    events_come_as_server_sent_events_too,
    a_quiet_stream_has_a_heartbeat,
    a_page_does_not_wait,
    the_service_says_what_it_can_do,
)
