"""How a run tells its story: the one way from the interpreter to the run's events."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tasks.runner.driver import Shot


class Narrator(Protocol):
    """Takes typed event data; what is told is redacted before it is stored."""

    def emit(self, kind: str, data: msgspec.Struct) -> None: ...

    def frame(self, shot: Shot | None, *, step: str) -> str | None:
        """Keep a screenshot and tell of it; its artifact id."""


class Silent:
    """For look-ups, which nobody follows."""

    def emit(self, kind: str, data: msgspec.Struct) -> None:
        del kind, data

    def frame(self, shot: Shot | None, *, step: str) -> str | None:
        del shot, step
        return None
