"""How much memory the processes of a browser take, read from /proc; where there is none, nothing is known."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def below(pid: int) -> dict[int, int]:
    """Every process below this one, by its parent's id."""
    parents: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            # The command's name stands in brackets and may hold anything, brackets too.
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    found: dict[int, int] = {}
    known = {pid}
    while fresh := {each for each, parent in parents.items() if parent in known and each not in found}:
        found |= {each: parents[each] for each in fresh}
        known |= fresh
    return found


def taken(pid: int) -> int:
    """Bytes that a process and all below it take, shared ones counted in part (PSS); 0 when nothing is known."""
    return sum(map(_pss, {pid, *below(pid)}))


def _pss(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
