"""Secrets in files, as containers are given them: a variable `DATABASE_URL_FILE` names the file that holds `DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def read(env: Mapping[str, str], names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The environment with these variables in place of their files; and a sentence for each that cannot be, which never says
    what is in a file."""
    filled, problems = dict(env), list[str]()
    for name in names:
        path = env.get(f"{name}_FILE", "")
        if not path:
            continue
        if env.get(name):
            problems.append(f"{name} and {name}_FILE are both set")
            continue
        try:
            filled[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no text"
            problems.append(f"{name}_FILE is {path!r}, which cannot be read: {why}")
            continue
        if not filled[name]:
            problems.append(f"{name}_FILE is {path!r}, which is empty")
            continue
        # A child that is given another value beside it would be told that both are set.
        del filled[f"{name}_FILE"]
    return filled, problems
