"""The plant with an automation service that asks, and a person at a desk who answers over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from sql import Connection
from tests.faults.history import Log
from tests.faults.http import serve
from tests.service import sign_in
from tests.worker.asking import Asker
from tests.worker.plant import Plant, plant

CODE = "739154"


class Office(msgspec.Struct, kw_only=True):
    """The plant with an asking service behind it, and a person at a desk."""

    works: Plant
    service: Asker
    url: str
    person: dict[str, str]

    @asynccontextmanager
    async def worker(self, **changed: Any) -> AsyncIterator[None]:
        async with self.works.worker(automation_url=self.url, **changed):
            yield

    async def inputs(self, job: UUID) -> list[dict[str, Any]]:
        answer = await self.works.served.http.get(f"/api/jobs/{job}/inputs", headers=self.person)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items

    async def answer(self, job: UUID, *, who: dict[str, str] | None = None, question: str = "", **values: str) -> Any:
        question = question or (await self.inputs(job))[0]["id"]
        return await self.works.served.http.post(
            f"/api/jobs/{job}/inputs/{question}",
            headers=who or self.person,
            json={"values": values or {"code": CODE}, "reason": "because"},
        )

    async def column(self, what: str, job: UUID) -> Any:
        return await self.works.one(f"select {what} from automation_job where id = %s", job)

    async def kept(self) -> tuple[str | None, bytes | None]:
        seen: tuple[str | None, bytes | None] = await self.works.one(
            "select outcome, answer_cipher from automation_input"
        )
        return seen


@asynccontextmanager
async def opened(database_url: str, redis_url: str, conn: Connection, folder: Path) -> AsyncIterator[Office]:
    """An office whose automation service asks for a code."""
    async with plant(database_url, redis_url, conn, folder) as works:
        service = Asker(Log(folder / "effects.jsonl"))
        async with serve(service) as url:
            person = await sign_in(works.served, conn, role="reviewer")
            yield Office(works=works, service=service, url=url, person=person)
