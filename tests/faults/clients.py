"""The people outside: phones that upload and insist with the same bytes, and pages that follow what becomes of it."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from PIL import Image

from tests.faults.cluster import Cluster
from tests.faults.history import Call, Heard, Phase, now
from tests.faults.processes import DEADLINE_S

PATIENCE_S = 60.0
TIMEOUT_S = 10.0


class Phone:
    """Uploads records one after another; what gets no answer is sent again, the very same bytes."""

    def __init__(self, cluster: Cluster, name: str, *, seed: int, photos: float = 0.0) -> None:
        self._cluster = cluster
        self.name = name
        self._random = random.Random(seed)
        self._photos = photos
        self.http = httpx.AsyncClient(
            base_url=cluster.url,
            headers={"Authorization": f"Bearer {cluster.token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def upload(self, key: UUID | None = None, **changed: Any) -> UUID:
        """Until it is acknowledged; answers the job. One in `photos` comes with its photo, in one multipart request."""
        key = key or uuid4()
        # By the key alone: whoever sends it again sends the same bytes.
        chance = random.Random(key.int)
        photo = b""
        if chance.random() < self._photos:
            photo = picture(key)
        body = document(key, photo=photo, **changed)
        async with asyncio.timeout(PATIENCE_S):
            while (job := await self.try_once(key, body, photo=photo)) is None:
                await asyncio.sleep(self._random.uniform(0.05, 0.5))
        return job

    async def try_once(self, key: UUID, body: bytes, *, photo: bytes = b"") -> UUID | None:
        """One request; the job when it was acknowledged."""
        self._note(key, "invoke")
        began = now()
        try:
            answer = await self._send(key, body, photo)
        except httpx.TransportError:
            self._note(key, "info", took_s=now() - began)
            return None
        phase: Phase = "ok" if answer.is_success else "info" if answer.status_code >= 500 else "fail"
        said = answer.json() if answer.is_success else {}
        record, job = said.get("record_id"), said.get("automation_job_id")
        self._note(
            key,
            phase,
            status=answer.status_code,
            record=UUID(record) if record else None,
            job=UUID(job) if job else None,
            took_s=now() - began,
            retry_after=answer.headers.get("retry-after", ""),
        )
        return UUID(job) if job else None

    async def _send(self, key: UUID, body: bytes, photo: bytes) -> httpx.Response:
        if not photo:
            headers = {"Content-Type": "application/json"}
            return await self.http.put(f"/api/mobile/records/{key}", content=body, headers=headers)
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("record", (None, body, "application/json")),
            ("pole", ("pole.jpg", photo, "image/jpeg")),
        ]
        return await self.http.post("/api/mobile/records", files=parts)

    def _note(self, key: UUID, phase: Phase, **more: Any) -> None:
        self._cluster.calls.write(Call(at=now(), client=self.name, op="upload", key=key, phase=phase, **more))

    async def close(self) -> None:
        await self.http.aclose()


@asynccontextmanager
async def phones(cluster: Cluster, name: str, *, count: int, photos: float = 0.0) -> AsyncIterator[list[Phone]]:
    """So many phones; closed at the end, whatever it is."""
    made = [Phone(cluster, f"{name}-{n}", seed=n, photos=photos) for n in range(count)]
    try:
        yield made
    finally:
        for phone in made:
            await phone.close()


def picture(key: UUID) -> bytes:
    """A small JPEG that is each record's own."""
    out = BytesIO()
    Image.new("RGB", (64, 48), (key.int % 256, 90, 120)).save(out, "JPEG", comment=key.bytes)
    return out.getvalue()


def document(key: UUID, *, photo: bytes = b"", **changed: Any) -> bytes:
    """A record as a phone sends it."""
    manifest = [{"name": "pole", "shot": "pole", "sha256": hashlib.sha256(photo).hexdigest()}] if photo else []
    body = {
        "id": str(key),
        "project": "demo",
        "form": "fault-photo" if photo else "fault-form",
        "form_version": 1,
        "asset": "P-1",
        "fields": {"note": str(key)},
        "captured_at": "2026-11-20T15:04:05Z",
        "photos": manifest,
    }
    return msgspec.json.encode(body | changed)


