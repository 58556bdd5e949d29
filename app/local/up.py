"""`asbuilt up`: one home, its servers and processes in the foreground, until a signal.

Standard output is the one ready line; everything else is said on standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import msgspec

from app.local import home as homes
from app.local import lock, stack
from app.local.errors import LocalStackError
from app.local.home import Home
from app.local.logbook import follow
from app.local.servers import fill, start_cache, start_database
from app.local.sockets import socket_directory
from app.local.stack import Plan
from app.local.supervisor import Supervisor


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of `asbuilt up`."""

    home: Home
    port: int
    preset: str
    browser: bool
    verbose: bool


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    # A terminal that is gone must not stop the stack from stopping.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()


def run(options: Options, *, env: Mapping[str, str]) -> int:
    """Run the stack until SIGINT, SIGTERM or SIGHUP; the exit code.

    Raises `LocalStackError` when it cannot start; whatever had started is stopped by then.
    """
    home = options.home
    homes.prepare(home)
    with lock.hold(home):
        for name in lock.end_leftovers(home):
            say(f"Ended {name}, left over from an earlier start.")
        if not homes.is_free(options.port):
            raise LocalStackError(f"Port {options.port} is taken. Choose another with --port.")
        home.env_file.unlink(missing_ok=True)
        sockets = socket_directory(home.root)
        try:
            return asyncio.run(_run(options, sockets=sockets, env=env))
        finally:
            shutil.rmtree(sockets, ignore_errors=True)


async def _run(options: Options, *, sockets: Path, env: Mapping[str, str]) -> int:
    home = options.home
    supervisor = Supervisor(say=say, record=lambda children: lock.record(home, children=children))
    loop, serving = (
        asyncio.get_running_loop(),
        asyncio.ensure_future(_serve(options, supervisor, sockets=sockets, env=env)),
    )

    def on_signal() -> None:
        if serving.cancel():
            say("Stopping; once more to stop at once.")
        else:
            supervisor.hurry()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup it is ignored, and must stay so.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, on_signal)
    watching = asyncio.ensure_future(follow(home.logs, show=say)) if options.verbose else None
    try:
        await serving
    except asyncio.CancelledError:
        return 0
    finally:
        home.env_file.unlink(missing_ok=True)
        await supervisor.stop(stack.STOP_ORDER)
        if watching is not None:
            watching.cancel()
    return 0


async def _serve(options: Options, supervisor: Supervisor, *, sockets: Path, env: Mapping[str, str]) -> None:
    home = options.home
    database_url, redis_url = await asyncio.gather(
        start_database(home, supervisor, sockets=sockets, env=env, say=say),
        start_cache(home, supervisor, sockets=sockets, env=env, say=say),
    )
    plan = Plan(
        home=home,
        port=options.port,
        preset=options.preset,
        ports=homes.load_ports(home),
        secrets=homes.load_secrets(home),
        database_url=database_url,
        redis_url=redis_url,
        inherited=env,
    )
    seeded = await fill(plan)
    services = stack.services(plan)
    await asyncio.gather(*(supervisor.start(spec) for spec in services.values()))
    homes.write_env(home, values={**stack.settings_of(plan), "ASBUILT_TOKEN": seeded.upload_token})
    link = f"{plan.url}/sign-in#{seeded.sign_in_code}"
    sys.stdout.write(f"ready {link}\n")
    sys.stdout.flush()
    if options.browser:
        _open_page(link, env=env)
    await _tell_about_browser(plan)
    await asyncio.Event().wait()


async def _tell_about_browser(plan: Plan) -> None:
    headers = {"Authorization": f"Bearer {plan.secrets.automation_token}"}
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            health = (await client.get(f"{plan.automation_url}/v1/health", headers=headers)).json()
    except (httpx.HTTPError, ValueError):
        return
    if health.get("browser") in (None, "", "none", False):
        say("No Chromium here: the portal is filled in over plain HTTP, without screenshots.")


def _open_page(link: str, *, env: Mapping[str, str]) -> None:
    # Without a screen the browser would be a text one, in the middle of this terminal.
    if sys.stdout.isatty() and (sys.platform == "darwin" or env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")):
        subprocess.Popen(
            [sys.executable, "-m", "webbrowser", link],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
