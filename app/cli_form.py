"""The commands about forms: their arguments, and their way into the translation when they are called."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from app.cli_options import Arguments, add_home, settings_of


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`form import`."""
    form = commands.add_parser("form", help="forms: what crews fill in").add_subparsers(dest="verb", required=True)
    imports = form.add_parser("import", help="store an XLSForm as a form version; prints what it became")
    imports.set_defaults(command="form import")
    imports.add_argument("file", type=Path, metavar="FILE.xlsx", help="the workbook")
    imports.add_argument("--project", required=True, metavar="CODE", help="whose work it is for, on record")
    imports.add_argument("--dry-run", action="store_true", help="print the definition as JSON and store nothing")
    add_home(imports)


def bring_in(arguments: Arguments) -> int:
    """Import the file; 1 when it cannot be taken over whole, with every reason on standard error."""
    import msgspec

    from app.core.errors import ProjectUnknown
    from app.intake.form_import import FormTaken, store_form
    from app.intake.xlsform import XlsFormProblem, translate

    try:
        found = translate(arguments.file)
    except XlsFormProblem as exc:
        print("\n".join(map(str, exc.findings)), file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"{arguments.file}: {exc.strerror}", file=sys.stderr)
        return 1
    for note in found.notes:
        print(note, file=sys.stderr)
    if arguments.dry_run:
        print(msgspec.json.format(msgspec.json.encode(found.form)).decode())
        return 0
    try:
        stored = asyncio.run(
            store_form(
                settings_of(arguments).database_url,
                found.form,
                fixed_version=found.has_version,
                project=arguments.project,
                actor="command line",
                source=arguments.file.name,
            )
        )
    except ProjectUnknown as exc:
        print(exc.detail, file=sys.stderr)
        return 1
    except FormTaken as exc:
        print(f"{exc}; raise `version` on the settings sheet.", file=sys.stderr)
        return 1
    what = "stored" if stored.new else "there already"
    print(f"{found.form.form_key} version {stored.version}: {what}")
    return 0
