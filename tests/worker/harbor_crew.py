"""A crew at Harbor's API, as its page uses it; for the tests of the second demo portal."""

from __future__ import annotations

import httpx

from tests.worker.contractor import jpeg

SITE = {"ticket": "WO-12345", "area": "Harbor", "finished": "2026-11-20", "lead": "Alvarez"}
PLANT = {"enclosure": "FOSC 450", "fibers": "48", "loss": "0.12", "lat": "41.2033", "lon": "-73.1"}


class HarborCrew:
    """Every answer is handed back as it came."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self.client.request(method, f"/harbor/api/{path}", json=body, headers=headers)

    async def quirks(self, **switches: object) -> None:
        answer = await self.client.post("/_demo/quirks", json={"portal": "harbor", **switches})
        assert answer.status_code == 200, answer.text

    async def sign_in(self, *, user: str = "crew", password: str = "lighthouse") -> httpx.Response:
        return await self.call("POST", "session", {"user": user, "password": password})

    async def ready(self, *, reference: str) -> str:
        """A close-out that only needs to be sent."""
        code: str = (await self.call("POST", "closeouts")).json()["id"]
        saved = await self.call("PATCH", f"closeouts/{code}", {"values": {**SITE, **PLANT, "reference": reference}})
        assert saved.status_code == 200, saved.text
        photo = {"file": ("tray.jpg", jpeg(), "image/jpeg")}
        assert (await self.client.post(f"/harbor/api/closeouts/{code}/photos", files=photo)).status_code == 201
        return code

    async def send(self, code: str, *, fence: int = 1) -> httpx.Response:
        return await self.call("POST", f"closeouts/{code}/send", **{"X-Asbuilt-Fence": str(fence)})

    async def submissions(self, reference: str) -> list[dict[str, object]]:
        answer = await self.client.get("/_demo/submissions", params={"reference": reference})
        found: list[dict[str, object]] = answer.json()
        return found
