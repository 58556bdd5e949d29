"""What each role of the database may do, and what it is refused: by statements that are tried, as somebody who has signed in as
a member of the role. What the roles' processes need is shown by every other test: they run as such members."""

from __future__ import annotations

from importlib.resources import files

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.errors import InsufficientPrivilege

from sql import Connection
from tests.factories import make_record, value
from tests.logins import ROLES, as_role, login

REFUSED = {
    "app": {
        "update audit_event set reason = 'another'": "table audit_event",
        "delete from audit_event": "table audit_event",
        "update retention set keep = '1 year' where what = 'audit'": "table retention",
        "update job_event set actor = 'somebody'": "table job_event",
        "delete from record_revision": "table record_revision",
        "update comment set text = 'another'": "table comment",
        "delete from asbuilt_record": "table asbuilt_record",
        "delete from automation_job": "table automation_job",
        "update automation_attempt set lease_until = now()": "table automation_attempt",
        "update portal_submission set state = 'confirmed'": "table portal_submission",
        "insert into access_token values ('AAAAAAAA')": "table access_token",
        "insert into app_user (email, name) values ('me@example.com', 'Me')": "table app_user",
        "update app_user set password_hash = null": "table app_user",
        "update membership set role = 'admin'": "table membership",
        "update sign_in_link set expires_at = 'infinity'": "table sign_in_link",
        "update user_session set expires_at = 'infinity'": "table user_session",
        "update project set name = 'mine'": "table project",
        "update form_def set title = 'mine'": "table form_def",
        "delete from procrastinate_jobs": "table procrastinate_jobs",
        "select from ops.records": "view records",
        "select from ops.audit": "view audit",
        "select ops.doctor()": "function doctor",
        "select ops.set_retention('audit', '0', 'why')": "function set_retention",
        "select ops.require_approval(false, 'why', 'npl')": "function require_approval",
        "truncate automation_job": "table automation_job",
        "alter table asbuilt_record disable trigger all": "table asbuilt_record",
        "copy (select 1) to program 'true'": "COPY to or from an external program",
        "create table mine ()": "schema public",
        "create view ops.mine as select 1": "schema ops",
        "set role asbuilt_worker": 'role "asbuilt_worker"',
    },
    "worker": {
        "select secret_hash from access_token": "table access_token",
        "select password_hash from app_user": "table app_user",
        "select from user_session": "table user_session",
        "select from sign_in_link": "table sign_in_link",
        "select from membership": "table membership",
        "select label from device": "table device",
        "select from upload_session": "table upload_session",
        "select from comment": "table comment",
        "update audit_event set reason = 'another'": "table audit_event",
        "select from audit_event": "table audit_event",
        "delete from job_event": "table job_event",
        "insert into asbuilt_record default values": "table asbuilt_record",
        "insert into automation_job default values": "table automation_job",
        "delete from automation_attempt": "table automation_attempt",
        "delete from portal_submission": "table portal_submission",
        "update record_revision set fields = '{}'": "table record_revision",
        "update project set name = 'mine'": "table project",
        "select ops.retry(gen_random_uuid(), 'why')": "schema ops",
        "select answer_input(null, null, null, null, null)": "function answer_input",
        "select record_row(null)": "function record_row",
        "truncate procrastinate_jobs": "table procrastinate_jobs",
        "create table mine ()": "schema public",
        "set role asbuilt_app": 'role "asbuilt_app"',
    },
    "operator": {
        "update automation_job set state = 'completed'": "table automation_job",
        "insert into audit_event (actor, action) values ('somebody', 'job.retry')": "table audit_event",
        "insert into procrastinate_jobs (task_name) values ('automation')": "table procrastinate_jobs",
        "truncate procrastinate_jobs": "table procrastinate_jobs",
        "update procrastinate_workers set last_heartbeat = now()": "table procrastinate_workers",
        "select answer_input(null, null, null, null, null)": "function answer_input",
        "select lock_job(gen_random_uuid())": "function lock_job",
        "create table mine ()": "schema public",
        "set role asbuilt_app": 'role "asbuilt_app"',
    },
    "readonly": {
        "select ops.retry(gen_random_uuid(), 'why')": "function retry",
        "select ops.pause_portal('npl', 'why')": "function pause_portal",
        "select * from ops.bulk('cancel', '{}', 'why')": "function bulk",
        "update procrastinate_jobs set status = 'cancelled'": "table procrastinate_jobs",
        "delete from procrastinate_jobs": "table procrastinate_jobs",
        "insert into procrastinate_events (job_id, type) values (1, 'aborted')": "table procrastinate_events",
        "create table mine ()": "schema public",
        "set role asbuilt_operator": 'role "asbuilt_operator"',
    },
}
"""Role, statement, and the object whose privilege is missing."""

