"""Named points in the product where a test makes its own process die, stop or lose its connection; off otherwise.

`CRASHPOINT` is `name:action` or `name:action:subject`: the action is taken at that point, once, the subject limits it to
one job. Actions: `kill` (SIGKILL), `stop` (SIGSTOP until somebody continues it), `terminate_backend` (the connection).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Literal, get_args

import msgspec

from sql import Connection, load

Action = Literal["kill", "stop", "terminate_backend"]
POINTS = frozenset(
    {"A1", "A2", "A3", "A4", "A5", "A6", "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "C1", "C2", "C3", "S1", "S2"}
    | {"K1", "K2", "K3", "P1", "R1", "R2", "R3", "R4", "T1", "U1", "U2"}
)
"""A upload: body read, photos written, photos renamed, record stored, job deferred, committed. A4 and A5 are one: both are
the work of one statement. K a correction: body read, next revision written and not committed, committed and nobody told; its
subject is the record. W worker: fetched, claimed, mid-run, intent committed, request let out, result read, result
committed, in finish. C the commit: before the intent, the job held and the request not yet let out, the
portal's answer heard and the job still held. S1 the reconciler, before its
commit. S2 a settle that has given its slot on, before its commit. T1 a batch of retention, before its commit; its subject is
what it removes. R the reference automation service, at a run's gate: permission asked for, permission given, on disk that the request leaves now, answered but not yet told; its subject is our
reference. P1 what a poison job does: its run is followed, and nothing of it recorded. U a resumable upload: its bytes are
synced and its row does not know yet, all of it is here and it is not yet a photo; its subject is the record."""

TERMINATE = load("core").exec("terminate_own_backend")


class Crash(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen, and to whom; an empty subject is anybody."""

    action: Action
    subject: str = ""


_armed: dict[str, Crash] = {}


def arm(text: str) -> None:
    """Take the setting; an empty one disarms. Raises `ValueError` for one that cannot be read."""
    _armed.clear()
    if not text:
        return
    name, _, rest = text.partition(":")
    action, _, subject = rest.partition(":")
    if name not in POINTS or action not in get_args(Action):
        raise ValueError(f"CRASHPOINT is {text!r}, not <point>:<action>[:<subject>]")
    _armed[name] = msgspec.convert({"action": action, "subject": subject}, Crash)


async def crashpoint(name: str, *, subject: object = "", conn: Connection | None = None) -> None:
    """This is the point: nothing happens, unless a test armed it. Raises what a terminated connection raises."""
    crash = _armed.get(name)
    if crash is None or crash.subject not in ("", str(subject)):
        return
    del _armed[name]
    sys.stderr.write(f"crashpoint {name} {crash.action}\n")
    sys.stderr.flush()
    if crash.action == "terminate_backend":
        if conn is not None:
            await TERMINATE(conn)
        return
    os.kill(os.getpid(), signal.SIGKILL if crash.action == "kill" else signal.SIGSTOP)


@asynccontextmanager
async def before_commit(conn: Connection, *names: str, subject: object = "") -> AsyncIterator[None]:
    """The points lie between the block's one statement and its commit, which are one round trip unless a test is here."""
    armed = any(name in _armed for name in names)
    async with conn.transaction() if armed else nullcontext():
        yield
        if armed:
            for name in names:
                await crashpoint(name, subject=subject, conn=conn)
