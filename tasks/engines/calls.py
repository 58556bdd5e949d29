"""One request to a third party's API, and which troubles are repeated.

A GET is repeated; a POST only when the answer says that nothing was accepted, since neither API knows a key that would
make a second one harmless.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

import httpx
import msgspec

from tasks.engines.errors import EngineError, Refused, RunUnknown, ServiceBusy, ServiceUnavailable
from tasks.engines.wire import seconds

REPEATS = 3
LONGEST_S = 10.0
TIMEOUT_S = 30.0

_GATEWAY = frozenset({502, 503, 504})


class Caller:
    """`pause_s` is the first pause before a repeat; it doubles, as browser-use's own client does it."""

    def __init__(self, client: httpx.AsyncClient, *, pause_s: float = 1.0) -> None:
        self.client = client
        self._pause_s = pause_s

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> httpx.Response:
        """Raises `RunUnknown`, `ServiceBusy`, `ServiceUnavailable` and `Refused`."""
        return await self._insist(self.client.build_request("GET", path, params=params), repeat=True)

    async def post(
        self,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeat: bool = False,
    ) -> httpx.Response:
        """As `get`. `ServiceUnavailable` may mean that it was accepted, and `repeat` that this does no harm."""
        content = None if body is None else msgspec.json.encode(body)
        typed = {"Content-Type": "application/json", **(headers or {})}
        return await self._insist(
            self.client.build_request("POST", path, content=content, headers=typed), repeat=repeat
        )

    async def send_file(self, path: str, *, name: str, mime: str, data: bytes) -> httpx.Response:
        """A multipart upload; a second copy of a file does no harm."""
        return await self._insist(
            self.client.build_request("POST", path, files={"file": (name, data, mime)}), repeat=True
        )

    async def put_bytes(self, url: str, *, mime: str, data: bytes) -> httpx.Response:
        """To a signed address of the storage behind the API, without the API's key."""
        headers = {"Content-Type": mime}
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as storage:
            return await self._insist(
                storage.build_request("PUT", url, content=data, headers=headers), repeat=True, client=storage
            )

    async def _insist(
        self, request: httpx.Request, *, repeat: bool, client: httpx.AsyncClient | None = None
    ) -> httpx.Response:
        for left in reversed(range(REPEATS + 1)):
            try:
                reply = await self._send(client or self.client, request)
            except _Repeatable as exc:
                if not left or not repeat:
                    raise exc.trouble from exc
                wait_s = None
            else:
                if reply.is_success:
                    return reply
                trouble = refusal(reply)
                accepted_nothing = isinstance(trouble, ServiceBusy)
                wait_s = trouble.retry_after_s if isinstance(trouble, ServiceBusy) else None
                again = accepted_nothing or (repeat and reply.status_code in _GATEWAY)
                if not again or not left or (wait_s or 0) > LONGEST_S:
                    raise trouble
            await asyncio.sleep(wait_s if wait_s is not None else self._pause(REPEATS - left))
        raise AssertionError("unreachable")

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                return await client.send(request)
        except (httpx.ReadTimeout, httpx.WriteTimeout, TimeoutError) as exc:
            raise ServiceUnavailable(type(exc).__name__) from exc
        except httpx.TransportError as exc:
            raise _Repeatable(ServiceUnavailable(type(exc).__name__)) from exc

    def _pause(self, repeats: int) -> float:
        longest: float = min(LONGEST_S, self._pause_s * 2.0**repeats)
        return longest + random.uniform(0, min(0.25, self._pause_s))  # noqa: S311


class _Repeatable(Exception):
    """The connection failed; a GET may be sent again."""

    def __init__(self, trouble: ServiceUnavailable) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


def client(url: str, *, header: str, key: str) -> httpx.AsyncClient:
    """A client of a third party's API."""
    return httpx.AsyncClient(
        base_url=url, headers={header: key}, timeout=httpx.Timeout(TIMEOUT_S, connect=5), trust_env=False
    )


def refusal(reply: httpx.Response) -> EngineError:
    """The exception for a reply that is not a success. Its text is taken only where it cannot quote what was sent."""
    said = _detail(reply)
    if reply.status_code == 429:
        return ServiceBusy(said, retry_after_s=seconds(reply.headers.get("retry-after")))
    if reply.status_code >= 500:
        return ServiceUnavailable(said)
    if reply.status_code == 404:
        return RunUnknown(said)
    return Refused(said)


def _detail(reply: httpx.Response) -> str:
    try:
        detail = msgspec.json.decode(reply.content, type=dict[str, object]).get("detail")
    except msgspec.MsgspecError:
        detail = None
    if isinstance(detail, dict):
        detail = detail.get("message")
    # A list is a validation report, and quotes the values it complains of: form data.
    told = f": {detail[:200]}" if isinstance(detail, str) else ""
    return f"{reply.request.method} answered {reply.status_code}{told}"
