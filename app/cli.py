"""The command line: reads arguments, starts what is asked for, turns trouble into a sentence and an exit code.

The work itself lives elsewhere and is imported only when its command is called, so that each command starts fast.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app import cli_design, cli_form, cli_recipe

if TYPE_CHECKING:
    from app.core.auth import Role
    from app.core.settings import Settings
    from app.local.home import Home

PRESETS = ("calm", "realistic", "bad-day")
SCOPES = ("upload", "read", "review", "operate")
ROLES = ("viewer", "reviewer", "operator", "admin")


class Arguments(argparse.Namespace):
    """Every option of every command, typed."""

    command: str
    port: int
    home: Path | None
    preset: str
    no_browser: bool
    verbose: bool
    deep: bool
    jobs: int
    kill: float
    seed: int
    records: int
    url: str
    token: str
    arguments: list[str]
    project: str
    scope: list[list[str]]
    label: str
    email: str
    name: str
    role: Role
    portal: str
    account: str
    user: str
    password: str
    password_file: Path | None
    totp_file: Path | None


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of `asbuilt`; ends the process."""
    arguments = parser().parse_args(sys.argv[1:] if argv is None else argv, namespace=Arguments())
    sys.exit(_guarded(arguments))


def _guarded(arguments: Arguments) -> int:
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
    except Problem as exc:
        print(exc.detail, file=sys.stderr)
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
    _add_home(up)
    up.add_argument("--preset", choices=PRESETS, default="calm", help="manners of the demo portal (default calm)")
    up.add_argument("--no-browser", action="store_true", help="don't open the page")
    up.add_argument("-v", "--verbose", action="store_true", help="show what the processes log")
    demo = commands.add_parser("demo", help="upload generated records and watch them reach the portal")
    demo.add_argument("--records", type=_count, default=10, metavar="N", help="how many (default 10)")
    demo.add_argument("--url", default="", help="of the API (default: the local stack)")
    demo.add_argument("--token", default="", help="of scope upload (default: the local stack's)")
    _add_home(demo)
    commands.add_parser("migrate", help="bring the database of DATABASE_URL up to date")
    commands.add_parser("serve", help="run the API and the dashboard")
    commands.add_parser("runner", help="run the automation service")
    commands.add_parser("portal", help="run the demo portal")
    _add_home(commands.add_parser("env", help="the running local stack's settings, as NAME=value lines"))
    doctor = commands.add_parser("doctor", help="check the whole installation; exit 0 when nothing is wrong")
    doctor.add_argument("--deep", action="store_true", help="read every stored file, not only its size")
    _add_home(doctor)
    torture = commands.add_parser("torture", help="submit under faults with the guard and without, and count")
    torture.add_argument("--jobs", type=_count, default=24, metavar="N", help="records in each half (default 24)")
    torture.add_argument("--kill", type=_share, default=0.4, metavar="P", help="attempts that are struck (default 0.4)")
    torture.add_argument("--seed", type=int, default=0, help="repeats the faults of an earlier run")
    psql = commands.add_parser("psql", help="psql on the running local stack's database")
    _add_home(psql)
    psql.add_argument("arguments", nargs="*", help="for psql itself, after --")
    _add_access(commands)
    _add_secrets(commands)
    cli_recipe.add(commands, home=_add_home)
    cli_form.add(commands, home=_add_home)
    cli_design.add(commands, home=_add_home)
    return top


