"""What two revisions of a record differ in: by JSON Pointer for values, by name and slot for photos. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.review.talk_schemas import Change, PhotoChange

_ABSENT: Any = object()


def changes(earlier: Any, later: Any) -> list[Change]:
    """Every value that was added, removed or changed. Lists are compared place by place."""
    return list(_compare("", earlier, later))


def photo_changes(
    earlier: Mapping[str, Mapping[str, Any]], later: Mapping[str, Mapping[str, Any]]
) -> list[PhotoChange]:
    """Photos that came, went, or took the place of another in its slot; the same name with other bytes is replaced, too.

    Bytes that had not come when a revision was made are known by what was announced, or not at all: then they don't differ.
    """
    gone = {name: photo for name, photo in earlier.items() if name not in later}
    found: list[PhotoChange] = []
    for name, photo in later.items():
        shot = photo["shot"]
        if name in earlier:
            before, after = earlier[name].get("sha256"), photo.get("sha256")
            if before and after and before != after:
                found.append(PhotoChange(kind="replaced", name=name, shot=shot, before=name))
            continue
        replaced = next((each for each, old in gone.items() if old["shot"] == shot), None)
        if replaced is not None:
            del gone[replaced]
        found.append(
            PhotoChange(kind="added" if replaced is None else "replaced", name=name, shot=shot, before=replaced)
        )
    found += [PhotoChange(kind="removed", name=name, shot=photo["shot"], before=name) for name, photo in gone.items()]
    return sorted(found, key=lambda change: (change.shot, change.name))


def _compare(pointer: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        # What stays keeps the order of the later content; what went follows.
        for key in [*after, *(key for key in before if key not in after)]:
            step = key.replace("~", "~0").replace("/", "~1")
            yield from _compare(f"{pointer}/{step}", before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            pair = (each[at] if at < len(each) else _ABSENT for each in (before, after))
            yield from _compare(f"{pointer}/{at}", *pair)
    elif before is _ABSENT:
        yield Change(kind="added", pointer=pointer, after=after)
    elif after is _ABSENT:
        yield Change(kind="removed", pointer=pointer, before=before)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Change(kind="changed", pointer=pointer, before=before, after=after)
