"""The contract's OpenAPI: fresh, whole, and its examples are what the service itself would read and write."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from tasks.engines import events
from tasks.runner import openapi, refusals, routes

WRITTEN = Path(__file__).parent.parent.parent / "docs" / "automation-openapi.json"
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.text())
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
]


def schema(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "components": DOCUMENT["components"]}


def test_the_written_description_is_fresh() -> None:
    """It went stale unnoticed in every project that wrote it by hand."""
    assert WRITTEN.read_text(encoding="utf-8") == openapi.text(), (
        "run: python -m tasks.runner.openapi docs/automation-openapi.json"
    )


def test_every_call_and_every_refusal_is_described() -> None:
    assert set(openapi.CALLS) == set(routes.HANDLERS)
    known = {each for _, each in inspect.getmembers(refusals, inspect.isclass) if issubclass(each, refusals.Refusal)}
    described = {each for call in openapi.CALLS.values() for each in call.refusals}
    assert known - described == {refusals.Refusal, refusals.Unauthorised}


def test_every_event_type_is_described_by_its_own_words() -> None:
    shapes = {each for _, each in inspect.getmembers(events, inspect.isclass) if each.__module__ == events.__name__}
    assert shapes - set(events.DATA.values()) == {events.Review, events.ReadValue, events.InputField}
    for kind, shape in events.DATA.items():
        assert (shape.__doc__ or "").startswith(f"`{kind}`")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_examples_are_of_their_schema(operation: dict[str, Any]) -> None:
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [response["content"] for response in operation["responses"].values()]
    examples = 0
    for media in (media for content in contents for media in content.values()):
        shown = [media["example"]] if "example" in media else []
        shown += [each["value"] for each in media.get("examples", {}).values()]
        for example in shown:
            jsonschema_rs.validator_for(schema(media["schema"])).validate(example)
            examples += 1
    assert examples >= 1
    assert operation["summary"].endswith(".")


def test_request_examples_can_be_read_by_the_service() -> None:
    for call in openapi.CALLS.values():
        if call.body is not None:
            msgspec.json.decode(msgspec.json.encode(call.example), type=call.body)
