"""What this process itself counts: answers by route, streams, its pool, its sources. A registry of its own, so that two
web processes in one program do not share their figures."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from app.core.db import Pool

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Meters:
    """Labels are of bounded sets: templates of routes, never paths; a method that nobody knows is `other`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._answers = Counter(
            "asbuilt_answers",
            "Answers begun, by the template of the route; without one the router or the entrance answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._answer_s = Histogram(
            "asbuilt_answer_seconds",
            "From the last byte of a request to the first of its answer: what the network takes is not in it.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """An answer has begun."""
        known = method if method in METHODS else "other"
        self._answers.labels(known, route, str(status)).inc()
        self._answer_s.labels(known, route).observe(seconds)

    def watch(self, name: str, says: str, ask: Callable[[], float]) -> None:
        """A figure that is asked for when the metrics are read."""
        Gauge(f"asbuilt_{name}", says, registry=self.registry).set_function(ask)

    def watch_pool(self, pool: Pool) -> None:
        self.registry.register(_PoolUse(pool))


class _PoolUse(Collector):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> list[Metric]:
        seen = self._pool.get_stats()
        now = GaugeMetricFamily(
            "asbuilt_pool_connections", "Connections to Postgres of this process.", labels=["state"]
        )
        free = seen.get("pool_available", 0)
        now.add_metric(["free"], free)
        now.add_metric(["lent"], seen.get("pool_size", 0) - free)
        waiting = GaugeMetricFamily("asbuilt_pool_waiting", "Requests that wait for a connection.")
        waiting.add_metric([], seen.get("requests_waiting", 0))
        refused = CounterMetricFamily("asbuilt_pool_refused", "Requests that got no connection in time.")
        refused.add_metric([], seen.get("requests_errors", 0))
        full = CounterMetricFamily("asbuilt_database_full", "Writes that Postgres had no room for.")
        full.add_metric([], self._pool.refused_full)
        return [now, waiting, refused, full]
