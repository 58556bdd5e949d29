"""Signing in: one-time links, passwords, and what a page of another site cannot do."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.access import create_link, create_user
from sql import Connection
from tests.factories import make_record
from tests.service import Service, sign_in


async def test_a_link_works_once(served: Service, conn: Connection) -> None:
    user, _ = await create_user(conn, email="a@example.com", name="A", project="demo", role="viewer", password=False)
    code = await create_link(conn, user)
    first = await served.http.post("/api/session", json={"code": code})
    assert first.status_code == 200
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    me = (await served.http.get("/api/me")).json()
    assert (me["name"], [project["code"] for project in me["projects"]]) == ("a@example.com", ["demo"])
    again = await served.http.post("/api/session", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (401, "unauthorised")


async def test_a_password_opens_and_signing_out_ends(served: Service, conn: Connection) -> None:
    _, password = await create_user(conn, email="b@example.com", name="B", project="demo", role="viewer")
    for wrong in ({"email": "b@example.com", "password": "x"}, {"email": "c@example.com", "password": password}):
        assert (await served.http.post("/api/session", json=wrong)).status_code == 401
    opened = await served.http.post("/api/session", json={"email": "B@example.com", "password": password})
    assert opened.json() == {"name": "B"}
    me = (await served.http.get("/api/me")).json()
    headers = {"X-CSRF-Token": me["csrf"], "Content-Type": "application/json"}
    assert (await served.http.delete("/api/session", headers=headers)).status_code == 204
    assert (await served.http.get("/api/me")).status_code == 401


FORGERIES: dict[str, dict[str, str]] = {
    "no token": {"X-CSRF-Token": ""},
    "a wrong token": {"X-CSRF-Token": "0" * 64},
    "another origin": {"Origin": "https://evil.example"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("case", FORGERIES)
async def test_a_page_of_another_site_changes_nothing(served: Service, conn: Connection, case: str) -> None:
    made = await make_record(conn, state="failed")
    person = await sign_in(served, conn, project=made.project.code)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=person | FORGERIES[case], json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    row = await (await conn.execute("select state from automation_job where id = %s", [made.job_id])).fetchone()
    assert row == ("failed",)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", ""])
async def test_a_form_cannot_pass_for_json(served: Service, conn: Connection, content_type: str) -> None:
    person = await sign_in(served, conn) | {"Content-Type": content_type}
    answer = await served.http.post(f"/api/jobs/{uuid4()}/retry", headers=person, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media")


async def test_no_address_but_the_public_ones_answers_a_stranger(served: Service) -> None:
    """Closed by default: every route of the schema is asked without a token."""
    schema = (await served.http.get("/api/schema/openapi.json", headers=served.bearer())).json()
    public: set[tuple[str, str]] = set()
    for path, methods in schema["paths"].items():
        filled = path.replace("{project}", "demo").replace("{version}", "1")
        while "{" in filled:
            filled = filled[: filled.index("{")] + str(uuid4()) + filled[filled.index("}") + 1 :]
        for method, operation in methods.items():
            if operation.get("security") == []:
                public.add((method, path))
                continue
            answer = await served.http.request(method.upper(), filled)
            assert answer.status_code == 401, f"{method} {path} answers {answer.status_code} to a stranger"
    assert public == {
        ("get", "/health/live"),
        ("get", "/health/ready"),
        ("post", "/api/session"),
    }