class Page:
    """Follows one job, or everything of its device, and comes back where it was whenever the line breaks."""

    def __init__(self, cluster: Cluster, name: str, *, job: UUID | None = None, restless_s: float = 0.0) -> None:
        self._cluster = cluster
        self.name = name
        self._job = job
        self._restless_s = restless_s
        self._connection = 0
        self._last_id = ""
        self.seqs: dict[UUID, int] = {}
        self.at = 0.0

    async def follow(self) -> None:
        """Until cancelled. `restless_s`: it leaves by itself every so often, as pages in pockets do."""
        headers = {"Authorization": f"Bearer {self._cluster.token}", "Accept": "text/event-stream"}
        timeout = httpx.Timeout(5, read=40)
        async with httpx.AsyncClient(
            base_url=self._cluster.url, headers=headers, timeout=timeout, trust_env=False
        ) as http:
            while True:
                with suppress(httpx.TransportError, httpx.StreamError, TimeoutError):
                    stay_s = random.uniform(0.5, 1.5) * self._restless_s or None
                    async with asyncio.timeout(stay_s):
                        await self._connect(http)
                await asyncio.sleep(random.uniform(0.1, 0.4))

    def stays(self) -> None:
        """From its next connection on: not restless any more."""
        self._restless_s = 0.0

    def leaves(self) -> None:
        """It need not have heard the end of anything."""
        self._hear("left")

    async def _connect(self, http: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        params = {"job": str(self._job)} if self._job else {}
        async with http.stream("GET", "/api/events", params=params, headers=headers) as answer:
            if answer.status_code != 200:
                return
            self._connection += 1
            self._hear("open", reason="resume" if self._last_id else "")
            async for event, number, data in events(answer.aiter_lines()):
                self._last_id = number or self._last_id
                self._take(event, data)

    def _take(self, event: str, data: str) -> None:
        if event == "state":
            view = msgspec.json.decode(data)
            self._hear("state", view)
        elif event == "snapshot":
            said = msgspec.json.decode(data)
            for view in said["jobs"]:
                self._hear("snapshot", view, reason=said["reason"])
        elif event == "progress":
            self.at = now()

    def _hear(self, event: str, view: dict[str, Any] | None = None, *, reason: str = "") -> None:
        job = UUID(view["id"]) if view else None
        if view and job:
            self.seqs[job] = view["seq"]
        self._cluster.streams.write(
            Heard(
                at=now(),
                client=self.name,
                follows=self._job,
                connection=self._connection,
                event=event,
                job=job,
                seq=view["seq"] if view else 0,
                data=view or {},
                reason=reason,
            )
        )


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str, str]]:
    """Server-sent events as (event, id, data)."""
    event = number = data = ""
    async for line in lines:
        if not line:
            if data or number:
                yield event, number, data
            event = number = data = ""
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "id":
            number = value
        elif name == "data":
            data = value


class Crowd:
    """Phones and pages at once. `jobs` are those acknowledged, in order."""

    def __init__(self, cluster: Cluster, *, seed: int = 1) -> None:
        self.cluster = cluster
        self.seed = seed
        self.jobs: list[UUID] = []
        self.pages: list[Page] = []
        self._following: list[asyncio.Task[None]] = []

    async def load(
        self, *, per_s: float, phones: int = 8, total: int = 10**9, until: Callable[[], bool] = lambda: False,
        photos: float = 0.0, follow: float = 0.0, restless_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Upload at this rate, spread over the phones, until so many are through or it is time to stop."""
        started = 0

        async def one(n: int) -> None:
            nonlocal started
            phone = Phone(self.cluster, f"phone-{self.seed}-{n}", seed=self.seed * 100 + n, photos=photos)
            chance = random.Random(self.seed * 1000 + n)
            try:
                while started < total and not until():
                    started += 1
                    job = await phone.upload()
                    self.jobs.append(job)
                    if chance.random() < follow:
                        self.watch(job, restless_s=restless_s)
                    await asyncio.sleep(chance.uniform(0.5, 1.5) * phones / per_s)
            finally:
                await phone.close()

        await asyncio.gather(*(one(n) for n in range(phones)))

    def watch(self, job: UUID | None = None, *, restless_s: float = 0.0) -> Page:
        page = Page(self.cluster, f"page-{len(self.pages)}", job=job, restless_s=restless_s)
        self.pages.append(page)
        self._following.append(asyncio.create_task(page.follow()))
        return page

    async def leave(self) -> None:
        """Once each page has heard the end of its jobs, or should have."""
        final = dict(await self.cluster.all("select id, seq from automation_job"))

        def heard() -> bool:
            return all(page.seqs.get(job) == final[job] for page in self.pages for job in list(page.seqs))

        for page in self.pages:
            page.stays()
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_S):
                while not heard():
                    await asyncio.sleep(0.1)
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
