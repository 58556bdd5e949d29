"""A phone in a tunnel, on two real web processes; a few examples in the first tier, many in the second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg import AsyncConnection

from app.local.seed import seed
from tests.conftest import empty
from tests.faults.phone_corrections import ChangingTunnel
from tests.faults.phone_rig import DEADLINE_S, Rig, rig
from tests.service import web_settings

EXAMPLES = {"fast": (2, 12, 1), "slow": (12, 40, 4)}


async def furnished(url: str) -> str:
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        await empty(conn)
    # Slots enough for every job: what is stored is to be told from what waits its turn.
    return (await seed(url, portal_url="http://portal.example", max_runs=1000)).upload_token


@pytest.fixture
def phone_rig(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Rig]:
    token = asyncio.run(furnished(database_url))
    # Time enough for every photo: there is no worker here to look at what an upload cannot wait for.
    settings = web_settings(
        database_url, redis_url, tmp_path, automation_url="http://127.0.0.1:9", check_photos_s=DEADLINE_S
    )
    with rig(settings, token) as made:
        yield made


@pytest.mark.parametrize("size", ["fast", pytest.param("slow", marks=pytest.mark.slow)])
def test_any_order_of_uploads_cuts_and_kills_is_one_record(phone_rig: Rig, size: str) -> None:
    examples, steps, deaths = EXAMPLES[size]

    class Here(ChangingTunnel):
        rig = phone_rig
        most_deaths = deaths

    run_state_machine_as_test(
        Here,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            # No shrinking: killed processes make each run its own, and minutes would go into what does not come again.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    for web in phone_rig.webs:
        assert '"event": "http.internal"' not in web.said
