"""The places of all streams of this process: found by what they are about, limited a caller and in total."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import UUID

from app.core.errors import StreamsFull, TooManyRequests
from app.live.subscription import Rights, Scope, Subscription
from app.live.timings import Timings

START_S = 10.0
"""A stream that has not begun by then never will: its client left before the first byte."""


class Places:
    """Taken by the request, begun by the stream's first step, given back by its last: each of them synchronous."""

    def __init__(self, timings: Timings, *, call: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._timings = timings
        self._call = call
        self._topics: dict[Scope, dict[Subscription, None]] = {}
        self._per_caller: dict[UUID, int] = {}
        self._not_begun: dict[Subscription, float] = {}
        self._count = 0
        self.closed = False

    def __len__(self) -> int:
        self._sweep()
        return self._count

    def __iter__(self) -> Iterator[Subscription]:
        return iter([sub for topic in self._topics.values() for sub in topic])

    def take(self, scope: Scope, rights: Rights, *, caller: UUID) -> Subscription:
        """Raises `TooManyRequests` and `StreamsFull`."""
        self._sweep()
        limit = self._timings.streams_per_caller
        if limit and self._per_caller.get(caller, 0) >= limit:
            raise TooManyRequests("too many live streams are open", limits={"streams": limit}, retry_after_s=5)
        if self.closed or self._count >= self._timings.streams:
            raise StreamsFull(retry_after_s=2)
        sub = Subscription(scope, rights, caller=caller, backlog=self._timings.backlog, call=self._call)
        self._topics.setdefault(scope, {})[sub] = None
        self._per_caller[caller] = self._per_caller.get(caller, 0) + 1
        self._count += 1
        self._not_begun[sub] = time.monotonic() + START_S
        return sub

    def begin(self, sub: Subscription) -> None:
        """The stream's own task has started; a place that was given away meanwhile is closed."""
        if self._not_begun.pop(sub, None) is None:
            sub.close()

    def give_back(self, sub: Subscription) -> None:
        """Synchronous: the clean-up of a response is cancelled at its first await."""
        self._not_begun.pop(sub, None)
        topic = self._topics.get(sub.scope, {})
        if sub not in topic:
            return
        del topic[sub]
        if not topic:
            del self._topics[sub.scope]
        self._count -= 1
        self._per_caller[sub.caller] -= 1
        if not self._per_caller[sub.caller]:
            del self._per_caller[sub.caller]

    def audience(self, job: UUID, *, record: UUID, project: UUID, device: UUID) -> list[Subscription]:
        """Everybody whom a change of this job concerns."""
        of_job = self._allowed(Scope("job", job), project=project, device=device)
        return [*of_job, *self.readers(record=record, project=project, device=device)]

    def readers(self, *, record: UUID, project: UUID, device: UUID) -> list[Subscription]:
        """Everybody whom a change of this record concerns."""
        scopes = (Scope("record", record), Scope("project", project), Scope("all"))
        return [sub for scope in scopes for sub in self._allowed(scope, project=project, device=device)]

    def _allowed(self, scope: Scope, *, project: UUID, device: UUID) -> list[Subscription]:
        return [sub for sub in self._topics.get(scope, ()) if sub.rights.allow(project=project, device=device)]

    def close(self) -> None:
        """End every stream, and take no more."""
        self.closed = True
        for sub in self:
            sub.close()

    def _sweep(self) -> None:
        now = time.monotonic()
        for sub in [sub for sub, until in self._not_begun.items() if until < now]:
            self.give_back(sub)
