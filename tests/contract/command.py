"""The command: every check against a service at an address, one line each. Ends with 0 when none failed."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.contract import cases_commit, cases_runs
from tests.contract.record import photo_server, sample_inputs
from tests.contract.speaker import NotChecked, Speaker, Target, speaking

Case = Callable[[Speaker], Awaitable[None]]
CASES: tuple[Case, ...] = (*cases_runs.CASES, *cases_commit.CASES)


async def check(target: Target, case: Case) -> str:
    """`ok`, `not checked: why` or `FAILED: what`."""
    async with speaking(target) as say:
        try:
            await case(say)
        except NotChecked as exc:
            return f"not checked: {exc}"
        except AssertionError as exc:
            return f"FAILED: {exc}"
        # Whatever else goes wrong with the service's answer is a failure of the check, never of the program.
        except Exception as exc:
            return f"FAILED: {type(exc).__name__}: {exc}"
    return "ok"


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests contract", description=__doc__)
    parser.add_argument("--url", required=True, help="base URL of the service")
    parser.add_argument("--token", required=True, help="its bearer token")
    parser.add_argument("--portal", required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--account", default="default")
    parser.add_argument("--record", type=Path, help='JSON {"inputs": {…}, "files": […]}; default: a pole and a photo')
    parser.add_argument("--patience", type=float, default=130, help="seconds to wait for a gate to close")
    parser.add_argument("--no-lookup", action="store_true", help="the portal cannot be searched")
    parser.add_argument("-k", default="", help="only checks with this in their name")
    return parser.parse_args(argv)


async def run(argv: list[str]) -> int:
    chosen = arguments(argv)
    async with AsyncExitStack() as stack:
        if chosen.record is not None:
            record = json.loads(await asyncio.to_thread(chosen.record.read_text, encoding="utf-8"))
        else:
            files = await stack.enter_async_context(photo_server(chosen.token))
            record = {"inputs": sample_inputs(), "files": [files]}
        target = Target(
            url=chosen.url.rstrip("/"),
            token=chosen.token,
            portal=chosen.portal,
            recipe=chosen.recipe,
            account=chosen.account,
            inputs=record["inputs"],
            files=tuple(record["files"]),
            patience_s=chosen.patience,
            lookup=not chosen.no_lookup,
        )
        failed = 0
        for case in CASES:
            if chosen.k in case.__name__:
                verdict = await check(target, case)
                failed += verdict.startswith("FAILED")
                print(f"{verdict:<4} {case.__name__.replace('_', ' ')}", flush=True)
        print(f"{failed} of the checks failed" if failed else "the service speaks the contract", flush=True)
    return 1 if failed else 0
