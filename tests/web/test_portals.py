"""Portal accounts over HTTP: who sees them, who pauses them, and what a job then says it waits for."""

from __future__ import annotations

import pytest

from sql import Connection
from tests.factories import make_device, make_project, make_record, value
from tests.service import Service, token
from tests.web.test_jobs import demo_device


async def test_an_operator_pauses_and_resumes_a_portal(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    queued = await make_record(conn, device=device)
    operator = served.bearer(await token(conn, scopes=("read", "operate")))
    shown = (await served.http.get("/api/portals", headers=operator)).json()["items"]
    assert [(p["portal"], p["account"], p["max_runs"], p["open_to"], p["taken"]) for p in shown] == [
        ("npl", "default", 6, 6, 1)
    ]
    paused = await served.http.post("/api/portals/npl/pause", headers=operator, json={"reason": "they migrate"})
    assert paused.status_code == 202, paused.text
    item = paused.json()["items"][0]
    assert (item["open_to"], item["paused_as"], item["paused_reason"]) == (0, "paused", "they migrate")
    late = await value(
        conn, "select ops.hold(%s, 'x') is not null and ops.release(%s, 'y') is not null", queued.job_id, queued.job_id
    )
    assert late
    view = (await served.http.get(f"/api/jobs/{queued.job_id}", headers=operator)).json()
    assert (view["state"], view["wait_reason"]) == ("held", "paused")
    resumed = await served.http.post("/api/portals/npl/resume", headers=operator, json={"reason": "done"})
    assert resumed.json()["items"][0]["paused_as"] is None
    view = (await served.http.get(f"/api/jobs/{queued.job_id}", headers=operator)).json()
    assert (view["state"], view["wait_reason"]) == ("queued", None)
    actors = await conn.execute("select actor, reason from audit_event where action in ('portal.pause', 'portal.resume') order by id")  # fmt: skip
    rows = await actors.fetchall()
    assert [reason for _, reason in rows] == ["they migrate", "done"]
    assert all(actor.startswith("device:") for actor, _ in rows)


async def test_who_may_not(served: Service, conn: Connection) -> None:
    reader = served.bearer(await token(conn, scopes=("read", "review")))
    assert (await served.http.get("/api/portals", headers=reader)).status_code == 200
    refused = await served.http.post("/api/portals/npl/pause", headers=reader, json={"reason": "x"})
    assert refused.status_code == 403
    stranger = (await make_device(conn, await make_project(conn), scopes=("read", "operate"))).headers
    seen = (await served.http.get("/api/portals", headers=stranger)).json()["items"]
    assert [item["account"] for item in seen] == ["contractor"]
    unknown = await served.http.post("/api/portals/acme/pause", headers=stranger, json={"reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "portal-unknown")
    await served.http.post("/api/portals/npl/pause", headers=stranger, json={"reason": "mine"})
    paused = await conn.execute("select label from portal_account where paused_at is not null")
    assert await paused.fetchall() == [("contractor",)], "an account of another project was paused"


@pytest.mark.parametrize("scope", ["operate", "review"])
async def test_hold_and_release(served: Service, conn: Connection, scope: str) -> None:
    job = (await make_record(conn, device=await demo_device(conn))).job_id
    caller = served.bearer(await token(conn, scopes=("read", scope)))
    held = await served.http.post(f"/api/jobs/{job}/hold", headers=caller, json={"reason": "ask the crew"})
    if scope == "review":
        assert held.status_code == 403
        return
    assert (held.status_code, held.json()["state"], held.json()["wait_reason"]) == (202, "held", "hold")
    twice = await served.http.post(f"/api/jobs/{job}/hold", headers=caller, json={})
    assert (twice.status_code, twice.json()["code"]) == (409, "job-not-holdable")
    released = await served.http.post(f"/api/jobs/{job}/release", headers=caller, json={"reason": "asked"})
    assert (released.status_code, released.json()["state"]) == (202, "queued")
    again = await served.http.post(f"/api/jobs/{job}/release", headers=caller, json={})
    assert (again.status_code, again.json()["code"]) == (409, "job-not-on-hold")


async def test_an_operator_changes_the_limit_and_what_waits_goes_on(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    await conn.execute("update portal_account set max_runs = 1 where label = 'default'")
    await make_record(conn, device=device)
    waits = (await make_record(conn, device=device)).job_id
    operator = served.bearer(await token(conn, scopes=("read", "operate")))
    view = (await served.http.get(f"/api/jobs/{waits}", headers=operator)).json()
    assert (view["state"], view["wait_reason"]) == ("queued", "slot")
    body = {"max_runs": 2, "starts_per_minute": 30, "reason": "they allow two"}
    answer = await served.http.post("/api/portals/npl/limit", headers=operator, json=body)
    assert answer.status_code == 202, answer.text
    item = answer.json()["items"][0]
    assert (item["max_runs"], item["starts_per_minute"], item["operated"]) == (2, 30, True)
    assert (await served.http.get(f"/api/jobs/{waits}", headers=operator)).json()["wait_reason"] is None
    kept = await conn.execute("select reason, before ->> 'max_runs', after ->> 'max_runs' from audit_event where action = 'portal.limit' order by id desc limit 1")  # fmt: skip
    assert await kept.fetchone() == ("they allow two", "1", "2")
    free = await served.http.post("/api/portals/npl/limit", headers=operator, json={"max_runs": 2, "starts_per_minute": 0})  # fmt: skip
    assert free.json()["items"][0]["starts_per_minute"] is None
    for wrong in (
        {"max_runs": 0},
        {"max_runs": 1001},
        {"max_runs": 2, "starts_per_minute": -1},
        {"max_runs": 2, "x": 1},
    ):
        assert (await served.http.post("/api/portals/npl/limit", headers=operator, json=wrong)).status_code == 400
    reader = served.bearer(await token(conn, scopes=("read", "review")))
    assert (await served.http.post("/api/portals/npl/limit", headers=reader, json=body)).status_code == 403
    seen = (await served.http.get("/api/portals", headers=reader)).json()["items"]
    assert [each["operated"] for each in seen] == [False]


async def test_resume_closes_an_open_breaker(served: Service, conn: Connection) -> None:
    await conn.execute(
        "update portal_account set breaker_until = now() + interval '5 min', breaker_reason = 'PORTAL_ERROR: 500', breaker_openings = 1"
        " where label = 'default'"
    )
    waits = (await make_record(conn, device=await demo_device(conn))).job_id
    operator = served.bearer(await token(conn, scopes=("read", "operate")))
    assert (await served.http.get(f"/api/jobs/{waits}", headers=operator)).json()["wait_reason"] == "breaker"
    answer = await served.http.post("/api/portals/npl/resume", headers=operator, json={"reason": "it answers again"})
    assert answer.json()["items"][0]["breaker"] == "closed"
    assert (await served.http.get(f"/api/jobs/{waits}", headers=operator)).json()["wait_reason"] is None
