"""`python -m tests.fuzz TARGET [libFuzzer's own arguments]`: lets atheris feed one target, guided by what it reaches."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    with atheris.instrument_imports(include=["app", "multipart", "tests.fuzz"]):
        from tests.fuzz import targets
    target = targets.TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
