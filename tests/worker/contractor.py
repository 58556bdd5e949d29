"""A contractor at the demo portal, page by page over real HTTP; used by the tests of the portal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from io import BytesIO

import httpx
from PIL import Image

JOB = {
    "work_order": "WO-12345",
    "reference": "AB-7F3K2Q",
    "asset_type": "Pole",
    "district": "North",
    "installed": "11/20/2026",
    "crew": "Alvarez 7",
}
POLE = {"pole_height": "45", "pole_class": "3", "latitude": "41.2033", "longitude": "-73.1", "notes": "set in rock"}
FIBRE = {
    "closure_model": "FOSC 450",
    "fibre_count": "48",
    "splice_loss": "0.12",
    "splices": "blue, 1, 0.05\nblue, 2, 0.12",
    "latitude": "41.2033",
    "longitude": "-73.1",
}


def jpeg(*, shade: int = 90, size: tuple[int, int] = (640, 480)) -> bytes:
    """A small real photo."""
    out = BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


class Contractor:
    """Signs in and keys as-builts; redirects are not followed, so that each answer can be looked at."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, data: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.client.post(path, data=dict(data or {}))

    async def quirks(self, **switches: object) -> None:
        """Set switches of the portal."""
        answer = await self.client.post("/_demo/quirks", json=switches)
        assert answer.status_code == 200, answer.text

    async def sign_in(self, *, user: str = "contractor", password: str = "northfield") -> httpx.Response:
        return await self.post("/login", {"user": user, "password": password})

    async def draft(self) -> str:
        """A new draft's number."""
        answer = await self.get("/asbuilt/new")
        return place(answer).split("/")[2]

    async def attach(self, draft: str, photos: Mapping[str, bytes]) -> httpx.Response:
        """Upload as the page's script does."""
        files = [("photos", (name, body, "image/jpeg")) for name, body in photos.items()]
        return await self.client.post(f"/asbuilt/{draft}/upload", files=files, headers={"Accept": "application/json"})

    async def ready_draft(
        self, *, reference: str, job: Mapping[str, str] = JOB, details: Mapping[str, str] = POLE
    ) -> str:
        """A draft keyed up to its review page."""
        draft = await self.draft()
        await self.post(f"/asbuilt/{draft}/job", {**job, "reference": reference})
        await self.post(f"/asbuilt/{draft}/details", details)
        await self.attach(draft, {"full_pole.jpg": jpeg()})
        answer = await self.post(f"/asbuilt/{draft}/photos")
        assert place(answer) == f"/asbuilt/{draft}/review"
        return draft

    async def submit(self, draft: str, *, fence: int | None = None, **fields: str) -> httpx.Response:
        headers = {} if fence is None else {"X-Asbuilt-Fence": str(fence)}
        data = {"certify": "yes", **fields}
        return await self.client.post(f"/asbuilt/{draft}/submit", data=data, headers=headers)

    async def submissions(self, reference: str) -> list[dict[str, object]]:
        """What the portal holds, whatever its index shows."""
        answer = await self.client.get("/_demo/submissions", params={"reference": reference})
        found: list[dict[str, object]] = answer.json()
        return found

    async def look_up(self, reference: str) -> list[str]:
        """Confirmation numbers as the search page shows them; fails if it shows neither a result nor its absence."""
        page = (await self.client.get("/submissions", params={"q": reference})).text
        assert (by_testid(page, "results") == []) is not (by_testid(page, "no-results") == [])
        return by_testid(page, "conf")


def place(answer: httpx.Response) -> str:
    """Where a form POST sends its browser."""
    assert answer.status_code == 303, f"{answer.status_code} instead of 303: {answer.text[:300]}"
    return answer.headers["location"]


def by_testid(page: str, testid: str) -> list[str]:
    """The text right inside each element of a test id."""
    return [unescape(text) for text in re.findall(rf'data-testid="{testid}"[^>]*>([^<]*)', page)]


def complaints(page: str) -> dict[str, str]:
    """The alert list: field to message; empty when there is no alert."""
    _, found, alert = page.partition('role="alert"')
    return (
        {field: unescape(text) for field, text in re.findall(r'<li data-field="([^"]+)">([^<]*)', alert)}
        if found
        else {}
    )


def read_back(page: str) -> dict[str, str]:
    """The definition list of a page: field to what was keyed."""
    found = re.findall(r'<dd data-field="([^"]+)">(.*?)</dd>', page, re.DOTALL)
    return {field: unescape(re.sub("<[^>]+>", "", value)) for field, value in found}
