"""The supervisor with small real processes: restarts, refusals, the order and the deadlines of the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.local import lock
from app.local.child import ChildSpec
from app.local.errors import LocalStackError
from app.local.home import Home
from app.local.lock import Recorded
from app.local.supervisor import Supervisor

STEADY = "import signal; print('ready now', flush=True); signal.pause()"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready now', flush=True)
while 1: signal.pause()
"""
BROKEN = "raise SystemExit('cannot find the thing')"
TELLING = """
import signal, sys
def end(*_):
    open({path!r}, 'a').write({name!r} + ' ')
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('ready now', flush=True)
while 1: signal.pause()
"""


class Watched:
    """A supervisor with ears: what it said, and which children it recorded."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.recorded: asyncio.Queue[dict[str, Recorded]] = asyncio.Queue()
        self.supervisor = Supervisor(say=self.said.append, record=self._record)

    def _record(self, children: list[Recorded]) -> None:
        self.recorded.put_nowait({child.name: child for child in children})

    def spec(self, name: str, program: str, *, stop_s: float = 30.0) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=(sys.executable, "-c", program),
            env=dict(os.environ),
            directory=self.directory,
            log=self.directory / f"{name}.log",
            stop_s=stop_s,
        )

    async def next_pid(self, name: str, *, other_than: int = 0) -> int:
        async with asyncio.timeout(60):
            while True:
                children = await self.recorded.get()
                if name in children and children[name].pid != other_than:
                    return children[name].pid


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.supervisor.hurry()
    await made.supervisor.stop(("a", "b", "c"))


async def test_a_child_that_was_killed_comes_back(watched: Watched) -> None:
    await watched.supervisor.start(watched.spec("a", STEADY))
    pid = await watched.next_pid("a")
    os.kill(pid, signal.SIGKILL)
    again = await watched.next_pid("a", other_than=pid)
    assert lock.identity(again) is not None
    assert "a was ended by SIGKILL; starting it again" in watched.said[0]


async def test_a_child_that_ends_with_zero_comes_back_too(watched: Watched) -> None:
    program = "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0)); " + STEADY
    await watched.supervisor.start(watched.spec("a", program))
    pid = await watched.next_pid("a")
    os.kill(pid, signal.SIGUSR1)
    assert await watched.next_pid("a", other_than=pid)
    assert "ended with exit code 0" in watched.said[0]


async def test_a_child_that_never_gets_up_is_an_error_with_the_end_of_its_log(watched: Watched) -> None:
    with pytest.raises(LocalStackError, match=r"(?s)a does not start.*cannot find the thing"):
        await watched.supervisor.start(watched.spec("a", BROKEN))
    assert watched.said == []


async def test_a_program_that_is_not_there_is_the_same_kind_of_error(watched: Watched) -> None:
    spec = ChildSpec(
        name="a", command=("/no/such",), env={}, directory=watched.directory, log=watched.directory / "a.log"
    )
    with pytest.raises(LocalStackError, match="a does not start"):
        await watched.supervisor.start(spec)


async def test_children_end_in_the_order_asked_for_and_stay_away(watched: Watched) -> None:
    order = watched.directory / "order"
    for name in ("a", "b", "c"):
        await watched.supervisor.start(watched.spec(name, TELLING.format(path=str(order), name=name)))
    await watched.supervisor.stop(("b", "c", "a", "never-started"))
    assert order.read_text().split() == ["b", "c", "a"]
    assert watched.recorded.qsize() == 6
    assert watched.said == []


async def test_a_child_that_will_not_end_is_killed_at_its_deadline(watched: Watched) -> None:
    await watched.supervisor.start(watched.spec("a", STUBBORN, stop_s=0.2))
    pid = await watched.next_pid("a")
    await watched.supervisor.stop(("a",))
    assert lock.identity(pid) is None
    assert watched.said == ["a did not stop in time and was killed."]


async def test_hurry_does_not_wait_for_the_deadline(watched: Watched) -> None:
    await watched.supervisor.start(watched.spec("a", STUBBORN, stop_s=3600))
    pid = await watched.next_pid("a")
    stopping = asyncio.ensure_future(watched.supervisor.stop(("a",)))
    watched.supervisor.hurry()
    await asyncio.wait_for(stopping, timeout=60)
    assert lock.identity(pid) is None


async def test_what_a_killed_supervisor_left_is_ended_and_strangers_are_not(watched: Watched) -> None:
    home = Home(root=watched.directory)
    for name in ("a", "b"):
        await watched.supervisor.start(watched.spec(name, STEADY))
    left = await watched.next_pid("a")
    stranger = await watched.next_pid("b")
    known = lock.identity(left)
    assert known is not None
    lock.record(
        home,
        children=[
            Recorded(name="a", pid=left, identity=known, stop_signal=int(signal.SIGTERM)),
            Recorded(name="b", pid=stranger, identity="an earlier process", stop_signal=int(signal.SIGTERM)),
        ],
    )
    assert lock.end_leftovers(home) == ["a"]
    assert lock.identity(left) != known
    assert lock.identity(stranger) is not None
    assert lock.end_leftovers(home) == []


def test_a_held_home_is_refused_with_the_holder_s_number(tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    assert lock.owner(home) is None
    with lock.hold(home):
        assert lock.owner(home) == str(os.getpid())
        with pytest.raises(LocalStackError, match=f"process {os.getpid()}"), lock.hold(home):
            pass
    assert lock.owner(home) is None
    with lock.hold(home):
        assert lock.owner(home) == str(os.getpid())
