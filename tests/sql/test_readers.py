"""Personal data at psql: a member of `asbuilt_readonly` alone is shown what happened, and not to whom, by whom or in whose words."""

from __future__ import annotations

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from app.core.db import acting
from sql import Connection
from tests.factories import make_record, value
from tests.logins import as_role
from tests.sql.test_roles import names

WHO = "Maria Quill"


async def test_readers_see_what_happened_and_not_to_whom(conn: Connection, database_url: str) -> None:
    """Everywhere that a person, a phone or a portal writes words, these stand; an operator is shown each, a reader none."""
    held, failed, asked = [await make_record(conn, state=state) for state in ("held", "failed", "processing")]
    await conn.execute("update device set label = %s", [WHO])
    await conn.execute("update asbuilt_record set crew = %s", [WHO])
    await conn.execute("update defect set message = %s, evidence = jsonb_build_object('seen', %s::text)", [WHO, WHO])
    question = {
        "kind": "choice",
        "prompt": WHO,
        "fields": [],
        "run_input_id": "q",
        "expires_at": "2099-01-01T00:00:00Z",
    }
    assert await value(conn, "select settle_asked(%s, 1, %s, null)", asked.job_id, Jsonb(question))
    await conn.execute(
        "update automation_attempt set error_message = %s, traceback = %s, log = %s, progress = jsonb_build_object('message', %s::text)",
        [f'the portal has no "{WHO}"', WHO, WHO, WHO],
    )
    await conn.execute("update automation_job set error_message = %s where id = %s", [f'no "{WHO}"', failed.job_id])
    async with await AsyncConnection.connect(as_role("app", database_url), autocommit=True) as web:
        await web.execute(sql.SQL("set application_name = {}").format(WHO))
        async with acting(web, f"user:{WHO}"):
            await web.execute("select ops.waive(id, %s) from defect where record_id = %s", [WHO, held.record_id])
            await web.execute("select ops.review(%s, 'rejected', %s)", [held.record_id, WHO])
            await web.execute("select ops.pause_portal('npl', %s)", [WHO])
    shown = {role: await views_with(WHO, as_role(role, database_url)) for role in ("operator", "readonly")}
    told = {f"ops.{name}" for name in ("attempts", "audit", "jobs", "portals", "questions", "records", "timeline")}
    assert shown == {"operator": told, "readonly": set()}
    assert await views_with(WHO, database_url) == told
    async with await AsyncConnection.connect(as_role("readonly", database_url), autocommit=True) as own:
        rows = await own.execute(
            "select actor, after ->> 'status', after - 'status' ? 'message' from ops.audit where action = 'defect.waive'"
        )
        assert await rows.fetchall() == [("user", "waived", False)]
        assert await value(own, "select error_message from ops.jobs where id = %s", failed.job_id) == "no ‹text›"


async def views_with(word: str, url: str) -> set[str]:
    """The views of ops that show it to whoever signs in so, who has a table in the place of ours."""
    async with await AsyncConnection.connect(url, autocommit=True) as own:
        await own.execute("create temp table automation_job (); set search_path = pg_temp, public, pg_catalog")
        views = await names(
            own,
            "select format('ops.%I', relname) from pg_class where relnamespace = 'ops'::regnamespace and relkind = 'v'",
        )
        return {
            view
            for view in views
            if await value(own, f"select count(*) from {view} as v where strpos(v::text, %s) > 0".encode(), word)
        }
