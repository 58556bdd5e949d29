"""A web process that a whole module shares, for tests whose uploads do not meet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from tests.conftest import empty
from tests.service import service, web_settings
from tests.web.tus_device import Tus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    database_url: str, redis_server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Tus]:
    """One web process for all tests here; each has uploads of its own."""
    settings = web_settings(database_url, redis_server_url, tmp_path_factory.mktemp("tus"))
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        await empty(conn)
        async with service(settings) as served:
            yield Tus(served, conn)


@pytest_asyncio.fixture(loop_scope="module")
async def tus(house: Tus) -> Tus:
    await house.conn.execute("delete from upload_session")
    for path in house.spool.iterdir():
        path.unlink()
    return Tus(house.served, house.conn)