def _add_access(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = commands.add_parser("token", help="tokens of devices").add_subparsers(dest="verb", required=True)
    create = token.add_parser("create", help="a new device with a token; prints the token")
    create.set_defaults(command="token create")
    create.add_argument("--project", required=True, metavar="CODE")
    create.add_argument("--scope", required=True, action="extend", nargs="+", type=_scopes, help=", ".join(SCOPES))
    create.add_argument("--label", default="command line", help="what the device is called")
    _add_home(create)
    user = commands.add_parser("user", help="accounts of people").add_subparsers(dest="verb", required=True)
    create = user.add_parser("create", help="a person with a role in a project; prints the password")
    create.set_defaults(command="user create")
    create.add_argument("--email", required=True)
    create.add_argument("--name", default="", help="default: the address")
    create.add_argument("--project", required=True, metavar="CODE")
    create.add_argument("--role", choices=ROLES, default="viewer")
    _add_home(create)


def _add_secrets(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("secret-key", help="a new key for ASBUILT_SECRET_KEY")
    account = commands.add_parser("account", help="our accounts at portals").add_subparsers(dest="verb", required=True)
    put = account.add_parser("set", help="keep an account's credentials where the automation service reads them")
    put.set_defaults(command="account set")
    put.add_argument("--portal", required=True, metavar="KEY")
    put.add_argument("--account", default="default", metavar="LABEL", help="default: default")
    put.add_argument("--user", required=True, help="the user's name, or a reference: env:NAME, file:/path")
    given = put.add_mutually_exclusive_group(required=True)
    given.add_argument("--password-file", type=Path, metavar="FILE", help="its content is sealed; - is standard input")
    given.add_argument("--password", metavar="REFERENCE", default="", help="env:NAME or file:/path, read at use")
    put.add_argument("--totp-file", type=Path, metavar="FILE", help="the authenticator's secret in base32, sealed")
    put.add_argument("--url", default="", help="the portal's address, when it is new")
    _add_home(put)


def _add_home(command: argparse.ArgumentParser) -> None:
    command.add_argument("--home", type=Path, metavar="DIR", help="of the local stack (default: your data directory)")


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


def _scopes(text: str) -> list[str]:
    scopes = text.split(",")
    if not set(scopes) <= set(SCOPES):
        raise argparse.ArgumentTypeError(f"a scope is one of {', '.join(SCOPES)}")
    return scopes


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


def _home(arguments: Arguments) -> Home:
    from app.core.settings import environment
    from app.local.home import locate

    return locate(arguments.home, env=environment(), platform=sys.platform, user_home=Path.home())


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
        home=_home(arguments),
        port=arguments.port,
        preset=arguments.preset,
        browser=not arguments.no_browser,
        verbose=arguments.verbose,
    )
    return run(options, env=environment())


def _demo(arguments: Arguments) -> int:
    from app.local.demo import run
    from app.local.running import running_env

    known = {} if arguments.url and arguments.token else running_env(_home(arguments))
    url, token = arguments.url or known["ASBUILT_URL"], arguments.token or known["ASBUILT_TOKEN"]
    return asyncio.run(run(records=arguments.records, url=url, token=token, out=sys.stdout))


def _migrate(_arguments: Arguments) -> int:
    from app.core.settings import load
    from sql.migrate import migrate

    settings = load("database_url")
    for name in asyncio.run(migrate(settings.database_url)):
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

    for name, value in running_env(_home(arguments)).items():
        print(f"{name}={value}")
    return 0


def _psql(arguments: Arguments) -> int:
    from app.core.settings import environment
    from app.local.running import exec_psql

    exec_psql(_home(arguments), arguments=arguments.arguments, env=environment())
    return 1


def _doctor(arguments: Arguments) -> int:
    from app.core.doctor import report

    return asyncio.run(report(_settings(arguments), deep=arguments.deep, out=sys.stdout))


def _torture(arguments: Arguments) -> int:
    from app.core.settings import environment
    from app.local.torture.command import Options, run

    return run(Options(jobs=arguments.jobs, kill=arguments.kill, seed=arguments.seed), env=environment())


def _token_create(arguments: Arguments) -> int:
    from app.local.grant import token

    scopes = sorted({scope for group in arguments.scope for scope in group})
    made = token(_settings(arguments).database_url, project=arguments.project, scopes=scopes, label=arguments.label)
    print(asyncio.run(made))
    return 0


def _user_create(arguments: Arguments) -> int:
    from app.local.grant import user

    name = arguments.name or arguments.email
    made = user(
        _settings(arguments).database_url,
        email=arguments.email,
        name=name,
        project=arguments.project,
        role=arguments.role,
    )
    print(asyncio.run(made))
    return 0


def _secret_key(_arguments: Arguments) -> int:
    from app.core.vault import new_key

    print(new_key())
    return 0


def _account_set(arguments: Arguments) -> int:
    from app.core.settings import environment
    from app.local.accounts import set_account

    kept = set_account(
        _home(arguments) if arguments.home is not None else None,
        portal=arguments.portal,
        label=arguments.account,
        user=arguments.user,
        password=arguments.password,
        password_file=arguments.password_file,
        totp_file=arguments.totp_file,
        url=arguments.url,
        env=environment(),
    )
    print(f"kept in {kept}; the automation service reads it at its next start", file=sys.stderr)
    return 0


def _settings(arguments: Arguments) -> Settings:
    """The local stack's with `--home`, or where no `DATABASE_URL` is set."""
    from app.core.settings import environment, load
    from app.local.running import running_env

    env = environment()
    if arguments.home is not None or not env.get("DATABASE_URL"):
        env |= running_env(_home(arguments))
    return load("database_url", env=env)


def _form_import(arguments: Arguments) -> int:
    return cli_form.bring_in(arguments, database_url=lambda: _settings(arguments).database_url)


def _design_import(arguments: Arguments) -> int:
    return cli_design.bring_in(arguments, database_url=lambda: _settings(arguments).database_url)


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
    "token create": _token_create,
    "user create": _user_create,
    "secret-key": _secret_key,
    "account set": _account_set,
    "recipe check": cli_recipe.check,
    "recipe try": cli_recipe.attempt,
    "form import": _form_import,
    "design import": _design_import,
}


if __name__ == "__main__":
    main()
