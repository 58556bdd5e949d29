"""compose.yaml as an engine reads it: anchors merged, variables filled in, dependencies in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
FILE = ROOT / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}")

Service = dict[str, Any]


def variables() -> dict[str, bool]:
    """Every variable of the file, and whether nothing starts without it."""
    found: dict[str, bool] = {}
    for match in _VARIABLE.finditer(FILE.read_text(encoding="utf-8")):
        found[match["name"]] = found.get(match["name"], False) or match["how"] == ":?"
    for each in yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"].values():
        found |= {name: False for name, value in each.get("environment", {}).items() if value is None}
    return found


def read(env: Mapping[str, str]) -> dict[str, Any]:
    """The file with `env` filled in; raises `KeyError` for a needed variable that is not there."""
    whole: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text(encoding="utf-8")), env)
    return whole


def services(env: Mapping[str, str]) -> dict[str, Service]:
    found: dict[str, Service] = read(env)["services"]
    return found


def in_order(all_of: Mapping[str, Service]) -> Iterator[str]:
    """Names, each after those that it depends on."""
    done: list[str] = []
    while len(done) < len(all_of):
        ready = [n for n, s in all_of.items() if n not in done and set(s.get("depends_on", {})) <= set(done)]
        assert ready, "services that wait for each other"
        done += ready
        yield from ready


def _filled(node: Any, env: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        # A name without a value is handed on as it stands outside, and is not there where it is not.
        filled = {key: env.get(key) if value is None else _filled(value, env) for key, value in node.items()}
        return {key: value for key, value in filled.items() if value is not None}
    if isinstance(node, list):
        return [_filled(each, env) for each in node]
    return _VARIABLE.sub(lambda match: _value(match, env), node) if isinstance(node, str) else node


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    if given := env.get(match["name"], ""):
        return given
    if match["how"] == ":?":
        raise KeyError(f"{match['name']} {match['rest']}")
    return match["rest"] or ""


def seconds(text: str) -> float:
    """A duration as compose writes it: 90s, 5m."""
    return float(text[:-1]) * {"s": 1, "m": 60}[text[-1]]
