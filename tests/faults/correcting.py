"""Corrections in the crash-point matrix: a web process hit in the middle of one, and one that meets a worker at its claim.

In the end there is one revision more or none, one job, and the portal has the content of the revision that is stored.
"""

from __future__ import annotations

import asyncio
import signal
from uuid import UUID, uuid4

import httpx

from tests.faults.cells import Cell, Point, cell, hit, insisted
from tests.faults.checker import Report
from tests.faults.clients import PATIENCE_S, Phone, document
from tests.faults.cluster import Cluster

CORRECTION_POINTS = [
    Point(at=f"K{n}", action=action) for n in (1, 2, 3) for action in ("kill", "stop", "terminate", "disconnect")
]
CLAIM_POINTS = [Point(at=at, action=action) for at in ("W1", "W2") for action in ("kill", "stop", "terminate")]
OF_RECORD = """
    select r.revision, r.fields ->> 'note', (select array_agg(revision order by revision) from record_revision where record_id = r.id),
           (select array_agg(revision) from automation_job where record_id = r.id),
           (select count(*) from audit_event where record_id = r.id and action = 'record.correct')
      from asbuilt_record as r where r.id = %s
"""


class CorrectingPhone(Phone):
    """Corrects revision 1 of its record, the same bytes as often as need be."""

    async def correct(self, key: UUID) -> str:
        """Until it is known what became of it: `corrected`, or the code of what is final."""
        async with asyncio.timeout(PATIENCE_S):
            while (said := await self.correct_once(key)) in ("", "record-locked"):
                await asyncio.sleep(0.1)
        return said

    async def correct_once(self, key: UUID) -> str:
        """`corrected`, the code of a refusal, or nothing when nothing is known."""
        body = document(key, fields={"note": corrected(key)})
        headers = {"Content-Type": "application/json", "If-Match": '"1"'}
        try:
            answer = await self.http.put(f"/api/mobile/records/{key}", content=body, headers=headers)
        except httpx.TransportError:
            return ""
        if answer.is_success:
            assert (answer.status_code, answer.json()["revision"]) == (200, 2), answer.text
            return "corrected"
        assert answer.status_code == 503 or answer.status_code < 500, answer.text
        return "" if answer.status_code == 503 else str(answer.json()["code"])


def corrected(key: UUID) -> str:
    return f"{key}, corrected"


async def correction_cell(house: Cluster, point: Point) -> Report:
    """An armed web process and a phone that corrects its record and insists; a worker comes when it is over."""
    async with cell(house, point) as c:
        armed = c.web("armed", CRASHPOINT=c.armed())
        await armed.start()
        phone = CorrectingPhone(c, "phone", seed=3)
        key = uuid4()
        await phone.upload(key)
        await insisted(c, armed, lambda: phone.correct(key))
        await phone.close()
        await c.work(1)
        report = await c.verdict()
        await is_keyed(c, key, revision=2)
        return report


async def claim_cell(house: Cluster, point: Point) -> Report:
    """A correction meets a worker that has fetched the job and not claimed it (it is keyed), or claimed it (it is refused)."""
    async with cell(house, point) as c:
        armed = c.worker("armed", CRASHPOINT=c.armed())
        await asyncio.gather(armed.start(), c.web("healthy").start())
        phone = CorrectingPhone(c, "phone", seed=4)
        key = uuid4()
        await phone.upload(key)
        await armed.says("crashpoint")
        early = point.at == "W1"
        said = await phone.correct_once(key)
        assert said == ("corrected" if early else "record-locked"), said
        await hit(c, armed, application="asbuilt-worker")
        if point.action != "terminate":
            await c.work(1)
        if point.action == "stop":
            armed.send(signal.SIGCONT)
        assert await phone.correct(key) == ("corrected" if early else "record-submitted")
        await phone.close()
        report = await c.verdict()
        await is_keyed(c, key, revision=2 if early else 1)
        return report


async def is_keyed(c: Cell, key: UUID, *, revision: int) -> None:
    """This revision is the latest, was made once, is the job's, and its content is what the portal took."""
    note = corrected(key) if revision == 2 else str(key)
    row = await c.one(OF_RECORD, key)
    assert row == (revision, note, [*range(1, revision + 1)], [revision], revision - 1), row
    took = [effect.note for effect in (await c.history()).effects if effect.accepted]
    assert took == [note], took
