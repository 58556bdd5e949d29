"""Operations over HTTP: who may look, and that the numbers are those of the rows, of one's own projects only."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Device, make_device, make_project, make_record, value
from tests.service import Service, sign_in, token
from tests.sql.test_failures import failed
from tests.web.test_jobs import demo_device

READS = (
    "/api/operations/backlog",
    "/api/operations/failures",
    f"/api/operations/failures/npl/{'0' * 16}/jobs",
    "/api/operations/workers",
    "/api/operations/throughput",
    "/api/operations/questions",
    "/api/operations/audit",
)


async def stranger(conn: Connection) -> Device:
    """A device of another project, with an operator's scope there."""
    return await make_device(conn, await make_project(conn), scopes=("upload", "read", "operate"))


async def test_only_operators_look_and_only_into_their_projects(served: Service, conn: Connection) -> None:
    other = await stranger(conn)
    phone = served.bearer(await token(conn, scopes=("upload",)))
    people = {role: await sign_in(served, conn, role=role) for role in ("viewer", "reviewer", "operator", "admin")}
    for read in READS:
        for role, person in people.items():
            status = 200 if role in ("operator", "admin") else 403
            for query in ("", "?project=demo"):
                assert (await served.http.get(read + query, headers=person)).status_code == status, (read, role, query)
            foreign = await served.http.get(f"{read}?project={other.project.code}", headers=person)
            assert (foreign.status_code, foreign.json()["code"]) == (404, "project-unknown")
        assert (await served.http.get(read)).status_code == 401
        assert (await served.http.get(read, headers=phone)).status_code == 403


async def test_the_backlog_is_of_ones_own_projects(served: Service, conn: Connection) -> None:
    device, other = await demo_device(conn), await stranger(conn)
    for state in ("queued", "queued", "held", "processing", "completed"):
        await make_record(conn, device=device, state=state)
    await make_record(conn, device=other)
    late = await make_record(conn, device=device, state="retrying")
    await conn.execute("update automation_job set ready_at = now() - interval '1 min' where id = %s", (late.job_id,))
    person = await sign_in(served, conn)
    body = (await served.http.get("/api/operations/backlog", headers=person)).json()
    assert [(row["state"], row["wait_reason"], row["jobs"]) for row in body["items"]] == [
        ("held", "blocker", 1),
        ("processing", None, 1),
        ("queued", None, 2),
        ("retrying", "backoff", 1),
    ]
    assert body["ready"] == 3, "two in the queue, and one whose time has come"
    oldest = await value(conn, "select min(queued_at) from automation_job where project_id = %s and state = 'queued'", device.project.id)  # fmt: skip
    assert body["oldest_ready_at"].replace("Z", "+00:00") == oldest.isoformat()
    theirs = (await served.http.get("/api/operations/backlog", headers=other.headers)).json()
    assert [(row["state"], row["jobs"]) for row in theirs["items"]] == [("queued", 1)]


