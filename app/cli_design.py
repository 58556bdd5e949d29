"""The command about designs: its arguments, and its way into the import when it is called."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from app.cli_options import Arguments, add_home, settings_of


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`design import`."""
    design = commands.add_parser("design", help="what projects plan to have built").add_subparsers(
        dest="verb", required=True
    )
    imports = design.add_parser("import", help="store planned assets from CSV or GeoJSON, all of them or none")
    imports.set_defaults(command="design import")
    imports.add_argument("file", type=Path, metavar="FILE", help="the whole plan")
    imports.add_argument("--project", required=True, metavar="CODE", help="whose plan it is")
    imports.add_argument("--dry-run", action="store_true", help="say what would change, and store nothing")
    add_home(imports)


def bring_in(arguments: Arguments) -> int:
    """Import the file; 1 when it cannot be taken, with every reason and its line on standard error."""
    from app.intake.design import reading
    from app.intake.design.assets import DesignRefused
    from app.intake.design.service import store_design

    try:
        assets = reading.read(arguments.file)
    except DesignRefused as exc:
        print("\n".join(map(str, exc.flaws)), file=sys.stderr)
        more = exc.count - len(exc.flaws)
        print(f"{f'and {more:,} more; ' if more else ''}nothing was stored", file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"{arguments.file}: {exc.strerror}", file=sys.stderr)
        return 1
    done = asyncio.run(
        store_design(
            settings_of(arguments).database_url,
            assets,
            project=arguments.project,
            source=arguments.file.name,
            actor="command line",
            dry_run=arguments.dry_run,
        )
    )
    if done.uncompared:
        print(f"no form compares: {', '.join(done.uncompared)}", file=sys.stderr)
    counts = f"{done.new:,} new, {done.changed:,} changed, {done.same:,} the same"
    rest = f"; {done.besides:,} not in the file, kept" if done.besides else ""
    print(f"{'would be: ' if arguments.dry_run else ''}{counts}{rest}")
    return 0
