"""How a run treats its portal: secrets at its own host only, no second bad sign-in, a pace, and reading again what failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tasks.engines.events import RunFailed
from tests.worker.rig import listening
from tests.worker.test_runner_drivers import DRIVERS
from tests.worker.tollhouse import RECIPE, Tollhouse, tolled


@pytest.mark.parametrize("browser", DRIVERS)
async def test_credentials_are_not_typed_where_a_redirect_leads(tmp_path: Path, browser: str) -> None:
    stranger = Tollhouse()
    async with listening(stranger) as elsewhere:
        portal = Tollhouse()
        portal.elsewhere = elsewhere
        async with tolled(tmp_path, portal=portal, browser=browser) as toll:
            run = await toll.start()
            error = (await toll.until(run, "run.failed")).read(RunFailed).error
            assert (error.code, error.error_class) == ("SECRET_HOST", "bug")
            assert stranger.asked == ["/login"]
            assert stranger.sign_ins == []


async def test_a_wrong_password_is_tried_once_by_however_many_runs(tmp_path: Path) -> None:
    async with tolled(tmp_path, password="not the password") as toll:
        runs = [await toll.start() for _ in range(5)]
        errors = [(await toll.until(run, "run.failed")).read(RunFailed).error for run in runs]
        assert [error.code for error in errors] == ["LOGIN_REJECTED"] * 5
        assert toll.portal.sign_ins == [False]


async def test_runs_of_one_portal_share_its_pace(tmp_path: Path) -> None:
    """Five page loads a run (sign-in, form, confirmation and their posts), one at once, twenty a second."""
    async with tolled(tmp_path, pages_per_s=20) as toll:
        clock = asyncio.get_running_loop().time
        began = clock()
        runs = [await toll.start() for _ in range(4)]
        ended = await asyncio.gather(*(toll.play(run) for run in runs))
        assert {events[-1].type for events in ended} == {"run.succeeded"}
        loads = len([path for path in toll.portal.asked if not path.startswith(("/done", "/submit"))]) - 1
        assert loads >= 9
        assert clock() - began >= (loads - 6) / 20 - 0.05


@pytest.mark.parametrize("browser", DRIVERS)
async def test_a_page_that_was_only_read_is_loaded_again(tmp_path: Path, browser: str) -> None:
    """One request in fifty fails at some portals: without this, every third run did."""
    portal = Tollhouse()
    portal.fails = {"/": 1, "/form": 2, "/done/1": 1}
    async with tolled(tmp_path, portal=portal, browser=browser) as toll:
        events = await toll.play(await toll.start())
        assert events[-1].type == "run.succeeded", events[-1]
        assert [event.type for event in events].count("retrying") == 4
        assert portal.submissions == ["Okafor"]


@pytest.mark.parametrize("browser", DRIVERS)
async def test_what_was_sent_is_never_sent_again(tmp_path: Path, browser: str) -> None:
    portal = Tollhouse()
    async with tolled(tmp_path, portal=portal, browser=browser) as toll:
        portal.fails = {"/submit": 1}
        events = await toll.play(await toll.start())
        error = events[-1].read(RunFailed).error
        assert (error.code, error.outcome) == ("PORTAL_ERROR", "unknown")
        assert portal.asked.count("/submit") == 1


@pytest.mark.parametrize("browser", DRIVERS)
async def test_a_submission_that_is_sent_to_the_sign_in_was_not_taken(tmp_path: Path, browser: str) -> None:
    """Such runs waited for a person to tell what the portal had already said."""
    portal = Tollhouse()
    portal.forgets = {"/submit": 1}
    async with tolled(tmp_path, portal=portal, browser=browser) as toll:
        error = (await toll.play(await toll.start()))[-1].read(RunFailed).error
        assert (error.code, error.outcome) == ("SESSION_EXPIRED", "not_submitted")
        assert portal.submissions == []
        assert (await toll.play(await toll.start()))[-1].type == "run.succeeded"


async def test_a_confirmation_behind_a_sign_in_is_no_refusal(tmp_path: Path) -> None:
    portal = Tollhouse()
    portal.forgets = {"/done/1": 1}
    async with tolled(tmp_path, portal=portal) as toll:
        error = (await toll.play(await toll.start()))[-1].read(RunFailed).error
        assert (error.code, error.outcome) == ("SESSION_EXPIRED", "unknown")
        assert portal.submissions == ["Okafor"]


TWO_PAGES = RECIPE.replace(
    '[[steps]]\nid = "submit"',
    '''[[steps]]
id = "look"
label = "Look"
open = "/look"
actions = [{do = "expect", page = {at = {testid = "nav-user"}}}]
done = {at = {testid = "nav-user"}}
[[steps]]
id = "submit"''',
).replace('{do = "fill", at = {label = "Name"}', '{do = "goto", url = "/form"}, {do = "fill", at = {label = "Name"}')


@pytest.mark.slow
async def test_a_session_may_end_more_often_than_a_step_may_sign_in(tmp_path: Path) -> None:
    portal = Tollhouse()
    portal.forgets = {"/look": 3, "/form": 3}
    async with tolled(tmp_path, portal=portal, recipe=TWO_PAGES) as toll:
        events = await toll.play(await toll.start())
        assert events[-1].type == "run.succeeded", events[-1]
        portal.forgets = {"/form": 4}
        error = (await toll.play(await toll.start()))[-1].read(RunFailed).error
        assert (error.code, error.outcome) == ("SESSION_EXPIRED", "not_submitted")
