"""A phone that sends the record first and its photo by tus, piece by piece: whatever happens, it goes on where it was."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.faults.clients import PATIENCE_S, Phone, document, picture

FILES = "/api/mobile/files"
PIECES = 3
LATER = frozenset({408, 409, 423})
"""What every client of tus tries again, beside all that is no answer or a 5xx."""
GONE = frozenset({404, 410})


class ResumingPhone(Phone):
    """Its record is acknowledged when it is stored; the photo then has `PATIENCE_S` seconds."""

    async def upload(self, key: UUID | None = None, **changed: Any) -> UUID:
        """Until record and photo are there; answers the job."""
        key = key or uuid4()
        photo = picture(key)
        body = document(key, photo=photo, **changed)
        address = ""
        async with asyncio.timeout(PATIENCE_S):
            while (job := await self.try_once(key, body)) is None:
                await asyncio.sleep(0.2)
            while (address := await self._go_on(address, key, photo)) != "done":
                await asyncio.sleep(0.05)
        return job

    async def _go_on(self, address: str, key: UUID, photo: bytes) -> str:
        """One more step; the upload's address, an empty one to begin anew, or `done`."""
        try:
            if not address:
                answer = await self._ask("POST", FILES, {"Upload-Length": str(len(photo)), **_metadata(key)})
                return answer.headers["location"] if answer.status_code == 201 else ""
            answer = await self._ask("HEAD", address)
            if answer.status_code == 200:
                at = int(answer.headers["upload-offset"])
                if at == len(photo):
                    return "done"
                piece = photo[at : at + len(photo) // PIECES + 1]
                headers = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
                answer = await self._ask("PATCH", address, headers, piece)
        except httpx.TransportError:
            return address
        return "" if answer.status_code in GONE else address

    async def _ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        own = {"Tus-Resumable": "1.0.0", **(headers or {})}
        answer = await self.http.request(method, url, headers=own, content=body)
        known = answer.status_code in LATER | GONE or answer.is_success or answer.status_code >= 500
        assert known, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer


def _metadata(key: UUID) -> dict[str, str]:
    pairs = {"record_id": str(key), "name": "pole"}
    return {"Upload-Metadata": ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())}
