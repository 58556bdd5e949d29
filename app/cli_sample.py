"""The command that writes a generated record into files, for whoever wants to send one by hand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.cli_options import Arguments

FORMS = {"pole": "pole-replacement", "fibre": "fibre-splice-closure"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`sample`."""
    sample = commands.add_parser("sample", help="write a generated record and its photos into a folder")
    sample.add_argument("folder", type=Path, metavar="FOLDER", help="made for it")
    sample.add_argument("--sample", choices=tuple(FORMS), default="pole", help="of what (default pole)")
    sample.add_argument("--project", default="demo", metavar="CODE", help="default demo")


def write(arguments: Arguments) -> int:
    """`record.json` as a phone sends it, and each photo under its name in it; 1 when the folder cannot be made."""
    from datetime import UTC, datetime

    import msgspec

    from app.local.samples import samples

    made = samples(len(FORMS), project=arguments.project, now=datetime.now(UTC))
    sample = next(each for each in made if each.form == FORMS[arguments.sample])
    folder = arguments.folder
    files = {"record.json": msgspec.json.format(sample.record, indent=2)} | {p.name: p.data for p in sample.photos}
    try:
        # Not into a folder that is there: photos of two records side by side would be sent as those of one.
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as exc:
        print(f"{folder}: {exc.strerror}", file=sys.stderr)
        return 1
    print("\n".join(str(folder / name) for name in files))
    return 0
