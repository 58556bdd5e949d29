"""The files of a run, for the automation service only: bytes by hash, under the service's own token."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.core import serving
from app.core.blobs import Blobs
from app.core.errors import NotFound, Unauthorised
from app.core.secrets import same
from app.core.settings import Settings

PATH = "/api/automation/files"


@get("/{sha256:str}", public=True, include_in_schema=False)
async def get_file(
    request: Request[Any, Any, State],
    sha256: FromPath[str],
    blobs: NamedDependency[Blobs],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not settings.automation_token or not same(given.encode(), settings.automation_token.encode()):
        raise Unauthorised
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise NotFound
    size = await blobs.size(bytes.fromhex(sha256))
    if size is None:
        raise NotFound
    return await serving.original(
        request, blobs, sha256=bytes.fromhex(sha256), size=size, media_type="application/octet-stream", filename=sha256
    )


router = Router(PATH, route_handlers=[get_file])
