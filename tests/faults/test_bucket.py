"""Photos in a bucket under the same faults: killed at each point of an upload, and a bucket that comes and goes."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.bucket import Bucket
from tests.faults.checker import Demands
from tests.faults.clients import phones
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Act, now

POINTS = ("A2", "A3", "A4", "A6")
PHONES = 6


@pytest.mark.slow
async def test_no_row_without_its_object_whatever_is_killed() -> None:
    """At each point the web process dies under six phones with photos, then the bucket goes away for a second."""
    async with cluster(api=False, workers=0, seconds=0.2, settings={"ASBUILT_CONCURRENCY": "8"}) as c:
        bucket = Bucket(c.folder / "bucket")
        c.settings |= {**bucket.env, "ASBUILT_SPOOL": str(c.folder / "spool")}
        await bucket.start()
        try:
            await c.work(1, **bucket.env)
            for point in POINTS:
                await dies_under(c, bucket, point)
            await c.calm(within_s=90)
            for key, data in bucket.objects().items():
                # The checker looks for files by their hash.
                place = c.folder / "blobs" / key
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        finally:
            await bucket.stop()
        report = await c.judge(demands=Demands(acked=PHONES * len(POINTS), effects=PHONES * len(POINTS)))
        assert report.figures["records"] == PHONES * len(POINTS)


async def dies_under(c: Cluster, bucket: Bucket, point: str) -> None:
    doomed = c.web(f"api-{point}", CRASHPOINT=f"{point}:kill")
    await doomed.start()
    async with phones(c, f"phone-{point}", count=PHONES, photos=1.0) as there:
        uploading = [asyncio.create_task(phone.upload()) for phone in there]
        assert await doomed.ended() == -signal.SIGKILL
        c.nemesis.write(Act(at=now(), act="kill", target=doomed.name))
        await bucket.stop()
        healthy = c.web(f"api-{point}-healthy")
        await healthy.start()
        await asyncio.sleep(1)
        await bucket.start()
        await asyncio.gather(*uploading)
        await healthy.stop()
