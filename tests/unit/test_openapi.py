"""The description of the API: fresh, whole, and its examples are what the service itself reads and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from app import openapi
from app.core.openapi import examples
from app.intake import decode
from app.intake.schemas import PhotoManifest, RecordDocument

WRITTEN = Path(__file__).parent.parent.parent / "docs" / "openapi.json"
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.text())
OPERATIONS: dict[str, Any] = {
    operation["operationId"]: operation for methods in DOCUMENT["paths"].values() for operation in methods.values()
}


def validate(schema: dict[str, Any], shown: Any, where: str) -> None:
    errors = jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}).iter_errors(shown)
    found = [f"{error.instance_path}: {error.message}" for error in errors]
    assert found == [], f"{where}: run python -m tests.web.tour app/core/openapi_examples.json"


def test_the_written_description_is_fresh() -> None:
    """A description that is older than the code makes clients that fail."""
    assert WRITTEN.read_text(encoding="utf-8") == openapi.text(), "run: python -m app.openapi docs/openapi.json"


def test_every_example_is_of_its_schema_and_of_an_operation() -> None:
    for name, shown in examples().items():
        operation = OPERATIONS[name]
        for status, answer in shown["answers"].items():
            content = operation["responses"][status]["content"]["application/json"]
            assert content["example"] == answer
            validate(content["schema"], answer, f"{name} {status}")
        body = operation.get("requestBody", {}).get("content", {})
        assert ("request" in shown) == bool(body.keys() & {"application/json", "multipart/form-data"}), name
        for media in body.values():
            if "example" in media:
                validate(media["schema"], media["example"], f"{name} request")


def test_every_answer_of_json_has_an_example() -> None:
    """Whoever adds a route walks through it: tests/web/tour.py, then its command."""
    without = [
        f"{name} {status}"
        for name, operation in OPERATIONS.items()
        for status, answer in operation["responses"].items()
        if status < "300" and "example" not in answer.get("content", {}).get("application/json", {"example": None})
    ]
    assert without == []


def test_problems_are_examples_of_their_shape() -> None:
    schema = DOCUMENT["components"]["schemas"]["ProblemBody"]
    for name, shown in DOCUMENT["components"]["examples"].items():
        validate(schema, shown["value"], name)
        assert name == f"{shown['value']['code']}-{shown['value']['retry']}"


def test_every_operation_says_what_it_answers_and_refuses() -> None:
    for name, operation in OPERATIONS.items():
        statuses = operation["responses"].keys()
        assert any(status.startswith("2") for status in statuses), name
        assert ("401" in statuses) or operation.get("security") == [], name
        assert "503" in statuses, name
        assert operation["summary"], name
        for status, response in operation["responses"].items():
            if status >= "400" and not (name == "get_ready" and status == "503"):
                assert list(response["content"]) == ["application/problem+json"], (name, status)


def test_the_document_of_a_record_has_the_members_that_are_read() -> None:
    assert RecordDocument.__struct_fields__ == decode.Record.__struct_fields__
    assert PhotoManifest.__struct_fields__ == decode.Photo.__struct_fields__
