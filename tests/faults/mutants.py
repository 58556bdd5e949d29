"""The guards, each with the patch that takes it out of a throw-away run. Nothing in the product can switch one off."""

from __future__ import annotations

from typing import Literal

import msgspec
import psycopg

from sql import Connection

Scenario = Literal[
    "calls",
    "gate",
    "latecomer",
    "kills",
    "poison",
    "drain",
    "finish",
    "restart",
    "forgotten",
    "overtaken",
    "twins",
    "rows",
    "idle",
    "ungranted",
    "outranked",
    "unanswered",
]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A text of a module, replaced as the process imports it."""

    module: str
    old: str
    new: str


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A text of an SQL function, replaced in one database."""

    name: str
    old: str
    new: str


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """`guard` is what is taken away, `scenario` what must go red without it."""

    guard: str
    scenario: Scenario
    code: Code | None = None
    functions: tuple[Function, ...] = ()


OPEN = "and attempt = p_attempt and ended_at is null"
DRAIN = "        await self._wait_for_jobs(self._drain_s, unless=self._detach_now)\n"

MUTANTS = (
    Mutant(
        guard="fence",
        scenario="calls",
        functions=(Function(name="close_attempt", old=OPEN, new="and attempt = p_attempt"),),
    ),
    Mutant(
        guard="fence of the intent",
        scenario="latecomer",
        functions=(
            Function(name="record_intent", old="j.id = p_job and j.attempt = p_attempt and", new="j.id = p_job and"),
        ),
    ),
    Mutant(
        guard="one intent at a time",
        scenario="calls",
        functions=(Function(name="record_intent", old="where portal_submission.state = 'absent'", new=""),),
    ),
    Mutant(
        guard="missing queue rows are deferred again",
        scenario="calls",
        functions=(Function(name="reconcile_rowless", old="limit 200", new="limit 0"),),
    ),
    Mutant(
        guard="unclaimed queue rows are superseded",
        scenario="calls",
        functions=(Function(name="reconcile_unclaimed", old="limit 200", new="limit 0"),),
    ),
    Mutant(
        guard="numbers of a job's events",
        scenario="calls",
        functions=(Function(name="job_stamp", old="old.seq + 1", new="old.seq + 2"),),
    ),
    Mutant(
        guard="gate of an account",
        scenario="gate",
        functions=(
            Function(
                name="take_slot",
                old="perform pg_advisory_xact_lock_shared(727274003, hashtext(p_account::text));",
                new="",
            ),
        ),
    ),
    Mutant(
        guard="a claim asks its account again",
        scenario="calls",
        functions=(Function(name="claim_attempt", old="if reason is not null then", new="if false then"),),
    ),
    Mutant(
        guard="the slot goes with the run",
        scenario="calls",
        functions=(Function(name="job_slot", old="account := free_slot(new.id);", new="account := null;"),),
    ),
    Mutant(
        guard="sweep of lost attempts",
        scenario="kills",
        functions=(Function(name="reconcile_lost", old="limit 200", new="limit 0"),),
    ),
    Mutant(
        guard="only a lease that has run out is lost",
        scenario="idle",
        functions=(
            Function(name="reconcile_lost", old="a.lease_until < clock_timestamp() order", new="true order"),
            Function(name="reconcile_lost", old="and lease_until < clock_timestamp()", new=""),
        ),
    ),
    Mutant(
        guard="three interruptions end a job",
        scenario="poison",
        functions=(Function(name="interrupt", old="lost < 3 or", new="true or"),),
    ),
    Mutant(
        guard="repair of a lost finish",
        scenario="finish",
        code=Code(
            module="tasks.fetching",
            old='await self.patience.insist(once, on="finish")',
            new="await once()",
        ),
        functions=(Function(name="reconcile_unfinished", old="limit 200", new="limit 0"),),
    ),
    Mutant(
        guard="lease in the drain",
        scenario="drain",
        code=Code(
            module="tasks.hardening",
            old=DRAIN,
            new="        from tasks.lease import Lease\n        Lease._ask = lambda _: asyncio.sleep(1, 'unknown')\n"
            + DRAIN,
        ),
    ),
    Mutant(
        guard="LISTEN comes back",
        scenario="restart",
        code=Code(
            module="tasks.listening",
            old="            self._pause_s = min(LAST_S, 2 * self._pause_s)",
            new="            await asyncio.Event().wait()",
        ),
    ),
    Mutant(
        guard="look-up of an intent",
        scenario="forgotten",
        code=Code(module="tasks.verifying", old="if claim.submission is None and not claim.begun:", new="if True:"),
    ),
    Mutant(
        guard="intent before the request",
        scenario="unanswered",
        code=Code(
            module="tasks.committing",
            old="    if (await shop.ask(store.RECORD_INTENT, **attempt)).done:\n        return True\n",
            new="    if shop is not None:\n        return True\n",
        ),
    ),
    Mutant(
        guard="commit lock",
        scenario="overtaken",
        code=Code(module="tasks.committing", old="    await flight.begin()\n", new=""),
    ),
    Mutant(
        guard="only a grant opens the gate",
        scenario="ungranted",
        code=Code(
            module="tasks.runner.gate",
            old="        await asyncio.wait({grant}, timeout=self._expiry_s)",
            new="        self.grant(CommitGrant(token=self._token, attempt=self._run.attempt))",
        ),
    ),
    Mutant(
        guard="the service refuses a lower attempt",
        scenario="outranked",
        code=Code(module="tasks.runner.gate", old="if grant.attempt < self._run.attempt:", new="if False:"),
    ),
    Mutant(
        guard="one record a key",
        scenario="twins",
        functions=(
            Function(name="accept_record", old="values (r.id, p_project", new="values (gen_random_uuid(), p_project"),
            Function(name="accept_record", old="external_ref(r.id, try)", new="external_ref(gen_random_uuid(), try)"),
        ),
    ),
    Mutant(
        guard="record and job in one transaction",
        scenario="rows",
        functions=(
            Function(
                name="accept_record",
                old="insert into automation_job (",
                new="if random() < 0.9 then insert into automation_job (",
            ),
            Function(
                name="accept_record",
                old="'waiting' end));",
                new="'waiting' end)); end if;",
            ),
        ),
    ),
)


async def take_out(conn: Connection, mutant: Mutant) -> None:
    """Replace the functions. Raises `LookupError` when a guard's text is not there any more."""
    texts: dict[str, str] = {}
    for change in mutant.functions:
        if change.name not in texts:
            texts[change.name] = await _text(conn, change.name)
        if change.old not in texts[change.name]:
            raise LookupError(f"{change.name} does not say {change.old!r} any more")
        texts[change.name] = texts[change.name].replace(change.old, change.new)
    for name, text in texts.items():
        try:
            await conn.execute(text.encode())
        except psycopg.Error as exc:
            raise LookupError(f"{name} cannot be had without its guard: {exc}") from exc


async def _text(conn: Connection, name: str) -> str:
    row = await (
        await conn.execute("select pg_get_functiondef(oid) from pg_proc where proname = %s", (name,))
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no function {name}")
    return str(row[0])
