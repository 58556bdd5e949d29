"""Finding records over HTTP: what a search finds, what each part of a filter lets through, pages, and bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from psycopg.types.json import Jsonb

from tests.factories import FORM, Device, Made, claim, complete, make_device, make_project, make_record, value
from tests.service import sign_in
from tests.web.hostile import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELDS = {
    "serial": "SN-0012/7-X",
    "meter": {"old": "Elster 4711", "note": "Guy wire kept, 100 % of pole_a\\b replaced"},
    "crew_lead": "Renée Ångström",
    "height": 45,
}


class Found(msgspec.Struct, kw_only=True):
    """A project with one record of each interesting kind, and a person who may see it and nothing else."""

    house: House
    device: Device
    person: dict[str, str]
    made: dict[str, Made]

    async def ids(self, query: str) -> list[str]:
        answer = await self.house.served.http.get(f"/api/records?limit=200&{query}", headers=self.person)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def names(self, query: str) -> set[str]:
        names = {str(made.record_id): name for name, made in self.made.items()}
        return {names[found] for found in await self.ids(query)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(house: House) -> AsyncIterator[Found]:
    conn = house.conn
    device = await make_device(conn, await make_project(conn, "p-search"))
    made = {state: await make_record(conn, state=state, device=device) for state in ("queued", "held", "failed")}
    made["completed"] = await make_record(conn, state="processing", device=device)
    assert await complete(conn, made["completed"].job_id, 1)
    await conn.execute(
        "update asbuilt_record set asset_key = 'P-77', crew = 'Crew Ozark', fields = %s, review_state = 'edited',"
        " captured_at = '2026-03-01T12:00:00Z' where id = %s",
        [Jsonb(FIELDS), made["queued"].record_id],
    )
    await conn.execute(
        "insert into defect (record_id, revision, rule, severity, message) values (%s, 1, 'r1', 'minor', 'm'), (%s, 1, 'r2', 'major', 'm')",
        [made["queued"].record_id, made["queued"].record_id],
    )
    person = await sign_in(house.served, conn, role="viewer", project="p-search")
    yield Found(house=house, device=device, person=person, made=made)


@pytest.mark.parametrize(
    "words",
    [
        "p-77", "ozark", "CREW ozark", "sn-0012/7-x", "sn00127x", "elster", "4711 ozark p-77 guy wire kept", "renée å",
        "100 %", "pole_a", "pole_a\\b", "oz", "elster\t ozark",
    ],
)  # fmt: skip
async def test_a_record_is_found_by_every_text_it_has(found: Found, words: str) -> None:
    assert await found.names(f"q={quote(words)}") == {"queued"}


async def test_a_record_is_found_by_its_ids_and_its_project(found: Found) -> None:
    made = found.made["held"]
    reference = await value(found.house.conn, "select external_ref from asbuilt_record where id = %s", made.record_id)
    for words in (str(made.record_id), str(made.record_id)[4:20].upper(), reference, reference[3:9].lower()):
        assert await found.names(f"q={words}") == {"held"}
    assert await found.names("q=p-search") == set(found.made)
    assert await found.names(f"q={FORM}") == set(found.made)


@pytest.mark.parametrize(
    "words",
    ["nothing", "ozark nothing", "%%", "_", "100%p", "polexa", "zark4711", "zo", "'; drop table asbuilt_record; --"],
)
async def test_what_is_searched_for_is_only_ever_text(found: Found, words: str) -> None:
    assert await found.names(f"q={quote(words)}") == set()
    assert len(await found.ids("")) == len(found.made)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"queued", "held", "failed", "completed"}),
        ("state=held", {"held"}),
        ("state=failed&state=completed", {"failed", "completed"}),
        ("state=cancelled", set()),
        ("review=edited", {"queued"}),
        ("review=received&state=queued", set()),
        ("severity=blocker", {"held"}),
        ("severity=major", {"queued"}),
        ("severity=minor", set()),
        ("severity=none", {"failed", "completed"}),
        ("portal=npl&state=held", {"held"}),
        ("portal=npl,x", set()),
        ("captured_from=2026-03-01T12:00:00Z&captured_until=2026-03-01T12:00:01Z", {"queued"}),
        ("captured_until=2026-03-01T12:00:00Z", set()),
        ("received_from=2020-01-01T00:00:00%2B02:00&state=held", {"held"}),
        ("received_until=2020-01-01T00:00:00Z", set()),
        ("project=p-search&state=held", {"held"}),
        ("q=ozark&state=queued&severity=major&review=edited", {"queued"}),
    ],
)
async def test_each_part_of_a_filter_narrows_and_the_count_agrees(found: Found, query: str, names: set[str]) -> None:
    assert await found.names(query) == names
    counted = await found.house.served.http.get(f"/api/records/count?{query}", headers=found.person)
    assert counted.json() == {"count": len(names), "more": False}


@pytest.mark.parametrize(
    "query",
    [
        "sort=1%3B&limit=0", "limit=1000000000", "limit=-1", "state=lost", "review=1", "severity=bad", "q=" + "x" * 201,
        "q=a%00b", "received_from=yesterday", "received_from=2026-03-01T12:00:00", "captured_until=1e400", "cursor=abc",
        "portal=" + "x" * 101, "&".join(["state=held"] * 21), "portal=a%00b",
    ],
)  # fmt: skip
async def test_a_filter_that_is_none_is_malformed(found: Found, query: str) -> None:
    answer = await found.house.served.http.get(f"/api/records?{query}", headers=found.person)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request"), answer.text


async def test_what_one_may_not_see_is_never_found(found: Found) -> None:
    http, conn = found.house.served.http, found.house.conn
    stranger = await sign_in(found.house.served, conn, role="admin", project="demo")
    for path in ("/api/records", "/api/records/count", "/api/stats"):
        foreign = await http.get(f"{path}?project=p-search", headers=stranger)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "project-unknown")
    listed = (await http.get(f"/api/records?q={found.made['held'].record_id}", headers=stranger)).json()
    assert listed == {"items": [], "next": None}
    assert (await http.get("/api/stats", headers=found.person)).json()["needs_attention"] == 2
    # A phone's token of scope upload reads no list at all.
    assert (await http.get("/api/records", headers=found.house.served.bearer())).json()["items"] == []


async def test_pages_hold_each_record_once_though_others_come_meanwhile(house: House) -> None:
    conn, http = house.conn, house.served.http
    device = await make_device(conn, await make_project(conn, "p-pages"))
    person = await sign_in(house.served, conn, role="viewer", project="p-pages")
    made = [str((await make_record(conn, device=device)).record_id) for _ in range(7)]
    # Of one moment, so that the ids decide.
    await conn.execute("update record_line set received_at = '2026-05-05' where record_id = any(%s)", [made[:4]])
    await conn.execute("update asbuilt_record set received_at = '2026-05-05' where id = any(%s)", [made[:4]])
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await http.get(f"/api/records?project=p-pages&limit=2&cursor={cursor}", headers=person)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        await make_record(conn, device=device)
    assert seen == [*reversed(made[4:]), *sorted(made[:4], key=UUID, reverse=True)]


async def test_a_deleted_record_is_in_no_list(house: House) -> None:
    device = await make_device(house.conn, await make_project(house.conn, f"p-{uuid4().hex[:6]}"))
    made = await make_record(house.conn, device=device)
    await house.conn.execute("update asbuilt_record set deleted_at = now() where id = %s", [made.record_id])
    person: Any = await sign_in(house.served, house.conn, project=device.project.code)
    assert (await house.served.http.get("/api/records", headers=person)).json()["items"] == []


async def test_the_numbers_on_top_are_of_all_projects_or_one(house: House) -> None:
    conn = house.conn
    device = await make_device(conn, await make_project(conn, f"p-{uuid4().hex[:6]}"))
    done = await make_record(conn, device=device)
    assert await complete(conn, done.job_id, await claim(conn, done.job_id))
    await conn.execute(
        "update automation_attempt set started_at = ended_at - interval '90 s' where job_id = %s", [done.job_id]
    )
    await make_record(conn, state="held", device=device)
    person = await sign_in(house.served, conn, project=device.project.code)
    for query in ("", f"?project={device.project.code}"):
        answer = (await house.served.http.get(f"/api/stats{query}", headers=person)).json()
        assert answer == {
            "by_state": {"held": 1}, "received_today": 2, "completed_today": 1, "failed_open": 0, "needs_attention": 1,
            "median_run_s": 90.0,
        }  # fmt: skip
