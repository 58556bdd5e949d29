"""The metrics of one process as text. The database is asked at most every few seconds, once for all who ask."""

from __future__ import annotations

import asyncio
import logging
import re
import time

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.core.db import TROUBLE, Pool
from app.metrics import store
from app.metrics.catalogue import RECENT_S, SYSTEM
from app.metrics.meters import Meters

log = logging.getLogger("asbuilt.metrics")

KEPT_S = 5.0
"""Two scrapers, or one that is impatient, cost the database one reading."""
CODES = 40
"""Codes of errors come from automation services: beyond so many, and of odd shapes, they are `other`."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}|")


class Figures(Collector):
    """What Prometheus gets. While the database does not answer, its figures are absent rather than old."""

    def __init__(self, meters: Meters, pool: Pool) -> None:
        self._registry = meters.registry
        self._pool = pool
        self._rows: list[store.FigureRow] | None = None
        self._until = 0.0
        self._reading = asyncio.Lock()
        self._registry.register(self)

    async def text(self) -> bytes:
        """In Prometheus' text format. Raises nothing: what cannot be read is said by `asbuilt_database_up`."""
        async with self._reading:
            if time.monotonic() >= self._until:
                self._rows = await self._read()
                self._until = time.monotonic() + KEPT_S
        return generate_latest(self._registry)

    async def _read(self) -> list[store.FigureRow] | None:
        try:
            async with self._pool.connection() as conn:
                return await store.FIGURES(conn, recent_s=RECENT_S)
        except TROUBLE as exc:
            log.warning("figures cannot be read", extra={"event": "metrics.database", "error": type(exc).__name__})
            return None

    def collect(self) -> list[Metric]:
        up = GaugeMetricFamily("asbuilt_database_up", "Whether the figures of the system could be read.")
        up.add_metric([], self._rows is not None)
        families = {
            name: GaugeMetricFamily(f"asbuilt_{name}", figure.says, labels=figure.labels)
            for name, figure in SYSTEM.items()
        }
        for row in bounded(self._rows or []):
            families[row.figure].add_metric(row.labels, row.value)
        return [up, *families.values()]


def bounded(rows: list[store.FigureRow]) -> list[store.FigureRow]:
    """The same, with codes that are no codes, or the rarest of too many, taken together as `other`."""
    attempts = sorted((row for row in rows if row.figure == "attempts_recent"), key=lambda row: -row.value)
    kept: dict[str, None] = {}
    for *_, code in (row.labels for row in attempts):
        if len(kept) < CODES and _CODE.fullmatch(code):
            kept[code] = None
    sums: dict[tuple[str, ...], float] = {}
    for row in attempts:
        *where, code = row.labels
        labels = (*where, code if code in kept else "other")
        sums[labels] = sums.get(labels, 0.0) + row.value
    told = [store.FigureRow(figure="attempts_recent", labels=[*key], value=value) for key, value in sums.items()]
    return [*(row for row in rows if row.figure != "attempts_recent"), *told]
