"""How fast a body has to arrive: a phone on a hillside is waited for, one byte a second is not."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from litestar.types import HTTPReceiveMessage, Receive

from app.core.errors import IdleTimeout

MIN_RATE = 32
"""Bytes a second over a whole idle time. A bad network brings a thousand; a client that only holds the line, one."""


class Pace:
    """Judges one body by the time that was spent waiting for it, in windows of `idle_s` seconds, and as a whole."""

    def __init__(self, *, idle_s: float, total_s: float) -> None:
        self._idle_s = idle_s
        self._total_s = total_s
        self._ends = time.monotonic() + total_s
        self._waited = 0.0
        self._came = 0

    def left(self) -> float:
        """Seconds until the next judgement."""
        return max(0.0, min(self._idle_s - self._waited, self._ends - time.monotonic()))

    def note(self, *, waited: float, came: int) -> None:
        self._waited += waited
        self._came += came

    def judge(self) -> None:
        """Begin a new window, or raise `IdleTimeout`."""
        if time.monotonic() >= self._ends:
            raise IdleTimeout(f"the body took longer than {self._total_s:g} s")
        if self._waited < self._idle_s:
            return
        if self._came < MIN_RATE * self._idle_s:
            raise IdleTimeout(f"only {self._came} bytes arrived in {self._idle_s:g} s")
        self._waited, self._came = 0.0, 0


class PacedReceive:
    """An ASGI `receive` that gives up on a body: whoever reads it gets `IdleTimeout`. After the body it waits for ever."""

    def __init__(self, receive: Receive, pace: Pace) -> None:
        self._receive = receive
        self._pace = pace
        self._complete = False

    async def __call__(self) -> HTTPReceiveMessage:
        while not self._complete:
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._pace.left()):
                    message = cast("HTTPReceiveMessage", await self._receive())
            except TimeoutError:
                self._pace.note(waited=time.monotonic() - began, came=0)
                self._pace.judge()
                continue
            came = len(message["body"]) if message["type"] == "http.request" else 0
            self._pace.note(waited=time.monotonic() - began, came=came)
            self._complete = message["type"] != "http.request" or not message["more_body"]
            return message
        return cast("HTTPReceiveMessage", await self._receive())
