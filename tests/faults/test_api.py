"""A web process killed in the middle of uploads, and phones that repeat themselves (failure modes 10 and 22)."""

from __future__ import annotations

import asyncio
import signal
from uuid import UUID, uuid4

import pytest

from tests.faults.checker import Demands
from tests.faults.clients import document, phones
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Act, Call, lines, now

POINTS = ("A1", "A2", "A3", "A4", "A5", "A6")
PHONES = 8


@pytest.mark.slow
async def test_an_upload_cut_off_anywhere_is_one_upload_when_it_is_sent_again() -> None:
    """Failure mode 10: at each point of an upload the web process dies under eight phones; then they insist."""
    async with cluster(api=False, workers=1, seconds=0.2, settings={"ASBUILT_CONCURRENCY": "8"}) as c:
        for n in range(4):
            for point in POINTS:
                await dies_under(c, point, seed=n)
        await c.calm(within_s=90)
        report = await c.judge(demands=Demands(acked=190, effects=190, unknown=100))
        assert report.figures["records"] == 4 * len(POINTS) * PHONES


async def dies_under(c: Cluster, point: str, *, seed: int) -> None:
    """One life that dies at the point, and one in which every phone is through; it dies as well, at rest."""
    doomed = c.web(f"api-{point}-{seed}", CRASHPOINT=f"{point}:kill")
    await doomed.start()
    async with phones(c, f"phone-{point}-{seed}", count=PHONES, photos=0.5) as there:
        uploading = [asyncio.create_task(phone.upload()) for phone in there]
        assert await doomed.ended() == -signal.SIGKILL
        c.nemesis.write(Act(at=now(), act="kill", target=doomed.name))
        healthy = c.web(f"api-{point}-{seed}-healthy")
        await healthy.start()
        await asyncio.gather(*uploading)
        await healthy.stop()


async def repeat(c: Cluster, *, keys: int, times: int) -> list[UUID]:
    """Each key by many phones at once; answers the keys."""
    made = [uuid4() for _ in range(keys)]
    async with phones(c, "phone", count=times) as there:
        for key in made:
            body = document(key)
            await asyncio.gather(*(phone.try_once(key, body) for phone in there))
        http = there[0].http
        changed = [await http.put(f"/api/mobile/records/{key}", content=document(key, asset="P-2"),
                                  headers={"Content-Type": "application/json"}) for key in made]  # fmt: skip
    assert {answer.status_code for answer in changed} == {409}
    return made


@pytest.mark.parametrize("keys", [5, pytest.param(100, marks=pytest.mark.slow)])
async def test_twenty_at_once_are_one_record(keys: int) -> None:
    """Failure mode 22: the same bytes twenty times in parallel; afterwards other bytes under the same id."""
    async with cluster(workers=1, seconds=0.1, settings={"ASBUILT_CONCURRENCY": "8"}) as c:
        made = await repeat(c, keys=keys, times=20)
        said = [call for call in lines(c.calls.path, Call) if call.phase != "invoke"]
        assert {call.status for call in said} <= {200, 201, 409, 503}
        assert sum(call.status == 201 for call in said) == keys
        assert sum(call.status == 200 for call in said) > keys * 10
        await c.calm()
        report = await c.judge(demands=Demands(acked=keys, effects=keys))
        assert report.figures["records"] == len(made)
