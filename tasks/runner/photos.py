"""Brings a run's photos from the web process to disk, each checked against its hash, and names them for upload."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

import httpx

from tasks.engines.contract import FileSpec
from tasks.runner.driver import Photo, RunError

_TRIES = 3
_AT_ONCE = 3


async def fetch(specs: tuple[FileSpec, ...], *, folder: Path, token: str) -> tuple[Photo, ...]:
    """All photos, in order. Raises `FILE_MISSING`, `FILE_DAMAGED`, or `FILE_UNAVAILABLE` when trying again may help."""
    slots = asyncio.Semaphore(_AT_ONCE)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(30, connect=5), trust_env=False) as client:

        async def one(number: int, spec: FileSpec) -> Photo:
            async with slots:
                return await _fetch(client, spec, folder / str(number))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number, spec)) for number, spec in enumerate(specs)]
        except ExceptionGroup as exc:
            raise exc.exceptions[0] from exc
    return tuple(task.result() for task in tasks)


async def _fetch(client: httpx.AsyncClient, spec: FileSpec, folder: Path) -> Photo:
    if not spec.url.startswith(("http://", "https://")):
        raise RunError("FILE_MISSING", f"{spec.name}: only http and https addresses are fetched")
    path = _place(folder, spec.name)
    for left in reversed(range(_TRIES)):
        try:
            await _download(client, spec, path)
            break
        except httpx.TransportError as exc:
            if not left:
                raise RunError("FILE_UNAVAILABLE", f"{spec.name}: {type(exc).__name__}") from exc
            await asyncio.sleep(0.2 * (_TRIES - left))
    return Photo(name=path.name, mime=spec.mime, path=path, sha256=spec.sha256)


async def _download(client: httpx.AsyncClient, spec: FileSpec, path: Path) -> None:
    digest = hashlib.sha256()
    size = 0
    async with client.stream("GET", spec.url) as reply:
        if reply.status_code >= 500:
            raise httpx.ReadError(f"HTTP {reply.status_code}", request=reply.request)
        if reply.status_code != 200:
            raise RunError("FILE_MISSING", f"{spec.name}: HTTP {reply.status_code}")
        with path.open("wb") as file:
            async for chunk in reply.aiter_bytes():
                size += len(chunk)
                if size > spec.size:
                    raise RunError("FILE_DAMAGED", f"{spec.name} is longer than {spec.size} bytes")
                digest.update(chunk)
                file.write(chunk)
    if digest.hexdigest() != spec.sha256.lower():
        raise RunError("FILE_DAMAGED", f"{spec.name} does not have its hash")


def _place(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    return folder / safe_name(name)


def safe_name(name: str) -> str:
    """A file name that is no path and needs no quoting in a portal."""
    cleaned = re.sub(r"[^\w.\- ]+", "_", name).strip(". ")
    return cleaned[-120:] or "photo"
