"""The API once more with the first wall taken out of it: callers whose application takes every project for theirs, as administrators.

What then keeps a stranger's rows from them is what the database is told.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.core.auth import Caller, Doorkeeper, ProjectAccess
from tests.factories import Device, make_project
from tests.service import sign_in
from tests.sql.strangers import Stranger, make_stranger
from tests.web.hostile import JSON, House
from tests.web.test_hostile_strangers import body, filled, same

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTS = ["/api/records", "/api/records/count", "/api/stats", "/api/exports/records.csv", "/api/exports/records.geojson",
         "/api/exports/photos.zip", "/api/operations/backlog", "/api/operations/failures", "/api/operations/questions",
         "/api/operations/audit", "/api/operations/workers", "/api/portals"]  # fmt: skip
"""Reads that name nothing."""
ACTS = "select count(*) from audit_event"


class Forgetful:
    """An application without its first wall. `blind`: the second is gone as well."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.projects: tuple[ProjectAccess, ...] = ()
        self.blind = False
        self._honest: dict[UUID, Caller] = {}
        for name in ("by_token", "by_session"):
            patch.setattr(Doorkeeper, name, self._forgetting(getattr(Doorkeeper, name)))
        honestly: Any = Caller.__dict__["sight"]

        def sight(caller: Caller) -> tuple[UUID, ...]:
            found: tuple[UUID, ...] = honestly.fget(caller if self.blind else self._honest[caller.id])
            return found

        patch.setattr(Caller, "sight", property(sight))

    def _forgetting(self, really: Any) -> Any:
        async def forget(keeper: Doorkeeper, secret: str) -> Caller:
            caller: Caller = await really(keeper, secret)
            self._honest[caller.id] = caller
            return msgspec.structs.replace(caller, projects=self.projects or caller.projects)

        return forget

    def takes_for_ones_own(self, *devices: Device) -> None:
        self.projects = tuple(
            ProjectAccess(id=each.project.id, code=each.project.code, name="Project", role="admin") for each in devices
        )


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Forgetful:
    return Forgetful(monkeypatch)


async def test_a_list_shows_what_is_in_sight_whatever_it_asks_for(house: House, app: Forgetful) -> None:
    mine, theirs = await make_stranger(house.conn), await make_stranger(house.conn)
    await house.conn.execute("insert into worker (name, version, places, beat_s) values ('worker-1', '1', 4, 10)")
    person = await sign_in(house.served, house.conn, project=mine.device.project.code)

    nobody = await sign_in(house.served, house.conn, project=(await make_project(house.conn)).code)

    async def answers(person: dict[str, str] = person) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in LISTS:
            answer = await house.served.http.get(path, headers=person)
            assert answer.status_code == 200, (path, answer.text)
            # What says when it was made is left out.
            match answer.headers["content-type"].partition(";")[0]:
                case "application/json":
                    found[path] = answer.json() | {"at": None}
                case "application/zip":
                    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                        found[path] = {name: archive.read(name) for name in archive.namelist()}
                case _:
                    found[path] = answer.content
        return found

    honest, nothing = await answers(), await answers(nobody)
    app.takes_for_ones_own(mine.device, theirs.device)
    walled = await answers()
    app.blind = True
    everything = await answers()
    for path in LISTS:
        assert everything[path] != honest[path], f"{path}: there is nothing of a stranger to see"
        # What lists records is asked once whether all of its projects are in sight.
        assert walled[path] in (honest[path], nothing[path]), path


async def names(house: House, of: Stranger) -> dict[str, Any]:
    """What stands in a path for things of theirs."""
    row = await house.one(
        "select (select id from automation_input where job_id = %s), (select id from artifact where job_id = %s),"
        "       (select id from defect where record_id = %s)",
        of.asked.job_id, of.done.job_id, of.held.record_id,
    )  # fmt: skip
    return {
        "job_id": of.done.job_id, "record_id": of.done.record_id, "project": of.device.project.code, "name": "tag",
        "input_id": row[0], "artifact_id": row[1], "defect_id": row[2], "upload": uuid4(), "key": "pole-replacement", "version": 1,
    }  # fmt: skip


async def test_what_is_out_of_sight_is_answered_as_what_is_not_there(house: House, app: Forgetful) -> None:
    """Every route with every method that names something."""
    mine, theirs = await make_stranger(house.conn), await make_stranger(house.conn)
    person = await sign_in(house.served, house.conn, project=mine.device.project.code, role="admin")
    callers = (person, mine.device.headers | JSON)
    schema = (await house.served.http.get("/api/schema/openapi.json", headers=person)).json()
    app.takes_for_ones_own(mine.device, theirs.device)
    foreign = await names(house, theirs)
    # Its questions and findings stand on other records of it.
    others = {"inputs": {"job_id": theirs.asked.job_id}, "defects": {"record_id": theirs.held.record_id}}
    before = await house.one(ACTS)
    asked = 0
    for path, methods in schema["paths"].items():
        if "_id}" not in path and "{project}" not in path:
            continue
        ids = foreign | next((more for word, more in others.items() if word in path), {})
        absent = {name: uuid4() if isinstance(given, UUID) else given for name, given in ids.items()}
        for method, operation in methods.items():
            for caller in callers:
                answers = [
                    await house.served.http.request(
                        method.upper(), filled(path, each), headers=caller, content=body(operation, each)
                    )
                    for each in (ids, absent)
                ]
                asked += 1
                if "{project}" in path:
                    assert answers[0].json() == {"items": [], "next": None}, path
                else:
                    same(f"{method} {path}", *answers)
    assert asked > 40
    assert await house.one(ACTS) == before
