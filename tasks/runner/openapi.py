"""The contract as OpenAPI 3.1, made from the handlers, the structs and the refusals themselves.

`python -m tasks.runner.openapi FILE` writes it; a test holds the written one against it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
from litestar.handlers import HTTPRouteHandler

from tasks.engines import events
from tasks.engines.contract import CommitGrant, Event, Health, RunSpec, RunView
from tasks.engines.wire import ErrorEnvelope
from tasks.runner import refusals, routes
from tasks.runner.artifacts import Artifact
from tasks.runner.refusals import Refusal

Json = dict[str, object]

_RUN, _JOB, _RECORD = (
    "run_5c1d3a9e0b7f42d68a10",
    "0199c3f2-6f6e-7c1a-9a53-2d1b8f0a7e11",
    "0199c3f2-6f6e-7b02-8d4c-5f1f3f8f9c20",
)
_TOKEN = "3QmZ7m0v1v2JcQ0q6B2q9n8uKp1tYw5d"  # noqa: S105 - an example
_SPEC: Json = {
    "job_id": _JOB,
    "record_id": _RECORD,
    "attempt": 1,
    "portal": "npl",
    "account": "default",
    "recipe": "npl-asbuilt",
    "recipe_version": 1,
    "external_ref": "AB-7F3K2Q",
    "inputs": {"work_order": "WO-48213", "pole_height_ft": 45, "lat": 44.4601, "lon": -93.1623},
    "files": [
        {
            "id": "full_pole-1",
            "name": "full_pole-1.jpg",
            "mime": "image/jpeg",
            "size": 184211,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "url": "http://127.0.0.1:8000/api/automation/photos/full_pole-1",
        }
    ],
    "commit": "gated",
    "deadline": "2026-11-24T10:19:55Z",
    "screenshots": "steps",
}
_VIEW: Json = {
    "id": _RUN,
    "key": f"{_JOB}.1",
    "attempt": 1,
    "status": "running",
    "last_seq": 12,
    "created_at": "2026-11-24T10:13:55.292Z",
    "step": {"index": 2, "total": 5, "id": "job", "label": "Job"},
}
_EVENT: Json = {
    "seq": 17,
    "run_id": _RUN,
    "type": "step.confirmed",
    "at": "2026-11-24T10:13:58.120Z",
    "attempt": 1,
    "data": {"id": "job", "outputs": {"draft": "D00012"}, "input_hash": "5f1d7a84db00d2fce00b31a7fc73224f"},
}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler's signature does not say: its body, what it answers (by status), and what it refuses."""

    answers: dict[int, tuple[str, object]]
    body: type | None = None
    example: Json | None = None
    shown: object = None
    refusals: tuple[type[Refusal], ...] = ()
    parameters: tuple[Json, ...] = ()


def _header(name: str, description: str, *, required: bool = False) -> Json:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _query(name: str, description: str, *, kind: str = "string", required: bool = False) -> Json:
    schema = {"type": kind}
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


_KEY = _header("Idempotency-Key", "1 to 255 visible ASCII characters; one key is one run.", required=True)
_FOLLOW = (
    _query("after", "Only events with a greater seq.", kind="integer"),
    _query("wait", "0: one plain page of what there is now.", kind="integer"),
    _header("Last-Event-ID", "With `Accept: text/event-stream`: as `after`."),
)

CALLS: dict[HTTPRouteHandler, Call] = {
    routes.start_run: Call(
        answers={201: ("The run was started.", RunView), 200: ("The run of this key, which was there.", RunView)},
        body=RunSpec,
        example=_SPEC,
        shown=_VIEW | {"status": "queued", "last_seq": 1, "step": None},
        refusals=(
            refusals.KeyRequired,
            refusals.KeyTaken,
            refusals.RecipeUnknown,
            refusals.PortalUnknown,
            refusals.SecretsUnavailable,
            refusals.Stopping,
        ),
        parameters=(_KEY,),
    ),
    routes.find_run: Call(
        answers={200: ("The run of this key.", RunView)},
        shown=_VIEW,
        refusals=(refusals.NotThere,),
        parameters=(_query("key", "The key of its start.", required=True),),
    ),
    routes.show_run: Call(answers={200: ("The run.", RunView)}, shown=_VIEW, refusals=(refusals.NotThere,)),
    routes.follow_run: Call(
        answers={200: ("One JSON object a line, or server-sent events; a heartbeat has no seq.", Event)},
        shown=_EVENT,
        refusals=(refusals.NotThere,),
        parameters=_FOLLOW,
    ),
    routes.commit_run: Call(
        answers={200: ("The run; its events tell what became of the request.", RunView)},
        body=CommitGrant,
        example={"token": _TOKEN, "attempt": 1, "decision": "submit"},
        shown=_VIEW,
        refusals=(refusals.NotThere, refusals.NotAwaiting, refusals.FencedOut, refusals.CommitTokenExpired),
    ),
    routes.answer_run: Call(
        answers={200: ("The run, which goes on.", RunView)},
        body=routes.AnswerBody,
        example={"values": {"answer": "287082"}},
        shown=_VIEW,
        refusals=(
            refusals.NotThere,
            refusals.InputUnknown,
            refusals.InputAnswered,
            refusals.InputExpired,
            refusals.InputInvalid,
        ),
    ),
    routes.cancel_run: Call(
        answers={202: ("The run, ended or about to.", RunView)},
        body=routes.CancelBody,
        example={"reason": "cancelled by a person"},
        shown=_VIEW | {"status": "cancelled"},
        refusals=(refusals.NotThere, refusals.CommitUnderWay),
    ),
    routes.list_artifacts: Call(
        answers={200: ("Oldest first.", list[Artifact])},
        shown=[
            {"id": f"{_RUN}-1", "url": f"/v1/artifacts/{_RUN}-1", "kind": "frame", "mime": "image/jpeg", "size": 31022}
        ],
        refusals=(refusals.NotThere,),
    ),
    routes.show_artifact: Call(answers={200: ("Its bytes.", bytes)}, refusals=(refusals.NotThere,)),
    routes.search: Call(
        answers={
            200: (
                "What the portal said; only an answer that was really read counts.",
                (routes.FoundReply, routes.AbsentReply),
            )
        },
        body=routes.LookupBody,
        example={"portal": "npl", "account": "default", "external_ref": "AB-7F3K2Q"},
        shown={
            "found": True,
            "confirmation_number": "NPL-2026-000101",
            "submitted_at": None,
            "evidence_url": "http://127.0.0.1:8020/submissions?q=AB-7F3K2Q",
        },
        refusals=(refusals.PortalUnknown, refusals.LookupUnsupported, refusals.LookupFailed),
    ),
    routes.health: Call(
        answers={200: ("What the service can do now.", Health)},
        shown={"browser": "chromium-headless-shell", "free_slots": 6, "portals": ["npl"]},
    ),
}


