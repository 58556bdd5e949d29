"""The API answers as its description says, over a walk through all of it."""

from __future__ import annotations

import jsonschema_rs

from sql import Connection
from tests.service import Service
from tests.web.tour import Description, Tour


async def test_every_operation_answers_as_it_is_described(served: Service, conn: Connection) -> None:
    description = Description()
    tour = Tour(served, conn, description)
    await tour.walk()
    operations = {operation["operationId"]: operation for _, _, operation in description.operations()}
    for call in tour.seen:
        schema = description.schema(operations[call.operation], call.status)
        if schema is not None:
            errors = jsonschema_rs.validator_for(schema).iter_errors(call.answer)
            assert [f"{error.instance_path}: {error.message}" for error in errors] == [], call
    # What answers JSON is walked through whole; streams, pictures and resumable uploads are followed elsewhere.
    walked = {call.operation for call in tour.seen}
    assert {name for name, each in operations.items() if description.answers_json(each)} <= walked


async def test_the_description_is_for_those_who_may_come_in(served: Service) -> None:
    for path in ("/api/schema", "/api/schema/openapi.json"):
        answer = await served.http.get(path, headers=served.bearer())
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        assert answer.json() == Description().document
        assert (await served.http.get(path)).json()["code"] == "unauthorised"
    for page in ("swagger", "redoc", "elements", "rapidoc", "openapi.yaml"):
        answer = await served.http.get(f"/api/schema/{page}", headers=served.bearer())
        assert answer.status_code == 404, page
