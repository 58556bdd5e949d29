"""Which engine keys a portal, as its row says. Holds one client of each third party, made when it is first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import msgspec

from app.core.settings import Settings
from tasks.engines import calls
from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.browser_use import BrowserUseEngine
from tasks.engines.browser_use_story import BrowserUsePortal
from tasks.engines.contract import Engine, FileSpec
from tasks.engines.errors import NotConfigured
from tasks.engines.proof import Lookups, NoLookups
from tasks.engines.skyvern import SkyvernEngine
from tasks.engines.skyvern_story import SkyvernPortal

Portal = TypeVar("Portal", bound=msgspec.Struct)


class Engines:
    """Of one process. `read_file` gives a photo's bytes to engines that cannot fetch them from us."""

    def __init__(self, settings: Settings, *, read_file: Callable[[FileSpec], Awaitable[bytes]]) -> None:
        self._settings = settings
        self._read_file = read_file
        self._asbuilt = AsbuiltEngine(settings.automation_url, token=settings.automation_token)
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def close(self) -> None:
        await self._asbuilt.close()
        for client in self._clients.values():
            await client.aclose()

    def of(self, *, engine: str, portal: str, config: dict[str, object]) -> Engine:
        """The engine of a portal. Raises `NotConfigured`."""
        settings = self._settings
        match engine:
            case "asbuilt":
                return self._asbuilt
            case "skyvern":
                agent = _read(config, SkyvernPortal, portal)
                return SkyvernEngine(
                    self._client(settings.skyvern_url, "x-api-key", settings.skyvern_api_key, "SKYVERN_API_KEY"),
                    agent,
                    key=portal,
                    lookups=self._lookups(declared=agent.lookup),
                    read_file=self._read_file,
                    poll_s=settings.engine_poll_s,
                )
            case "browser-use":
                told = _read(config, BrowserUsePortal, portal)
                return BrowserUseEngine(
                    self._client(
                        settings.browser_use_url,
                        "X-Browser-Use-API-Key",
                        settings.browser_use_api_key,
                        "BROWSER_USE_API_KEY",
                    ),
                    told,
                    key=portal,
                    lookups=self._lookups(declared=told.lookup),
                    read_file=self._read_file,
                    poll_s=settings.engine_poll_s,
                )
        raise NotConfigured(f"portal {portal} is keyed by {engine}, which this version does not know")

    def _client(self, url: str, header: str, key: str, variable: str) -> httpx.AsyncClient:
        if not key:
            raise NotConfigured(f"{variable} is not set")
        if url not in self._clients:
            self._clients[url] = calls.client(url, header=header, key=key)
        return self._clients[url]

    def _lookups(self, *, declared: bool) -> Lookups:
        return self._asbuilt if declared else NoLookups()


def _read(config: dict[str, object], shape: type[Portal], portal: str) -> Portal:
    try:
        return msgspec.convert(config, shape)
    except msgspec.ValidationError as exc:
        raise NotConfigured(f"engine_config of portal {portal}: {exc}") from exc
