"""How the runner behaves towards a portal: page loads at a pace, no repeated bad sign-ins, secrets at its own hosts only."""

from __future__ import annotations

import asyncio

import pytest

from tasks.runner.driver import Cookie, RunError
from tasks.runner.pace import Pace
from tasks.runner.secret_hosts import SecretHosts
from tasks.runner.sessions import Session


async def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    pace = Pace(per_s=50, burst=3)
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.gather(*(pace.take() for _ in range(3)))
    burst = clock()
    await asyncio.gather(*(pace.take() for _ in range(10)))
    # Ten more at fifty a second, less what was refilled meanwhile.
    assert burst - began < 0.1
    assert clock() - began >= 10 / 50 - 0.01


async def test_who_came_first_goes_first_and_who_gives_up_takes_nothing() -> None:
    pace = Pace(per_s=20, burst=1)
    await pace.take()
    order: list[int] = []

    async def visit(number: int) -> None:
        await pace.take()
        order.append(number)

    visits = [asyncio.create_task(visit(number)) for number in range(4)]
    await asyncio.sleep(0)
    visits[0].cancel()
    await asyncio.gather(*visits, return_exceptions=True)
    assert order == [1, 2, 3]


async def test_no_rate_is_no_limit() -> None:
    async with asyncio.timeout(1):
        for _ in range(10_000):
            await Pace(per_s=0, burst=1).take()


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("https://portal.example/login", True),
        ("https://PORTAL.example/otp?next=/", True),
        ("https://sso.example:8443/login", True),
        ("http://portal.example/login", False),
        ("https://portal.example.evil.test/login", False),
        ("https://portal.example@evil.test/login", False),
        ("https://portal.example:444/login", False),
        ("https://sso.example/login", False),
        ("about:blank", False),
        ("", False),
    ],
)
def test_secrets_are_typed_at_allowed_hosts_only(page: str, typed: bool) -> None:
    hosts = SecretHosts("https://portal.example", ["sso.example:8443"])
    if typed:
        hosts.check(page)
        return
    with pytest.raises(RunError) as refused:
        hosts.check(page)
    assert (refused.value.code, refused.value.error_class) == ("SECRET_HOST", "bug")


class Visitor:
    """As much of a driver as a sign-in needs."""

    def __init__(self) -> None:
        self.adopted: tuple[Cookie, ...] | None = None

    async def adopt(self, session: tuple[Cookie, ...]) -> None:
        self.adopted = session

    async def session(self) -> tuple[Cookie, ...]:
        return (Cookie(name="sid", value="1", domain="portal.example"),)


async def enter(session: Session, tried: list[int], *, refused: bool) -> Visitor:
    visitor = Visitor()
    async with session.entering(visitor):
        if not visitor.adopted:
            tried.append(1)
            await asyncio.sleep(0)
            if refused:
                raise RunError("LOGIN_REJECTED", "the portal refused the sign-in")
    return visitor


async def test_six_runs_sign_in_once() -> None:
    tried: list[int] = []
    session = Session()
    await asyncio.gather(*(enter(session, tried, refused=False) for _ in range(6)))
    assert tried == [1]


async def test_a_refused_sign_in_is_not_tried_by_those_who_waited() -> None:
    """Six runs with a wrong password would be six bad sign-ins, and portals lock accounts at five."""
    tried: list[int] = []
    session = Session()
    ended = await asyncio.gather(*(enter(session, tried, refused=True) for _ in range(6)), return_exceptions=True)
    assert [each.code for each in ended if isinstance(each, RunError)] == ["LOGIN_REJECTED"] * 6
    assert tried == [1]


async def test_after_a_while_the_sign_in_is_tried_again() -> None:
    tried: list[int] = []
    session = Session(refused_s=0)
    with pytest.raises(RunError):
        await enter(session, tried, refused=True)
    await enter(session, tried, refused=False)
    assert tried == [1, 1]
