"""Loaded by Python itself in the processes of a mutated run: takes one guard out of one module, as it is imported.

Only ever on the path of processes that the mutation proof starts; `FAULT_MUTANT` names a file with module, old and new text.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType


class Mutator(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, old: str, new: str) -> None:
        self.module = module
        self.old = old
        self.new = new

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        source = Path(spec.origin).read_text(encoding="utf-8")
        if self.old not in source:
            sys.exit(f"the guard to take out of {fullname} is not there any more: {self.old!r}")
        loader = Mutated(spec.origin, source.replace(self.old, self.new))
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


class Mutated(importlib.abc.Loader):
    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, self.path, "exec", dont_inherit=True), module.__dict__)


if file := os.environ.get("FAULT_MUTANT"):
    sys.meta_path.insert(0, Mutator(**json.loads(Path(file).read_text(encoding="utf-8"))))
