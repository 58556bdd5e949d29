"""The command line: reads arguments, starts what is asked for, turns trouble into a sentence and an exit code.

The work itself lives elsewhere and is imported only when its command is called, so that each command starts fast.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from app import cli_access, cli_design, cli_form, cli_recipe, cli_sample, cli_setup
from app.cli_options import Arguments, add_home, home_of, settings_of

PRESETS = ("calm", "realistic", "bad-day")


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of `asbuilt`; ends the process."""
    arguments = parser().parse_args(sys.argv[1:] if argv is None else argv, namespace=Arguments())
    sys.exit(_guarded(arguments))


def _guarded(arguments: Arguments) -> int:
    from psycopg import OperationalError

    from app.core.errors import Problem
    from app.core.settings import SettingsError
    from app.local.errors import LocalStackError

    try:
        return COMMANDS[arguments.command](arguments)
    except SettingsError as exc:
        print("\n".join(exc.problems), file=sys.stderr)
        return 2
    except LocalStackError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    except (Problem, OperationalError) as exc:
        print(exc.detail if isinstance(exc, Problem) else f"the database cannot be used: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="asbuilt", description="As-built records, from the field into the portal.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run everything on this machine, in the foreground")
    up.add_argument("--port", type=_port, default=8000, help="of the dashboard and the API (default 8000)")
    add_home(up)
    up.add_argument("--preset", choices=PRESETS, default="calm", help="manners of the demo portal (default calm)")
    up.add_argument("--no-browser", action="store_true", help="don't open the page")
    up.add_argument("-v", "--verbose", action="store_true", help="show what the processes log")
    demo = commands.add_parser("demo", help="upload generated records and watch them reach the portal")
    demo.add_argument("--records", type=_count, default=10, metavar="N", help="how many (default 10)")
    demo.add_argument("--url", default="", help="of the API (default: the local stack)")
    demo.add_argument("--token", default="", help="of scope upload (default: the local stack's)")
    add_home(demo)
    commands.add_parser("migrate", help="bring the database of DATABASE_URL up to date")
    commands.add_parser("serve", help="run the API and the dashboard")
    commands.add_parser("runner", help="run the automation service")
    commands.add_parser("portal", help="run the demo portal")
    add_home(commands.add_parser("env", help="the running local stack's settings, as NAME=value lines"))
    doctor = commands.add_parser("doctor", help="check the whole installation; exit 0 when nothing is wrong")
    doctor.add_argument("--deep", action="store_true", help="read every stored file, not only its size")
    add_home(doctor)
    torture = commands.add_parser("torture", help="submit under faults with the guard and without, and count")
    torture.add_argument("--jobs", type=_count, default=24, metavar="N", help="records in each half (default 24)")
    torture.add_argument("--kill", type=_share, default=0.4, metavar="P", help="attempts that are struck (default 0.4)")
    torture.add_argument("--seed", type=int, default=0, help="repeats the faults of an earlier run")
    psql = commands.add_parser("psql", help="open psql on the running local stack's database")
    add_home(psql)
    psql.add_argument("arguments", nargs="*", help="for psql itself, after --")
    for each in (cli_sample, cli_access, cli_recipe, cli_form, cli_design, cli_setup):
        each.add(commands)
    return top


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return count


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a probability is a number from 0 to 1")
    return share


def _up(arguments: Arguments) -> int:
    from app.core.settings import environment

    if sys.platform == "win32":
        print(
            "asbuilt up needs Linux or macOS: use WSL, or run the processes with DATABASE_URL and REDIS_URL.",
            file=sys.stderr,
        )
        return 2
    from app.local.up import Options, run

    options = Options(
        home=home_of(arguments),
        port=arguments.port,
        preset=arguments.preset,
        browser=not arguments.no_browser,
        verbose=arguments.verbose,
    )
    return run(options, env=environment())


def _demo(arguments: Arguments) -> int:
    from app.local.demo import run
    from app.local.running import running_env

    known = {} if arguments.url and arguments.token else running_env(home_of(arguments))
    url, token = arguments.url or known["ASBUILT_URL"], arguments.token or known["ASBUILT_TOKEN"]
    return asyncio.run(run(records=arguments.records, url=url, token=token, out=sys.stdout))


def _migrate(_arguments: Arguments) -> int:
    from app.core.settings import load
    from sql.migrate import migrate

    settings = load("database_url")
    for name in asyncio.run(
        migrate(settings.database_url, warn=lambda told: print(f"warning: {told}", file=sys.stderr))
    ):
        print(f"applied {name}")
    print("the database is up to date", flush=True)
    return 0


def _serve(_arguments: Arguments) -> int:
    from app.core import logs
    from app.core.settings import load
    from app.main import serve

    settings = load("database_url", "automation_url", "automation_token")
    logs.configure()
    asyncio.run(serve(settings))
    return 0


def _runner(_arguments: Arguments) -> int:
    from app.core import logs
    from app.core.settings import load
    from tasks.runner import serve

    settings = load("automation_token")
    logs.configure()
    asyncio.run(serve(settings))
    return 0


def _portal(_arguments: Arguments) -> int:
    from app.core import logs
    from app.core.settings import load
    from tasks.demo_portal import serve

    settings = load("database_url")
    logs.configure()
    asyncio.run(serve(settings))
    return 0


def _env(arguments: Arguments) -> int:
    from app.local.running import running_env

    for name, value in running_env(home_of(arguments)).items():
        print(f"{name}={value}")
    return 0


def _psql(arguments: Arguments) -> int:
    from app.core.settings import environment
    from app.local.running import exec_psql

    exec_psql(home_of(arguments), arguments=arguments.arguments, env=environment())
    return 1


def _doctor(arguments: Arguments) -> int:
    from app.core.doctor import report

    return asyncio.run(report(settings_of(arguments), deep=arguments.deep, out=sys.stdout))


def _torture(arguments: Arguments) -> int:
    from app.core.settings import environment
    from app.local.torture.command import Options, run

    return run(Options(jobs=arguments.jobs, kill=arguments.kill, seed=arguments.seed), env=environment())


COMMANDS = {
    "up": _up,
    "demo": _demo,
    "migrate": _migrate,
    "serve": _serve,
    "runner": _runner,
    "portal": _portal,
    "env": _env,
    "psql": _psql,
    "doctor": _doctor,
    "torture": _torture,
    "sample": cli_sample.write,
    "token create": cli_access.create_token,
    "user create": cli_access.create_user,
    "secret-key": cli_access.make_key,
    "account set": cli_access.set_account,
    "recipe check": cli_recipe.check,
    "recipe try": cli_recipe.attempt,
    "form import": cli_form.bring_in,
    "design import": cli_design.bring_in,
    "alive": cli_setup.alive,
    "seed": cli_setup.seed,
}


if __name__ == "__main__":
    main()
