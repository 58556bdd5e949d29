"""GET /metrics, for whoever has the token of the settings."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from app.core.auth import address
from app.core.errors import NotFound, Unauthorised
from app.core.fairness import Fairness
from app.core.secrets import same
from app.core.settings import Settings
from app.metrics.service import Figures


@get("/metrics", public=True, include_in_schema=False)
async def metrics(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    fairness: NamedDependency[Fairness],
    figures: NamedDependency[Figures],
) -> Response[bytes]:
    """Raises `NotFound` where no token is set, and `Unauthorised` and `TooManyRequests` for a wrong one."""
    if not settings.metrics_token:
        raise NotFound
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not same(sent.strip().encode(), settings.metrics_token.encode()):
        key = ("metrics", address(request))
        fairness.demand_patience(key)
        fairness.failed(key)
        raise Unauthorised
    return Response(await figures.text(), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


router = Router("/", route_handlers=[metrics])
