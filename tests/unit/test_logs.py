"""The log as those read it who search it by event: every event stands in docs/logs.md, and no line holds what was keyed."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.core import logs
from tests.unit.test_layout import product

PAGE = Path(__file__).parent.parent.parent / "docs" / "logs.md"
_ROW = re.compile(r"^\| (?P<events>`[^|]+) \| (?P<levels>[a-z, ]+) \|(?P<keys>[^|]*)\|", re.MULTILINE)
_EVENT = re.compile(r"[a-z]+\.[a-z_]+")
NAME = "M. Okafor"
SPREAD = {"said", "attempt", "told(exc)", "_said(aside)"}
"""What is spread into a line's fields; the canary test reads real lines against the page."""


def documented() -> dict[str, set[str]]:
    """Every event of the page with its keys."""
    found: dict[str, set[str]] = {}
    for row in _ROW.finditer(PAGE.read_text(encoding="utf-8")):
        for event in re.findall(r"`([^`]+)`", row["events"]):
            assert event not in found, f"{event} stands twice"
            found[event] = set(re.findall(r"`([^`]+)`", row["keys"]))
    return found


def written() -> Iterator[tuple[str, set[str]]]:
    """Every event of the code with the keys that stand beside it."""
    for path in product():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                yield from _of_dict(node)
            elif isinstance(node, ast.Call):
                yield from _handed_on(node)


def _of_dict(node: ast.Dict) -> Iterator[tuple[str, set[str]]]:
    keys = {
        key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }
    events = [text for text in _texts(keys["event"]) if _EVENT.fullmatch(text)] if "event" in keys else []
    if not events:
        return
    spread = {ast.unparse(value) for key, value in zip(node.keys, node.values, strict=True) if key is None}
    assert spread <= SPREAD, f"{ast.unparse(node)}: name what it spreads in SPREAD"
    for event in events:
        yield event, set(map(str, keys)) - {"event"}


def _handed_on(node: ast.Call) -> Iterator[tuple[str, set[str]]]:
    """Events that a function logs for its callers."""
    named = [keyword.value for keyword in node.keywords if keyword.arg == "event"]
    if ast.unparse(node.func) in {"self._unfit", "self._log"}:
        named += node.args[:2]
    for value in named:
        yield from ((event, set()) for event in _texts(value) if _EVENT.fullmatch(event))


def _texts(node: ast.expr) -> list[str]:
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def test_every_event_of_the_code_stands_on_the_page_with_its_keys() -> None:
    """An alert that is written for an event of the page must not wait for one that nobody logs any more."""
    page = documented()
    code = list(written())
    assert len(code) > 80
    assert {event for event, _ in code} == set(page)
    missing = {event: keys - page[event] for event, keys in code if not keys <= page[event]}
    assert missing == {}


def test_the_line_that_the_page_shows_is_one_of_its_events() -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    line = msgspec.json.decode(shown[1], type=dict[str, object])
    always = {"time", "level", "logger", "event", "message", "job", "queue_row", "attempt"}
    assert set(line) <= always | documented()[str(line["event"])]


def formatted(record: logging.LogRecord) -> dict[str, object]:
    return msgspec.json.decode(logs.JsonFormatter().format(record), type=dict[str, object])


def a_record(**changed: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "asbuilt.test", "msg": "it happened", "levelno": 20, "levelname": "INFO"} | changed
    )


def test_a_traceback_has_kinds_and_frames_and_no_value() -> None:
    def read(text: str) -> None:
        try:
            int(text)
        except ValueError as exc:
            raise ExceptionGroup(text, [KeyError(text), exc]) from exc

    try:
        read(NAME)
    except ExceptionGroup:
        line = formatted(a_record(exc_info=sys.exc_info(), event="http.internal"))
    said = str(line["traceback"])
    assert NAME not in str(line)
    assert "in read" in said
    assert [kind for kind in ("ValueError", "KeyError", "ExceptionGroup") if kind not in said] == []
    assert said.index("which led to") > said.index("ValueError")


def test_a_traceback_without_end_is_short() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as raised:
        deeper()
    assert len(logs.frames(raised.value)) < 50


async def test_a_lost_task_is_said_without_what_it_lost() -> None:
    """asyncio's message shows the exception of the task, and so the value that it was about."""
    lines: list[dict[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(formatted(record))

    keep = Keep()
    logging.getLogger("asyncio").addHandler(keep)
    try:
        context = {
            "message": "Task exception was never retrieved",
            "exception": ValueError("M. Okafor"),
            "task": "M. Okafor",
        }
        asyncio.get_running_loop().default_exception_handler(context)
    finally:
        logging.getLogger("asyncio").removeHandler(keep)
    assert [line["message"] for line in lines] == ["Task exception was never retrieved"]
    assert NAME not in str(lines)


async def test_a_line_says_what_it_is_about_also_in_tasks_that_were_started_inside() -> None:
    async def elsewhere() -> dict[str, object]:
        return formatted(a_record())

    with logs.about(request="r1"):
        task = asyncio.create_task(elsewhere())
        with logs.about(job="j1"):
            inner = formatted(a_record(job="j2"))
    outer = formatted(a_record())
    assert (await task)["request"] == inner["request"] == "r1"
    assert inner["job"] == "j2"  # a line's own word stands
    assert "request" not in outer
