"""Corrections sent while workers claim the jobs of the records: whoever comes first, the portal has what is stored."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest

from tests.faults.checker import Demands
from tests.faults.cluster import Cluster, cluster
from tests.faults.correcting import CorrectingPhone, corrected

RECORDS = 60
STORED = "select r.id, r.external_ref, r.revision, j.revision from asbuilt_record as r join automation_job as j on j.record_id = r.id"


@pytest.mark.slow
async def test_a_correction_and_a_claim_at_once_key_one_content() -> None:
    async with cluster(workers=2, seconds=0.1) as c:
        phones = [CorrectingPhone(c, f"phone-{n}", seed=n) for n in range(6)]
        outcomes: dict[UUID, str] = {}

        async def carry(phone: CorrectingPhone, first: int) -> None:
            for n in range(first, RECORDS, len(phones)):
                key = uuid4()
                await phone.upload(key)
                # A worker picks it up within some milliseconds: the correction comes before, at that moment and after it.
                await asyncio.sleep(n % 10 / 500)
                outcomes[key] = await phone.correct(key)

        await asyncio.gather(*(carry(phone, n) for n, phone in enumerate(phones)))
        for phone in phones:
            await phone.close()
        await c.calm()
        await c.judge(demands=Demands(acked=RECORDS, effects=RECORDS))
        print(Counter(outcomes.values()))
        await agree(c, outcomes)


async def agree(c: Cluster, outcomes: dict[UUID, str]) -> None:
    """Answer, stored revision, the job's, and what the portal took."""
    took = {effect.reference: effect.note for effect in (await c.history()).effects if effect.accepted}
    rows = await c.all(STORED)
    assert len(rows) == len(outcomes) == RECORDS
    for key, reference, *revisions in rows:
        said = outcomes[key]
        wanted = (corrected(key), [2, 2]) if said == "corrected" else (str(key), [1, 1])
        assert said in ("corrected", "record-submitted")
        assert (took[reference], revisions) == wanted, (key, said)
