"""A web process that a whole module shares: its tests look at their own records and uploads only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from tests.conftest import empty
from tests.service import service, web_settings
from tests.web.hostile import House
from tests.web.tus_device import Tus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    database_url: str, redis_server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """For tests of the module's own event loop: `pytest.mark.asyncio(loop_scope="module")`."""
    settings = web_settings(database_url, redis_server_url, tmp_path_factory.mktemp("house"))
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        await empty(conn)
        async with service(settings) as served:
            yield House(served=served, conn=conn)


@pytest_asyncio.fixture(loop_scope="module")
async def tus(house: House) -> Tus:
    """A device's tus uploads, none begun yet."""
    device = Tus(house.served, house.conn)
    await house.conn.execute("delete from upload_session")
    for path in device.spool.iterdir():
        path.unlink()
    return device
