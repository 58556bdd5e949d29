"""The commands about recipes: their arguments, and their way into the automation service's code when they are called."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import UUID

from app.cli_options import Arguments, add_home, home_of


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`recipe check` and `recipe try`."""
    recipe = commands.add_parser("recipe", help="recipes: how records are keyed into a portal")
    verbs = recipe.add_subparsers(dest="verb", required=True)
    checks = verbs.add_parser("check", help="find everything that is wrong with recipes; exit 0 when nothing is")
    checks.set_defaults(command="recipe check")
    checks.add_argument("files", nargs="+", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    checks.add_argument("--form", default="", metavar="KEY", help="also check the fields against this form")
    tries = verbs.add_parser("try", help="key one record up to the gate, and submit nothing")
    tries.set_defaults(command="recipe try")
    tries.add_argument("file", type=Path, metavar="FILE", help="TOML, or JSON by its name")
    tries.add_argument("--record", type=UUID, metavar="ID", help="a stored record (default: a generated one)")
    tries.add_argument("--sample", choices=("pole", "fibre"), default="pole", help="the generated one (default pole)")
    tries.add_argument("--url", default="", metavar="PORTAL_URL", help="of the portal (default: the demo portal's)")
    tries.add_argument("--browser", action="store_true", help="in Chromium instead of over plain HTTP")
    tries.add_argument("--commit", action="store_true", help="pass the gate: really submit")
    tries.add_argument("--frames", type=Path, default=Path("frames"), metavar="DIR", help="for the pictures")
    add_home(tries)


def check(arguments: Arguments) -> int:
    """Report on the files; 1 when one has an error."""
    from tasks.runner.recipe_report import report

    return report(arguments.files, form=arguments.form, out=sys.stdout)


def attempt(arguments: Arguments) -> int:
    """Try the file; 1 when the run does not come to its end, or cannot begin."""
    from app.core.settings import environment, load
    from app.local.running import running_env
    from tasks.runner.recipe_file import RecipeProblem
    from tasks.runner.trying import Options, Refused, try_out

    env = environment()
    if arguments.home is not None or not (arguments.url or env.get("ASBUILT_PORTAL_URL")):
        env |= running_env(home_of(arguments))
    options = Options(
        file=arguments.file,
        record=arguments.record,
        sample=arguments.sample,
        url=arguments.url,
        browser=arguments.browser,
        commit=arguments.commit,
        frames=arguments.frames,
    )
    try:
        return asyncio.run(try_out(options, settings=load(env=env), out=sys.stdout))
    except (Refused, RecipeProblem) as exc:
        print(exc, file=sys.stderr)
        return 1
