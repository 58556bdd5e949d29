"""The automation contract over real HTTP: who may call, what a key means, the gate, cancelling, and the stream of events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from app.core.settings import Settings, SettingsError
from tasks.engines.contract import Absent, CommitGrant, Event, RunView, Unavailable, Unsupported
from tasks.engines.errors import (
    ArtifactGone,
    CommitInProgress,
    Fenced,
    GrantExpired,
    InputGone,
    KeyReused,
    NotAwaitingCommit,
    Refused,
    RunUnknown,
)
from tasks.engines.events import CommitRequested, RunFailed
from tasks.runner import Limits, running
from tasks.runner.recipe_file import Recipes
from tests.worker.rig import DEADLINE_S, POLE, TOKEN, Rig, jpeg, key, rigged


@pytest.fixture
async def rig(database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def api(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=rig.service.url, headers=headers, timeout=DEADLINE_S) as client:
        yield client


async def test_without_a_token_the_service_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="AUTOMATION_TOKEN"):
        async with running(Settings(runner_dir=tmp_path, runner_port=0)):
            raise AssertionError("it started")


@pytest.mark.parametrize("sent", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
async def test_nobody_passes_without_the_token(rig: Rig, sent: str) -> None:
    for method, path in [
        ("GET", "/v1/health"),
        ("POST", "/v1/runs"),
        ("GET", "/v1/runs?key=x"),
        ("POST", "/v1/lookups"),
    ]:
        reply = await rig.http.request(method, rig.service.url + path, headers={"Authorization": sent})
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "UNAUTHORIZED"
        assert reply.headers["request-id"]


async def test_a_start_needs_a_key_and_a_readable_body(rig: Rig, api: httpx.AsyncClient) -> None:
    body = msgspec.json.encode(rig.spec())
    for bad in ["", "with space", "k" * 256]:
        reply = await api.post("/v1/runs", content=body, headers={"Idempotency-Key": bad})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    reply = await api.post("/v1/runs", content=b"{}", headers={"Idempotency-Key": "k"})
    assert reply.status_code == 400
    assert "job_id" in reply.json()["error"]["message"]


async def test_three_starts_at_once_are_one_run(rig: Rig, api: httpx.AsyncClient) -> None:
    spec = rig.spec()
    body, headers = msgspec.json.encode(spec), {"Idempotency-Key": key(spec.job_id)}
    replies = await asyncio.gather(*(api.post("/v1/runs", content=body, headers=headers) for _ in range(3)))
    assert sorted(reply.status_code for reply in replies) == [200, 200, 201]
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert [reply.headers.get("idempotent-replay") for reply in replies if reply.status_code == 200] == ["true", "true"]
    run = await rig.engine.start(spec, key=headers["Idempotency-Key"])
    assert run.replayed
    assert (await rig.play(run))[-1].type == "run.succeeded"
    assert len(await rig.submissions(spec.external_ref)) == 1
    assert (await rig.engine.start(spec, key=headers["Idempotency-Key"])).run_id == run.run_id


async def test_a_key_belongs_to_what_is_keyed_and_not_to_the_attempt(rig: Rig) -> None:
    spec = rig.spec()
    run = await rig.engine.start(spec, key="k.1")
    later = msgspec.structs.replace(
        spec,
        attempt=2,
        deadline=datetime.now(UTC) + timedelta(minutes=5),
        screenshots="off",
        files=tuple(msgspec.structs.replace(each, url=each.url + "?again") for each in spec.files),
    )
    assert (await rig.engine.start(later, key="k.1")).run_id == run.run_id
    assert (await rig.engine.run(run.run_id)).attempt == 2
    for other in [
        msgspec.structs.replace(spec, inputs=POLE | {"depth_m": 1.0}),
        msgspec.structs.replace(spec, external_ref="AB-OTHER"),
        msgspec.structs.replace(spec, commit="dry_run"),
    ]:
        with pytest.raises(KeyReused):
            await rig.engine.start(other, key="k.1")
    view = await rig.engine.run_by_key("k.1")
    assert view is not None
    assert view.id == run.run_id
    assert await rig.engine.run_by_key("k.2") is None
    await rig.engine.cancel(run, reason="test")


async def test_an_unknown_recipe_or_account_is_refused_before_anything_starts(rig: Rig) -> None:
    spec = rig.spec()
    for other in [
        msgspec.structs.replace(spec, recipe="other"),
        msgspec.structs.replace(spec, recipe_version=99),
        msgspec.structs.replace(spec, portal="other"),
        msgspec.structs.replace(spec, account="other"),
    ]:
        with pytest.raises(Refused):
            await rig.engine.start(other, key=key())
    assert list((rig.settings.runner_dir / "runs").iterdir()) == []


async def test_the_gate_refuses_lower_attempts_and_wrong_tokens_and_opens_once(rig: Rig) -> None:
    spec = rig.spec(attempt=1)
    run = await rig.engine.start(spec, key="k.1")
    token = (await rig.until(run, "commit.requested")).read(CommitRequested).token
    assert (await rig.engine.run(run.run_id)).status == "awaiting_commit"
    await rig.engine.start(msgspec.structs.replace(spec, attempt=2), key="k.1")
    with pytest.raises(Fenced):
        await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=1))
    with pytest.raises(NotAwaitingCommit):
        await rig.engine.authorize_commit(run, CommitGrant(token="guess", attempt=2))
    assert await rig.submissions(spec.external_ref) == []
    await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=2))
    with pytest.raises(NotAwaitingCommit):
        await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=2))
    await rig.until(run, "run.succeeded")
    [made] = await rig.submissions(spec.external_ref)
    assert made["fence"] == 2


async def test_without_a_grant_nothing_is_submitted(database_url: str, tmp_path: Path) -> None:
    async with rigged(database_url, tmp_path, limits=Limits(gate_s=0.2)) as rig:
        spec = rig.spec()
        run = await rig.engine.start(spec, key=key())
        token = (await rig.until(run, "commit.requested")).read(CommitRequested).token
        error = (await rig.until(run, "run.failed")).read(RunFailed).error
        assert (error.code, error.error_class, error.outcome) == ("COMMIT_NOT_AUTHORIZED", "transient", "not_submitted")
        with pytest.raises(GrantExpired):
            await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=1))
        assert await rig.submissions(spec.external_ref) == []
        assert rig.settings.portal_log.read_bytes() == b""


async def test_an_abort_at_the_gate_submits_nothing(rig: Rig) -> None:
    spec = rig.spec()
    run = await rig.engine.start(spec, key=key())
    token = (await rig.until(run, "commit.requested")).read(CommitRequested).token
    await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=1, decision="abort"))
    error = (await rig.until(run, "run.failed")).read(RunFailed).error
    assert (error.code, error.outcome) == ("COMMIT_NOT_AUTHORIZED", "not_submitted")
    assert await rig.submissions(spec.external_ref) == []


async def test_a_cancelled_run_ends_and_can_be_cancelled_again(rig: Rig) -> None:
    await rig.quirks(think_min_s=0.2, think_max_s=0.2)
    run = await rig.engine.start(rig.spec(), key=key())
    await rig.until(run, "step.started")
    assert (await rig.engine.cancel(run, reason="test")).status == "cancelled"
    assert (await rig.engine.cancel(run, reason="again")).status == "cancelled"
    events = [event async for event in rig.engine.events(run)]
    assert [event.type for event in events].count("run.cancelled") == 1
    assert events[-1].type == "run.cancelled"


async def test_a_submission_on_its_way_cannot_be_cancelled(rig: Rig) -> None:
    await rig.quirks(submit={"ok": 0, "slow": 1}, slow_s=1.5)
    spec = rig.spec()
    run = await rig.engine.start(spec, key=key())
    token = (await rig.until(run, "commit.requested")).read(CommitRequested).token
    await rig.engine.authorize_commit(run, CommitGrant(token=token, attempt=1))
    with pytest.raises(CommitInProgress):
        await rig.engine.cancel(run, reason="too late")
    assert (await rig.until(run, "run.succeeded")).terminal
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_no_more_runs_at_once_than_allowed(database_url: str, tmp_path: Path) -> None:
    async with rigged(database_url, tmp_path, limits=Limits(concurrency=1)) as rig:
        first = await rig.engine.start(rig.spec(), key=key())
        await rig.until(first, "commit.requested")
        second = await rig.engine.start(rig.spec(), key=key())
        assert (await rig.engine.run(second.run_id)).status == "queued"
        assert (await rig.engine.health()).free_slots == 0
        await rig.engine.cancel(first, reason="room")
        assert (await rig.play(second))[-1].type == "run.succeeded"
        third = await rig.engine.start(rig.spec(), key=key())
        await rig.until(third, "commit.requested")
        waiting = await rig.engine.start(rig.spec(), key=key())
        assert (await rig.engine.cancel(waiting, reason="queued")).status == "cancelled"


async def test_a_deadline_ends_a_run_and_a_later_attempt_may_move_it(rig: Rig) -> None:
    spec = rig.spec(deadline=datetime.now(UTC) + timedelta(seconds=60))
    run = await rig.engine.start(spec, key="k.1")
    await rig.until(run, "commit.requested")
    await rig.engine.start(msgspec.structs.replace(spec, attempt=2, deadline=datetime.now(UTC)), key="k.1")
    error = (await rig.until(run, "run.failed")).read(RunFailed).error
    assert (error.code, error.outcome) == ("DEADLINE", "not_submitted")


async def test_the_stream_begins_anywhere_and_ends_with_the_run(rig: Rig, api: httpx.AsyncClient) -> None:
    run = await rig.engine.start(rig.spec(), key=key())
    whole = await rig.play(run)
    path = f"/v1/runs/{run.run_id}/events"
    for after in (0, 7, len(whole) - 1, len(whole)):
        reply = await api.get(path, params={"after": after})
        assert reply.headers["content-type"].startswith("application/x-ndjson")
        assert reply.headers["cache-control"] == "no-store"
        seqs = [msgspec.json.decode(line, type=Event).seq for line in reply.content.splitlines()]
        assert seqs == list(range(after + 1, len(whole) + 1))
    sse = await api.get(path, headers={"Accept": "text/event-stream", "Last-Event-ID": str(len(whole) - 2)})
    ids = re.findall(r"^id: (\d+)$", sse.text, re.MULTILINE)
    assert ids == [str(len(whole) - 1), str(len(whole))]
    assert "event: run.succeeded" in sse.text


async def test_a_plain_page_does_not_wait(rig: Rig, api: httpx.AsyncClient) -> None:
    run = await rig.engine.start(rig.spec(), key=key())
    await rig.until(run, "commit.requested")
    reply = await api.get(f"/v1/runs/{run.run_id}/events", params={"wait": 0})
    assert msgspec.json.decode(reply.content.splitlines()[-1], type=Event).type == "commit.requested"
    await rig.engine.cancel(run, reason="test")


async def test_a_quiet_stream_is_kept_alive(database_url: str, tmp_path: Path) -> None:
    async with rigged(database_url, tmp_path, limits=Limits(heartbeat_s=0.05)) as rig:
        run = await rig.engine.start(rig.spec(), key=key())
        await rig.until(run, "commit.requested")
        beats = 0
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with rig.http.stream("GET", f"{rig.service.url}/v1/runs/{run.run_id}/events", headers=headers) as reply:
            async for line in reply.aiter_lines():
                beats += line == '{"type":"heartbeat"}'
                if beats == 3:
                    break
        assert beats == 3
        assert (await rig.play(run))[-1].type == "run.succeeded"


async def test_a_page_of_the_portal_that_cannot_tell_is_never_a_no(rig: Rig) -> None:
    asked = datetime.now(UTC)
    absent = await rig.engine.lookup(portal="npl", external_ref="AB-NEVER")
    assert isinstance(absent, Absent)
    assert absent.as_of >= asked
    for switches in ({"maintenance": True}, {"maintenance": False, "error_rate": 1}, {"error_rate": 0, "drop_rate": 1}):
        await rig.quirks(**switches)
        assert isinstance(await rig.engine.lookup(portal="npl", external_ref="AB-NEVER"), Unavailable)
    await rig.quirks(drop_rate=0, session_requests=1)
    assert isinstance(await rig.engine.lookup(portal="other", external_ref="AB-NEVER"), Unavailable)


async def test_a_portal_without_a_look_up_says_so(rig: Rig, api: httpx.AsyncClient) -> None:
    recipe = rig.service.runs.recipes.for_portal("npl")
    assert recipe is not None
    rig.service.runs.recipes = Recipes([msgspec.structs.replace(recipe, lookup="none")])
    assert isinstance(await rig.engine.lookup(portal="npl", external_ref="AB-NEVER"), Unsupported)
    body = {"portal": "npl", "account": "default", "external_ref": "AB-NEVER"}
    reply = await api.post("/v1/lookups", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (501, "LOOKUP_UNSUPPORTED")


async def test_what_is_not_there_is_said_in_the_contract_s_words(rig: Rig, api: httpx.AsyncClient) -> None:
    for path in [
        "/v1/runs/run_0",
        "/v1/runs/run_0/events",
        "/v1/artifacts/run_0-1",
        "/v1/runs/run_0/artifacts",
        "/v1/x",
    ]:
        reply = await api.get(path)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "NOT_FOUND")
    with pytest.raises(RunUnknown):
        await rig.engine.run("run_0")
    with pytest.raises(ArtifactGone):
        await rig.engine.artifact("../../etc/passwd")
    run = await rig.engine.start(rig.spec(), key=key())
    with pytest.raises(InputGone):
        await rig.engine.provide_input(run, input_id="otp-1", values={"code": "123456"})
    assert (await rig.engine.health()).portals == ("harbor", "npl")
    view = RunView(**msgspec.structs.asdict(await rig.engine.run(run.run_id)))
    assert view.key == run.key
    await rig.engine.cancel(run, reason="test")


async def test_photos_go_when_the_run_goes_and_its_file_does_not_begin_with_form_data(rig: Rig) -> None:
    spec = rig.spec(inputs=POLE | {"notes": "gate code 4711"}, files=(rig.files.add("tag-1.jpg", jpeg()),))
    run = await rig.engine.start(spec, key=key())
    await rig.until(run, "commit.requested")
    await rig.engine.cancel(run, reason="test")
    assert not list((rig.settings.runner_dir / "work").rglob("*.jpg"))
    head = (rig.settings.runner_dir / "runs" / f"{run.run_id}.jsonl").read_bytes().splitlines()[0]
    assert b"4711" not in head