def document() -> Json:
    """The whole description."""
    shapes = [RunSpec, RunView, Event, ErrorEnvelope, *_bodies(), *events.DATA.values()]
    _, components = _schemas(shapes)
    paths: dict[str, Json] = {}
    for handler, call in CALLS.items():
        [path] = handler.paths
        method = next(iter(handler.http_methods)).lower()
        paths.setdefault(re.sub(r":\w+}", "}", path), {})[method] = _operation(handler, call, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Asbuilt automation contract",
            "version": "1",
            "description": "What the worker needs of an automation service; see automation-contract.md for the rules.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": components | _event_types(),
        },
    }


def text() -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=1).decode() + "\n"


def _bodies() -> list[object]:
    answers = [shape for call in CALLS.values() for _, shape in call.answers.values() if shape is not bytes]
    plain = [each for shape in answers for each in (shape if isinstance(shape, tuple) else (shape,))]
    return [*plain, *(call.body for call in CALLS.values() if call.body is not None)]


def _ref(shape: object) -> object:
    """The schema of a type; several in a tuple are alternatives."""
    if isinstance(shape, tuple):
        return {"oneOf": [_ref(each) for each in shape]}
    [schema], _ = _schemas([shape])
    return schema


def _schemas(shapes: list[object]) -> tuple[tuple[dict[str, object], ...], dict[str, object]]:
    """Schemas of types, and the named ones among them; `object` is anything that JSON can say."""
    return msgspec.json.schema_components(
        shapes,
        ref_template="#/components/schemas/{name}",
        schema_hook=lambda _anything: {"description": "Any JSON value."},
    )


def _event_types() -> Json:
    """One schema an event type, beside the envelope that all have."""
    return {
        f"Event.{kind}": {
            "allOf": [
                {"$ref": "#/components/schemas/Event"},
                {"properties": {"type": {"const": kind}, "data": _ref(data)}},
            ]
        }
        for kind, data in events.DATA.items()
    }


def _operation(handler: HTTPRouteHandler, call: Call, path: str) -> Json:
    names = re.findall(r"{(\w+):", path)
    parameters: list[object] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    responses: Json = {
        str(status): {"description": words, "content": _content(shape, call.shown)}
        for status, (words, shape) in call.answers.items()
    }
    operation: Json = {
        "operationId": handler.handler_name,
        "summary": (handler.fn.__doc__ or "").strip(),
        "parameters": parameters + list(call.parameters),
        "responses": responses | _refused(call),
    }
    if call.body is not None:
        media = {"schema": _ref(call.body), "example": call.example}
        operation["requestBody"] = {"required": True, "content": {"application/json": media}}
    return operation


def _content(shape: object, shown: object) -> Json:
    if shape is bytes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {"image/jpeg": binary, "text/html": binary, "text/plain": binary}
    if shape is Event:
        schema = {"oneOf": [{"$ref": f"#/components/schemas/Event.{kind}"} for kind in events.DATA]}
        return {"application/x-ndjson": {"schema": schema, "example": shown}, "text/event-stream": {"schema": schema}}
    return {"application/json": {"schema": _ref(shape), "example": shown}}


def _refused(call: Call) -> Json:
    """By status; one status may have several codes."""
    every = (refusals.Unauthorised, *call.refusals, *((Refusal,) if call.body is not None else ()))
    found: dict[str, list[type[Refusal]]] = {}
    for each in every:
        found.setdefault(str(each.status), []).append(each)
    return {
        status: {
            "description": " · ".join(f"{each.code}: {(each.__doc__ or '').strip()}" for each in kinds),
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ErrorEnvelope"},
                    "examples": {each.code: {"value": _envelope(each)} for each in kinds},
                }
            },
        }
        for status, kinds in sorted(found.items())
    }


def _envelope(kind: type[Refusal]) -> Json:
    message = (kind.__doc__ or "").strip()
    return {"error": {"code": kind.code, "message": message, "class": kind.error_class}}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
