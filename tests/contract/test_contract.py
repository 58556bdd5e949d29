"""Our own runner and the fault programme's stand-in speak the contract; and a service that does not is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tasks.engines.contract import CommitGrant
from tasks.runner import Limits
from tests.contract import cases_commit, cases_runs
from tests.contract.command import CASES, Case, check, run
from tests.contract.record import photo_server, sample_inputs
from tests.contract.speaker import Target
from tests.contract.standin import StandIn, standing_in
from tests.faults.http import Asked, Reply
from tests.faults.service import Run, Service
from tests.worker.rig import TOKEN, rigged
from tests.worker.tollhouse import tolled

GATE_S = 2.0


@asynccontextmanager
async def runner(database_url: str, folder: Path, *, limits: Limits) -> AsyncIterator[Target]:
    async with rigged(database_url, folder, limits=limits) as rig:
        await rig.quirks(index_lag_s=0)
        spec = rig.spec()
        yield Target(
            url=rig.service.url,
            token=TOKEN,
            portal="npl",
            recipe="npl-asbuilt",
            inputs=spec.inputs,
            files=tuple(msgspec.to_builtins(each) for each in spec.files),
        )


@asynccontextmanager
async def stand_in(folder: Path) -> AsyncIterator[Target]:
    async with standing_in(folder, token=TOKEN) as url, photo_server(TOKEN) as photo:
        yield Target(url=url, token=TOKEN, portal="npl", recipe="npl-asbuilt", inputs=sample_inputs(), files=(photo,))


def named(case: Case) -> str:
    return case.__name__


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_our_runner_speaks_the_contract(database_url: str, tmp_path: Path, case: Case) -> None:
    limits = Limits(gate_s=GATE_S if case is cases_commit.a_gate_that_nobody_opens_closes else 60, heartbeat_s=0.5)
    async with runner(database_url, tmp_path, limits=limits) as target:
        assert await check(target, case) in {"ok", "not checked: this portal can be searched"}


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_the_stand_in_speaks_the_contract(tmp_path: Path, case: Case) -> None:
    async with stand_in(tmp_path) as target:
        verdict = await check(target, case)
    assert verdict.startswith(("ok", "not checked"))


async def test_a_portal_without_look_ups_is_a_portal_too(tmp_path: Path) -> None:
    async with tolled(tmp_path) as toll:
        target = Target(
            url=toll.service.url,
            token=TOKEN,
            portal="tollhouse",
            recipe="tollhouse",
            inputs={"name": "Okafor"},
            lookup=False,
        )
        for case in (cases_commit.a_portal_that_cannot_be_searched_is_said_to_be, *cases_commit.CASES[:4]):
            assert await check(target, case) == "ok"


async def test_the_command_names_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stand_in(tmp_path) as target:
        argv = ["--url", target.url, "--token", TOKEN, "--portal", "npl", "--recipe", "npl-asbuilt", "-k", "token"]
        assert await run(argv) == 0
        assert "the service speaks the contract" in capsys.readouterr().out
        monkeypatch.setattr(StandIn, "refused", lambda _self, _asked: None)
        monkeypatch.setattr(StandIn, "__call__", StandIn.politely)
        assert await run(argv) == 1
        assert "FAILED: GET /v1/health: the reply has no Request-Id without the token" in capsys.readouterr().out


def forgives(_service: StandIn, _asked: Asked) -> None:
    """Refuses nothing: neither a missing key nor a key of other content."""


async def lets_through(service: StandIn, run_: Run, asked: Asked) -> Reply:
    """Takes every attempt for the highest."""
    run_.fence = msgspec.json.decode(asked.body, type=CommitGrant).attempt
    return await Service.commit(service, run_, asked)


@pytest.mark.parametrize(
    "case",
    [
        cases_runs.a_key_belongs_to_what_is_keyed,
        cases_runs.a_start_needs_a_key,
        cases_commit.a_lower_attempt_is_fenced_out,
    ],
    ids=named,
)
async def test_a_careless_service_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    monkeypatch.setattr(StandIn, "refused", forgives)
    monkeypatch.setattr(StandIn, "commit", lets_through)
    async with stand_in(tmp_path) as target:
        assert (await check(target, case)).startswith("FAILED")
