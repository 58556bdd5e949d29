"""The servers below a local stack and what is put into them first: Postgres, Valkey, migrations, the demo's project.

`up` and `torture` start theirs here; nothing here decides how long they live.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg

from app.local import home as homes
from app.local import postgres, stack, valkey
from app.local.errors import LocalStackError
from app.local.home import Home
from app.local.process import choose_privilege
from app.local.seed import Seeded, create_database, make_logins, seed
from app.local.stack import Plan
from app.local.supervisor import Say, Supervisor
from sql.migrate import EditedMigration, migrate


async def start_database(home: Home, supervisor: Supervisor, *, sockets: Path, env: Mapping[str, str], say: Say) -> str:
    """The URL of a database that answers: the one of `DATABASE_URL`, else an embedded Postgres of this home."""
    if given := env.get("DATABASE_URL"):
        say("Postgres: the one of DATABASE_URL.")
        return given
    binaries = postgres.find(env)
    home.data.mkdir(mode=0o700, exist_ok=True)
    privilege = choose_privilege(binaries.program("postgres"), directories=[home.data, sockets], within=home.root)
    made = postgres.initialise(binaries, data=home.data, privilege=privilege, env=env)
    await supervisor.start(stack.postgres_spec(home, binaries=binaries, sockets=sockets, privilege=privilege, env=env))
    await create_database(postgres.url(sockets))
    say(f"Postgres {postgres.major_version(binaries)}: {'new' if made else 'your'} data in {home.data}.")
    return postgres.url(sockets, database="asbuilt")


async def start_cache(home: Home, supervisor: Supervisor, *, sockets: Path, env: Mapping[str, str], say: Say) -> str:
    """The URL of a cache: the one of `REDIS_URL`, else an embedded Valkey, else none."""
    if given := env.get("REDIS_URL"):
        say("Redis: the one of REDIS_URL.")
        return given
    program = valkey.find(env)
    if program is None:
        say(valkey.ABSENT)
        return ""
    await supervisor.start(stack.valkey_spec(home, program=program, sockets=sockets, env=env))
    return valkey.url(sockets)


async def fill(plan: Plan) -> Seeded:
    """Migrate, then put in what a demo needs. Raises `LocalStackError`."""
    try:
        await migrate(plan.database_url)
        if plan.embedded:
            await make_logins(plan.database_url)
        seeded = await seed(plan.database_url, portal_url=plan.portal_url, token=homes.load_token(plan.home))
    except (psycopg.Error, EditedMigration) as exc:
        raise LocalStackError(f"The database could not be brought up to date: {exc}", exit_code=1) from exc
    homes.keep_token(plan.home, token=seeded.upload_token)
    return seeded