async def test_failures_come_in_groups_with_their_jobs_and_history(served: Service, conn: Connection) -> None:
    device, other = await demo_device(conn), await stranger(conn)
    made = [await failed(conn, device, f"depth {n}.5 of 'P-{n}' is refused", again=n == 2) for n in range(3)]
    await failed(conn, other, "depth 7.5 of 'P-7' is refused")
    gone = await failed(conn, device, "the list is empty", code="ROW_MISSING")
    await conn.execute("select ops.retry(%s, 'x')", (gone.job_id,))
    person = await sign_in(served, conn)
    body = (await served.http.get("/api/operations/failures?project=demo", headers=person)).json()
    (group,) = body["items"]
    assert (body["groups"], body["jobs"]) == (1, 3)
    cause = group["cause"]
    assert (cause["portal"], cause["step"], cause["code"], cause["error_class"], cause["shape"]) == (
        "npl", "job", "FIELD_REFUSED", "validation_rejected", "depth ‹n› of ‹text› is refused",
    )  # fmt: skip
    assert (group["jobs"], group["failed"], group["message"]) == (3, 2, "depth 2.5 of 'P-2' is refused")
    assert (len(group["per_hour"]), group["per_hour"][-1], sum(group["per_hour"])) == (24, 3, 3)
    assert [(past["cause"]["code"], past["attempts"]) for past in body["past"]] == [("ROW_MISSING", 1)]
    url = f"/api/operations/failures/npl/{cause['fingerprint']}/jobs"
    first = (await served.http.get(f"{url}?limit=2", headers=person)).json()
    second = (await served.http.get(url, params={"limit": 2, "cursor": first["next"]}, headers=person)).json()
    assert [job["id"] for page in (first, second) for job in page["items"]] == [str(m.job_id) for m in reversed(made)]
    assert second["next"] is None
    assert first["items"][0]["state"] == "retrying"
    theirs = (await served.http.get(url, headers=other.headers)).json()["items"]
    assert [job["project"] for job in theirs] == [other.project.code], "the same cause, and other people's jobs"
    assert (await served.http.get(f"{url}?cursor=x", headers=person)).status_code == 400


