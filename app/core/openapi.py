"""The API described (OpenAPI 3.1): from the handlers, their types, and the problems they may answer with.

A handler says what its signature does not, in its own decorator:
`problems` it raises · `answers`, words by status · `body`, shapes by media type · `media` of an answer that is no JSON ·
`headers` it reads, with words · `tagged` when it answers 304 · `receipted` with Asbuilt-Receipt. Examples are real answers, in `openapi_examples.json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute

from app.core import catalogue, errors
from app.core.errors import Problem
from app.core.heads import implied
from app.core.problems import MEDIA_TYPE, ProblemBody, encode
from app.core.shapes import Shapes

Json = dict[str, Any]

ABOUT = (
    "As-built records from the field, with the automation that re-keys them into a customer's portal. Errors are "
    "`application/problem+json` (RFC 9457); a client decides on `retry`: never, same, after, fix. HEAD answers as GET does, "
    "without the body, everywhere but at the stream."
)
SECURITY: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "A device's token: `abk_…`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-asbuilt",
        "description": "A person's session. What changes something also needs `X-CSRF-Token` and exactly JSON.",
    },
}
_HEADERS: Json = {
    "RequestId": {"description": "The request's name in our log.", "schema": {"type": "string"}},
    "ETag": {"description": "The version of this answer.", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "string"}},
    "Receipt": {
        "description": "The SHA-256 of what was stored, in hex: of the record's JSON as it was sent, or of the whole photo.",
        "schema": {"type": "string"},
    },
}
_REQUEST_ID = "5f1c0c3ed5d34a3fb2c9c8a5b8f2c2f1"
_BINARY: Json = {"type": "string", "format": "binary"}


class Parts(NamedTuple):
    """A multipart body: one part of JSON, and files under names of the client's own."""

    name: str
    shape: type


class _Operation(NamedTuple):
    path: str
    method: str
    handler: HTTPRouteHandler


class Described(JsonRenderPlugin):
    """Serves the description; it is made when it is first asked for."""

    def __init__(self) -> None:
        super().__init__(path=["/", "/openapi.json"])
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._made is None:
            self._made = msgspec.json.encode(complete(request.app, openapi_schema))
        return self._made


def config() -> OpenAPIConfig:
    """How the application is told to describe itself."""
    return OpenAPIConfig(
        title="Asbuilt",
        version="0.1.0",
        description=ABOUT,
        path="/api/schema",
        create_examples=False,
        # Its own one gives a handler one name for both of its methods, and refuses that then; ours come with `complete`.
        operation_id_creator=lambda handler, method, parts: f"{method} {parts} {handler.handler_name}",
        render_plugins=[Described()],
    )


def text(app: Litestar) -> str:
    """The description as it is written to a file."""
    made = complete(app, app.openapi_schema.to_schema())
    return msgspec.json.format(msgspec.json.encode(made), indent=1).decode() + "\n"


def examples() -> dict[str, Any]:
    """Real requests and answers by operation: `{"request": …, "answers": {"201": …}}`."""
    found: dict[str, Any] = msgspec.json.decode(files("app.core").joinpath("openapi_examples.json").read_bytes())
    return found


def complete(app: Litestar, base: Json) -> Json:
    """Litestar's description with everything it cannot know."""
    operations = sorted(_operations(app), key=lambda each: each[:2])
    shown = examples()
    shapes = Shapes([*_named(operations), ProblemBody])
    taken: Counter[str] = Counter()
    paths: Json = {}
    for path, method, handler in operations:
        # One handler may stand at two addresses, but a name is one operation's.
        taken[handler.handler_name] += 1
        times = taken[handler.handler_name]
        name = handler.handler_name if times == 1 else f"{handler.handler_name}_{times}"
        described = _operation(handler, base["paths"][path][method], shapes, shown.get(name, {}))
        paths.setdefault(path, {})[method] = {"operationId": name, **described}
    return {
        "openapi": "3.1.0",
        "info": base["info"],
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": SECURITY,
            "headers": _HEADERS,
            "examples": {_key(kind): {"value": _example(kind)} for kind in catalogue.kinds()},
            "schemas": shapes.components,
        },
    }


def _operations(app: Litestar) -> Iterator[_Operation]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema() and not implied(route, method):
                    yield _Operation(route.path_format, method.lower(), handler)


def _operation(handler: HTTPRouteHandler, base: Json, shapes: Shapes, shown: Json) -> Json:
    opt = handler.opt
    made: Json = {
        "tags": base["tags"],
        "summary": base["summary"],
        **({"description": base["description"]} if base.get("description") else {}),
        "parameters": [*({**each} for each in base.get("parameters", [])), *_header_parameters(opt)],
        "responses": {**_answers(handler, shapes, shown.get("answers", {})), **_refusals(handler, base, shapes)},
    }
    for parameter in made["parameters"]:
        parameter.pop("deprecated", None)
    if opt.get("public"):
        made["security"] = []
    body = _body(handler)
    if body:
        content = {media: _media(shape, shapes, shown.get("request")) for media, shape in body.items()}
        data = handler.parsed_data_field
        made["requestBody"] = {"required": data is None or not data.is_optional, "content": content}
    return made


