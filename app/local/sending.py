"""Sending a record as a phone does: the same bytes again until there is an answer that settles it."""

from __future__ import annotations

import asyncio
from random import Random
from uuid import UUID

import httpx
import msgspec

from app.local.samples import Sample

_TRIES = 8
_LONGEST_S = 8.0
_SEND_AGAIN = frozenset({408, 423, 425, 429, 500, 502, 503, 504, 507})
_JITTER = Random()  # noqa: S311 spreads retries, nothing secret


class Refused(Exception):
    """The upload was answered with an error that sending again cannot mend."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What of the answer the demo needs."""

    record_id: UUID
    automation_job_id: UUID
    job_status: str
    defects: list[dict[str, object]] = []
    replayed: bool = False


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    detail: str = ""
    retry: str | None = None


async def send(client: httpx.AsyncClient, sample: Sample, *, token: str) -> Receipt:
    """Upload until it is settled. Raises `Refused`, or `httpx.TransportError` when nobody ever answers."""
    content_type, body = _packed(sample)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
    for attempt in range(1, _TRIES + 1):
        after_s = 0.0
        try:
            answer = await client.post("/api/mobile/records", content=body, headers=headers)
        except httpx.TransportError:
            if attempt == _TRIES:
                raise
        else:
            if answer.status_code in (200, 201):
                return msgspec.json.decode(answer.content, type=Receipt)
            problem = _problem(answer)
            if attempt == _TRIES or not _worth_a_try(answer.status_code, problem):
                raise Refused(f"{answer.status_code}: {problem.detail or answer.reason_phrase}")
            after_s = _retry_after(answer)
        await asyncio.sleep(max(after_s, _JITTER.uniform(0.5, 1.0) * min(_LONGEST_S, 0.5 * 2**attempt)))
    raise Refused("never answered")


def _packed(sample: Sample) -> tuple[str, bytes]:
    """The multipart body, packed once: the record first, then each photo under its name."""
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = [("record", (None, sample.record, "application/json"))]
    parts += [(photo.name, (photo.name, photo.data, "image/jpeg")) for photo in sample.photos]
    request = httpx.Request("POST", "http://packed/", files=parts)
    return request.headers["Content-Type"], request.read()


def _problem(answer: httpx.Response) -> _Problem:
    try:
        return msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()


def _worth_a_try(status: int, problem: _Problem) -> bool:
    if problem.retry is not None:
        return problem.retry in ("same", "after")
    return status in _SEND_AGAIN


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(60.0, float(text)) if text.isdigit() else 0.0
