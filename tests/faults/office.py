"""Somebody in the office who looks at everything again and again; every answer is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from app.core.access import create_token
from tests.faults.cluster import Cluster

PAGES = (
    "/api/records", "/api/stats", "/api/jobs/project/demo", "/api/operations/backlog", "/api/operations/failures",
    "/api/operations/throughput", "/api/operations/workers", "/api/operations/questions", "/api/operations/audit",
    "/api/portals",
)  # fmt: skip
OF_JOB = ("/api/jobs/{job}", "/api/jobs/{job}/attempts", "/api/jobs/record/{record}", "/api/records/{record}")
RECORD_OF = "select id, record_id from automation_job where id = any(%s)"


@asynccontextmanager
async def office(c: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read everything of the project."""
    async with c.connect() as conn:
        token = await create_token(conn, project="demo", scopes=["read", "operate"], label="office")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=c.url, headers=headers, timeout=30, trust_env=False) as http:
        yield http


async def pages_of(c: Cluster, jobs: Sequence[UUID]) -> list[str]:
    """Where these jobs and their records are shown."""
    rows = await c.all(RECORD_OF, list(jobs))
    return [path.format(job=job, record=record) for job, record in rows for path in OF_JOB]


async def shown(http: httpx.AsyncClient, paths: Sequence[str]) -> dict[str, Any]:
    """What they say, without the progress, which is nobody's history."""
    said: dict[str, Any] = {}
    for path in paths:
        answer = await http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        said[path] = _lasting(answer.json())
    return said


def _lasting(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _lasting(value) for key, value in node.items() if key != "progress"}
    return [_lasting(each) for each in node] if isinstance(node, list) else node


@asynccontextmanager
async def looking(
    http: httpx.AsyncClient, paths: Callable[[], Sequence[str]], *, lookers: int = 2
) -> AsyncIterator[Counter[tuple[int, str]]]:
    """They look while the block lasts, one page after another; what was answered how often, and where if it was not 200."""
    answers: Counter[tuple[int, str]] = Counter()
    over = asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            for path in paths():
                status = (await http.get(path)).status_code
                answers[status, "" if status == 200 else path] += 1

    tasks = [asyncio.create_task(look()) for _ in range(lookers)]
    try:
        yield answers
    finally:
        over.set()
        await asyncio.gather(*tasks)