def _answers(handler: HTTPRouteHandler, shapes: Shapes, shown: Mapping[str, Any]) -> Json:
    words: dict[int, str] = handler.opt.get("answers", {}) or {
        handler.status_code: HTTPStatus(handler.status_code).phrase
    }
    shape, media = _answered(handler), handler.opt.get("media")
    answers: Json = {}
    for status, sentence in words.items():
        answers[str(status)] = {
            "description": sentence,
            "headers": _headers(
                "ETag" if handler.opt.get("tagged") else "", "Receipt" if handler.opt.get("receipted") else ""
            ),
        }
        if media:
            answers[str(status)]["content"] = {each: {"schema": _BINARY} for each in media}
        elif shape is not None:
            content: Json = {"schema": shapes.ref(shape)}
            if str(status) in shown:
                content["example"] = shown[str(status)]
            answers[str(status)]["content"] = {"application/json": content}
    if handler.opt.get("tagged"):
        answers["304"] = {"description": "The client has this already.", "headers": _headers("ETag")}
    return answers


def _refusals(handler: HTTPRouteHandler, base: Json, shapes: Shapes) -> Json:
    """The problems by status; one status may have several codes."""
    kinds: dict[str, list[type[Problem]]] = {}
    for kind in dict.fromkeys([*_usual(handler, base), *handler.opt.get("problems", ())]):
        kinds.setdefault(str(kind.status), []).append(kind)
    return {
        status: {
            "description": " · ".join(f"`{kind.code}`: {kind.title()}" for kind in found),
            "headers": _headers("RetryAfter" if "after" in {kind.retry for kind in found} else ""),
            "content": {
                MEDIA_TYPE: {
                    "schema": shapes.ref(ProblemBody),
                    "examples": {_key(kind): {"$ref": f"#/components/examples/{_key(kind)}"} for kind in found},
                }
            },
        }
        for status, found in sorted(kinds.items())
    }


def _usual(handler: HTTPRouteHandler, base: Json) -> Iterator[type[Problem]]:
    """What any handler of this kind may answer, whatever it does."""
    if base.get("parameters") or _body(handler):
        yield errors.MalformedRequest
    if not handler.opt.get("public"):
        yield errors.Unauthorised
    if any(each["in"] == "path" for each in base.get("parameters", ())):
        yield errors.NotFound
    if handler.http_methods - {"GET", "HEAD"}:
        yield errors.Forbidden
        yield errors.UnsupportedMedia
    if _body(handler):
        yield errors.TooLarge
    if not handler.opt.get("public"):
        yield errors.TooManyRequests
        yield errors.Overloaded
    if _body(handler):
        yield errors.IdleTimeout
    if 503 not in handler.opt.get("answers", ()):
        yield errors.DatabaseUnavailable


def _key(kind: type[Problem]) -> str:
    return f"{kind.code}-{kind.retry}"


def _example(kind: type[Problem]) -> Any:
    retry_after_s = 1 if kind.retry == "after" else None
    limits = {"json_bytes": 2**20} if kind is errors.TooLarge else None
    return msgspec.json.decode(encode(kind(limits=limits, retry_after_s=retry_after_s), request_id=_REQUEST_ID))


def _body(handler: HTTPRouteHandler) -> Mapping[str, Any]:
    if "body" in handler.opt:
        given: Mapping[str, Any] = handler.opt["body"]
        return given
    data = handler.parsed_data_field
    return {} if data is None else {"application/json": data.annotation}


def _media(shape: Any, shapes: Shapes, example: Any) -> Json:
    if shape is bytes:
        return {"schema": _BINARY}
    if isinstance(shape, Parts):
        return {
            "schema": {
                "type": "object",
                "required": [shape.name],
                "properties": {shape.name: shapes.ref(shape.shape)},
                "additionalProperties": _BINARY,
            },
            "encoding": {shape.name: {"contentType": "application/json"}},
            **({} if example is None else {"example": {shape.name: example}}),
        }
    return {"schema": shapes.ref(shape), **({} if example is None else {"example": example})}


def _answered(handler: HTTPRouteHandler) -> Any:
    kind = handler.parsed_fn_signature.return_type
    inner = kind.inner_types[0].annotation if kind.inner_types and kind.is_subclass_of(Response) else kind.annotation
    return None if inner in (Any, type(None)) else inner


def _named(operations: Sequence[_Operation]) -> Iterator[Any]:
    for each in operations:
        if not each.handler.opt.get("media") and _answered(each.handler) is not None:
            yield _answered(each.handler)
        for shape in _body(each.handler).values():
            if shape is not bytes:
                yield shape.shape if isinstance(shape, Parts) else shape


def _headers(*more: str) -> Json:
    names = {"RequestId": "X-Request-Id", "ETag": "ETag", "RetryAfter": "Retry-After", "Receipt": "Asbuilt-Receipt"}
    return {names[key]: {"$ref": f"#/components/headers/{key}"} for key in ("RequestId", *more) if key}


def _header_parameters(opt: Mapping[str, Any]) -> list[Json]:
    read: dict[str, str] = dict(opt.get("headers", {}))
    if opt.get("tagged"):
        read["If-None-Match"] = "The ETag of the answer that the client has."
    return [
        {"name": name, "in": "header", "required": False, "description": words, "schema": {"type": "string"}}
        for name, words in read.items()
    ]