async def test_an_attempt_counts_in_the_hour_it_failed_in(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    for hours in (0, 1, 23, 25):
        made = await failed(conn, device, "no answer")
        ended = f"{hours} hours 1 minute"
        await conn.execute(
            "update automation_attempt set ended_at = now() - %s::interval where job_id = %s", (ended, made.job_id)
        )
    body = (await served.http.get("/api/operations/failures", headers=await sign_in(served, conn))).json()
    per_hour = body["items"][0]["per_hour"]
    assert {hour: n for hour, n in enumerate(per_hour) if n} == {23: 1, 22: 1, 0: 1}


async def test_workers_name_the_runs_of_ones_own_projects_only(served: Service, conn: Connection) -> None:
    mine = await make_record(conn, state="processing", device=await demo_device(conn))
    await make_record(conn, state="processing", device=await stranger(conn))
    await conn.execute(
        "insert into worker (name, version, places, beat_s, seen_at, ended_at) values"
        " ('worker-1', '0.1.0', 4, 10, now(), null), ('worker-2', '0.1.0', 4, 10, now() - interval '1 min', null),"
        " ('worker-3', '0.1.0', 4, 10, now(), now())"
    )
    body = (await served.http.get("/api/operations/workers", headers=await sign_in(served, conn))).json()
    assert [(w["worker"], w["state"], w["busy"]) for w in body["items"]] == [("worker-1", "alive", 2), ("worker-2", "lost", 0)]  # fmt: skip
    assert [run["job_id"] for run in body["items"][0]["runs"]] == [str(mine.job_id)]
    assert (body["alive"], body["places"], body["busy"]) == (1, 4, 2)


async def test_each_window_has_its_pieces(served: Service, conn: Connection) -> None:
    await make_record(conn, state="completed", device=await demo_device(conn))
    await make_record(conn, state="failed", device=await stranger(conn))
    person = await sign_in(served, conn)
    for window, pieces in (("hour", 12), ("day", 24), ("week", 28), ("month", 30)):
        body = (await served.http.get(f"/api/operations/throughput?window={window}", headers=person)).json()
        assert len(body["items"]) == pieces
        whole = body["whole"]
        assert (whole["uploads"], whole["completed"], whole["failed"]) == (1, 1, 0)
        # The clock may have begun another piece since.
        (piece,) = [each for each in body["items"][-2:] if each["completed"]]
        assert piece["completed"] == 1 and piece["pickup_p50_s"] >= 0 and piece["run_p95_s"] >= 0
    assert (await served.http.get("/api/operations/throughput?window=year", headers=person)).status_code == 400


async def test_questions_come_by_urgency_and_an_open_outcome_is_one(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    unknown = await make_record(conn, state="needs_input", device=device)
    await make_record(conn, state="needs_input", device=await stranger(conn))
    asked = []
    for minutes in (30, 5):
        made = await make_record(conn, state="processing", device=device)
        question = {"kind": "otp", "prompt": f"code {minutes}", "fields": [], "run_input_id": "q", "expires_at": "2099-01-01T00:00:00Z"}  # fmt: skip
        assert await value(conn, "select settle_asked(%s, 1, %s, null)", made.job_id, Jsonb(question))
        await conn.execute(
            "update automation_input set expires_at = now() + make_interval(mins => %s) where job_id = %s",
            (minutes, made.job_id),
        )
        asked.append(made)
    body = (await served.http.get("/api/operations/questions", headers=await sign_in(served, conn))).json()
    assert [(q["job_id"], q["kind"], q["expires_at"] is None) for q in body["items"]] == [
        (str(asked[1].job_id), "otp", False),
        (str(asked[0].job_id), "otp", False),
        (str(unknown.job_id), "outcome", True),
    ]
    assert body["items"][0]["prompt"] == "code 5" and body["more"] is False


async def test_the_audit_is_of_ones_own_projects_and_portals(served: Service, conn: Connection) -> None:
    device, other = await demo_device(conn), await stranger(conn)
    made = await make_record(conn, device=device)
    foreign = await make_record(conn, device=other)
    person = await sign_in(served, conn)
    hold = await served.http.post(f"/api/jobs/{made.job_id}/hold", headers=person, json={"reason": "ask the crew"})
    assert hold.status_code == 202
    await conn.execute("select ops.hold(%s, 'theirs')", (foreign.job_id,))
    await served.http.post("/api/portals/npl/pause", headers=person, json={"reason": "they migrate"})
    await conn.execute("select ops.pause_portal('npl', 'not mine', 'contractor')")

    async def acts(**query: str) -> list[tuple[str, str]]:
        answer = await served.http.get("/api/operations/audit", params=query, headers=person)
        assert answer.status_code == 200, answer.text
        return [(act["action"], act["reason"]) for act in answer.json()["items"]]

    assert await acts() == [("portal.pause", "they migrate"), ("job.hold", "ask the crew")]
    assert await acts(action="job.") == await acts(record=str(made.record_id)) == [("job.hold", "ask the crew")]
    assert await acts(actor="@EXAMPLE") == await acts()
    assert await acts(actor="nobody") == await acts(since="2099-01-01T00:00:00Z") == await acts(until="2020-01-01T00:00:00Z") == []  # fmt: skip
    shown = (await served.http.get("/api/operations/audit?action=job.", headers=person)).json()["items"][0]
    assert (shown["project"], shown["record_id"]) == ("demo", str(made.record_id))
    assert (shown["before"]["state"], shown["after"]["state"]) == ("queued", "held")
    theirs = (await served.http.get("/api/operations/audit", headers=other.headers)).json()["items"]
    assert [act["reason"] for act in theirs] == ["not mine", "theirs"]


async def test_the_audit_goes_on_where_a_page_ended(served: Service, conn: Connection) -> None:
    made = await make_record(conn, device=await demo_device(conn))
    for n in range(5):
        await conn.execute("select ops.hold(%s, %s)", (made.job_id, f"{n}"))
        await conn.execute("select ops.release(%s, 'x')", (made.job_id,))
    person = await sign_in(served, conn)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, str | int] = {"limit": 4, "cursor": cursor}
        body = (await served.http.get("/api/operations/audit", params=query, headers=person)).json()
        seen += [act["id"] for act in body["items"]]
        cursor = body["next"]
    assert seen == sorted(seen, reverse=True) and len(seen) == len(set(seen)) == 10
    for bad in ("x", "-1", "9" * 30, "٣"):
        answer = await served.http.get("/api/operations/audit", params={"cursor": bad}, headers=person)
        assert answer.status_code == 400