OPERATED = {"retention"}
"""Tables that an operator edits as they stand."""

UNREACHED = {"schema_migration"}
"""Tables that neither process writes."""

TABLES = """
    select c.oid::regclass::text from pg_class as c
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'procrastinate%'
       and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')
"""
VIEWS = "select oid::regclass::text from pg_class where relnamespace = 'ops'::regnamespace and relkind = 'v'"


async def names(conn: Connection, query: str) -> set[str]:
    return {row[0] for row in await (await conn.execute(query.encode())).fetchall()}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_is_refused_what_is_not_its_own(role: str, database_url: str) -> None:
    async with await AsyncConnection.connect(as_role(role, database_url), autocommit=True) as conn:
        for statement, what in REFUSED[role].items():
            with pytest.raises(
                InsufficientPrivilege, match=f"(permission denied|must be owner|must be superuser or).* {what}"
            ):
                await conn.execute(statement.encode())


@pytest.mark.parametrize("role", ["operator", "readonly"])
async def test_people_at_psql_see_the_views_and_no_table_of_ours(
    role: str, conn: Connection, database_url: str
) -> None:
    """Secrets stand in tables: whoever reads none of them reads no secret."""
    await make_record(conn)
    tables, views = await names(conn, TABLES), await names(conn, VIEWS)
    assert {"access_token", "automation_input", "asbuilt_record", "user_session"} <= tables
    assert len(views) >= 9
    async with await AsyncConnection.connect(as_role(role, database_url), autocommit=True) as own:
        for table in tables - (OPERATED if role == "operator" else set()):
            with pytest.raises(InsufficientPrivilege, match=f"denied for table {table}"):
                await own.execute(f"select from {table}".encode())
        for view in views:
            await own.execute(f"select * from {view}".encode())
        assert await value(own, "select count(*) from ops.jobs") == 1
        assert await value(own, "select count(*) from ops.doctor(0)") == 0


async def test_a_new_table_is_granted_to_somebody_by_name(conn: Connection) -> None:
    """`sql/grants` lists each table with what the web process and the worker may do to it; a new one has its place there."""
    granted = await names(
        conn,
        "select distinct c.oid::regclass::text from pg_class as c cross join lateral aclexplode(c.relacl) as x"
        "  join pg_roles as r on r.oid = x.grantee and r.rolname in ('asbuilt_app', 'asbuilt_worker')"
        " where c.relkind = 'r' and x.privilege_type <> 'SELECT'",
    )
    read = {"project", "app_user", "membership", "device", "access_token", "portal", "form_def", "design_asset"}
    only_read = read | {"sign_in_link", "stream_epoch", "retention"}
    assert await names(conn, TABLES) - granted == only_read | UNREACHED


OPEN = """
    select p.oid::regprocedure::text from pg_proc as p
     where p.pronamespace in ('public'::regnamespace, 'ops'::regnamespace)
       and has_function_privilege('public', p.oid, 'execute')
       and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
    union all
    select c.oid::regclass::text from pg_class as c cross join lateral aclexplode(c.relacl) as x
     where x.grantee = 0 and c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace)
"""


async def test_nothing_is_open_to_everybody(conn: Connection) -> None:
    """Postgres lets everybody execute a new function until that is taken back."""
    assert await names(conn, OPEN) == set()


