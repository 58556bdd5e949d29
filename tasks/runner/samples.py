"""A generated record to try a recipe with, and a file server for its photos; nothing here reaches the database."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import uvicorn

from app.local.samples import samples
from tasks.engines.contract import FileSpec
from tasks.runner.server import PlainServer

SAMPLES = {"pole": "pole-replacement", "fibre": "fibre-splice-closure"}
"""What can be asked for, and its form."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What a run keys."""

    inputs: dict[str, object]
    files: tuple[FileSpec, ...]


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A sample whose photos have no address yet."""

    inputs: dict[str, object]
    photos: dict[str, bytes]


def of_sample(name: str) -> Drawn:
    """The same record each time, apart from its dates."""
    form = SAMPLES[name]
    made = next(each for each in samples(2, project="demo", now=datetime.now(UTC), seed=7) if each.form == form)
    record = msgspec.json.decode(made.record, type=dict[str, Any])
    position = record["position"]
    own = {"form": form, "asset": record["asset"], "captured_at": record["captured_at"]}
    return Drawn(
        inputs={**record["fields"], **own, "lat": position["lat"], "lon": position["lon"]},
        photos={photo.name: photo.data for photo in made.photos},
    )


@asynccontextmanager
async def serving(drawn: Drawn) -> AsyncGenerator[Material, None]:
    """The sample with addresses for its photos, on loopback, under a path nobody can guess."""
    path = secrets.token_urlsafe(16)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        del receive
        body = drawn.photos.get(str(scope["path"]).removeprefix(f"/{path}/"))
        await send({"type": "http.response.start", "status": 404 if body is None else 200, "headers": []})
        await send({"type": "http.response.body", "body": body or b""})

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{path}"
        config = uvicorn.Config(answer, lifespan="off", log_config=None, access_log=False)
        server = PlainServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="sample photos")
        try:
            yield Material(
                inputs=drawn.inputs, files=tuple(_file(name, body, url) for name, body in drawn.photos.items())
            )
        finally:
            server.should_exit = True
            await task


def _file(name: str, body: bytes, url: str) -> FileSpec:
    digest = hashlib.sha256(body).hexdigest()
    return FileSpec(id=name, name=name, mime="image/jpeg", size=len(body), sha256=digest, url=f"{url}/{name}")