async def test_every_function_with_its_owners_rights_has_a_fixed_search_path(conn: Connection) -> None:
    """Else whoever calls it says which tables it means, by a schema of their own in front."""
    rows = await conn.execute(
        "select p.oid::regprocedure::text, p.proconfig from pg_proc as p where p.prosecdef"
        " and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    )
    found = dict(await rows.fetchall())
    assert len(found) >= 20
    assert {name for name in found if name.startswith("ops.")} == await names(
        conn, "select oid::regprocedure::text from pg_proc where pronamespace = 'ops'::regnamespace"
    )
    for name, config in found.items():
        assert "search_path=pg_catalog, public, pg_temp" in config, name


async def test_an_operator_acts_under_their_own_name_whatever_they_say(conn: Connection, database_url: str) -> None:
    made = await make_record(conn, state="failed")
    async with await AsyncConnection.connect(as_role("operator", database_url), autocommit=True) as own:
        await own.execute("set asbuilt.actor = 'user:somebody-else'")
        await own.execute("set application_name = 'maria, ticket 4711'")
        await own.execute("select ops.retry(%s, 'the portal is back')", [made.job_id])
        await own.execute("update procrastinate_jobs set status = 'cancelled' where status = 'todo'")
        await own.execute("select ops.retry(%s, 'it is needed after all')", [made.job_id])
        await own.execute("delete from procrastinate_jobs where status = 'todo'")
    rows = await conn.execute(
        "select actor, action from ops.audit where action <> 'record.upload' and program = 'maria, ticket 4711' order by id"
    )
    assert await rows.fetchall() == [
        (login("operator"), action) for action in ("job.retry", "job.cancel", "job.retry", "queue.delete")
    ]
    async with await AsyncConnection.connect(as_role("app", database_url), autocommit=True) as web:
        await web.execute("set asbuilt.actor = 'user:the-caller'")
        assert await value(web, "select actor()") == "user:the-caller"


async def test_a_temporary_table_does_not_stand_in_for_one_of_ours(conn: Connection, database_url: str) -> None:
    """A temporary schema is searched first, unless the path says otherwise."""
    made = await make_record(conn, state="failed")
    async with await AsyncConnection.connect(as_role("operator", database_url), autocommit=True) as own:
        await own.execute("create temp table audit_event (actor text, action text, reason text, project_id uuid,"
                          " record_id uuid, job_id uuid, before jsonb, after jsonb)")  # fmt: skip
        await own.execute("select ops.retry(%s, 'unseen')", [made.job_id])
        assert await value(own, "select count(*) from pg_temp.audit_event") == 0
    assert await value(conn, "select actor from audit_event where reason = 'unseen'") == login("operator")


async def test_a_cluster_without_the_roles_is_told_how_to_make_them(database_url: str) -> None:
    """On a managed server the one who migrates may not be one who makes roles. Nothing fails, and nothing is silent."""
    text = (files("sql") / "grants" / "1_roles.sql").read_text(encoding="utf-8")
    told: list[str] = []
    with psycopg.connect(database_url) as conn:
        conn.add_notice_handler(lambda notice: told.append(f"{notice.message_primary}; {notice.message_hint}"))
        conn.execute("create role of_the_tests nologin")
        # It owns what the owner owns, and has none of the attributes.
        conn.execute(sql.SQL("grant {} to of_the_tests").format(sql.Identifier(conn.info.user)))
        conn.execute("set local role of_the_tests")
        conn.execute(text.replace("'asbuilt_readonly'", "'asbuilt_missing'").encode())
        conn.rollback()
    assert told == [
        "role asbuilt_missing is missing, and of_the_tests may not create it: nobody is granted anything yet;"
        " as a user who may: create role asbuilt_missing nologin; then: asbuilt migrate"
    ]


LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")


@pytest.mark.parametrize(
    ("role", "limits"),
    [
        ("app", ["15s", "5s", "1min", "UTC"]),
        ("worker", ["15s", "5s", "1min", "UTC"]),
        ("operator", ["1min", "5s", "10min"]),
        ("readonly", ["1min", "5s", "10min"]),
    ],
)
async def test_a_members_statements_are_bound_whatever_it_says_as_it_connects(
    role: str, limits: list[str], database_url: str
) -> None:
    """A pooler drops what is said there, and a statement that never ends would hold its locks as long."""
    async with await AsyncConnection.connect(as_role(role, database_url), autocommit=True) as own:
        assert [await value(own, f"show {name}") for name in LIMITS[: len(limits)]] == limits


BOUND = """select d.setconfig from pg_db_role_setting as d join pg_roles as r on r.oid = d.setrole
            where r.rolname = %s and d.setdatabase <> 0"""


def test_limits_bind_neither_the_owner_nor_against_what_somebody_has_set(database_url: str) -> None:
    text = (files("sql") / "grants" / "5_limits.sql").read_text(encoding="utf-8").encode()
    told: list[str] = []
    with psycopg.connect(database_url) as conn:
        conn.add_notice_handler(lambda notice: told.append(f"{notice.message_primary}; {notice.message_hint}"))
        owner = sql.Identifier(conn.info.user)
        conn.execute("create role patient_of_tests login in role asbuilt_app")
        conn.execute("alter role patient_of_tests set statement_timeout = '1h'")
        conn.execute(sql.SQL("create role owner_of_tests login in role asbuilt_app, {}").format(owner))
        conn.execute(text)
        assert conn.execute(BOUND, ["owner_of_tests"]).fetchall() == []
        limits = (conn.execute(BOUND, ["patient_of_tests"]).fetchone() or ([],))[0]
        assert sorted(limits) == ["TimeZone=UTC", "idle_in_transaction_session_timeout=60s", "lock_timeout=5s"]
        assert told == []
        conn.execute("create role late_of_tests login in role asbuilt_readonly")
        conn.execute("set local role owner_of_tests")
        conn.execute(text)
        conn.rollback()
        assert conn.execute("show statement_timeout").fetchone() == ("0",)
    assert len(told) == 1
    assert told[0].startswith("login late_of_tests has no limits in this database, and owner_of_tests may not set them; as a user who may: alter role late_of_tests in database ")  # fmt: skip
