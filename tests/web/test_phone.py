"""What phones read: forms as they were imported, an inbox of what the crew has to fix, the limits, and 304s."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from app.intake.form_defs import bundled
from sql import Connection
from tests.service import Service, listed, record, sign_in, token

MOBILE = "/api/mobile"


async def get(served: Service, path: str, **headers: str) -> httpx.Response:
    return await served.http.get(f"{MOBILE}{path}", headers=served.bearer() | headers)


async def upload(served: Service, body: dict[str, Any]) -> str:
    answer = await served.http.put(f"{MOBILE}/records/{body['id']}", headers=served.bearer(), json=body)
    assert answer.status_code == 201, answer.text
    return str(body["id"])


async def inbox(served: Service, query: str = "") -> list[dict[str, Any]]:
    answer = await get(served, f"/inbox{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_the_forms_are_listed_and_read_whole(served: Service, conn: Connection) -> None:
    await conn.execute("update form_def set state = 'closed' where form_key = 'pole-replacement'")
    listing = (await get(served, "/forms")).json()["items"]
    assert {each["form"] for each in listing} == {form.form_key for form in bundled()} - {"pole-replacement"}
    shipped = next(form for form in bundled() if form.form_key == listing[0]["form"])
    form = (await served.http.get(listing[0]["url"], headers=served.bearer())).json()
    assert (form["title"], form["form_version"]) == (shipped.title, shipped.version)
    assert form["schema"] == shipped.schema
    # The order of the fields is the order of the page; an index of jsonb would have sorted them.
    assert list(form["schema"]["properties"]) == list(msgspec.convert(shipped.schema["properties"], dict[str, object]))
    assert [shot["key"] for shot in form["shots"]] == [shot.key for shot in shipped.shots]
    # A draft that was begun before the form closed can still be shown.
    assert (await get(served, "/forms/pole-replacement/1")).json()["state"] == "closed"


async def test_a_form_that_is_none_is_a_404(served: Service, conn: Connection) -> None:
    await conn.execute("update form_def set state = 'draft' where form_key = 'pole-replacement'")
    for path in ("pole-replacement/1", "nothing/1", f"nothing/{2**40}", "a%00b/1"):
        answer = await get(served, f"/forms/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "form-unknown"), path
    assert (await get(served, "/forms/pole-replacement/one")).status_code == 404


async def test_what_a_phone_has_is_not_sent_again(served: Service) -> None:
    record_id = await upload(served, record())
    for path in ("/forms", "/forms/pole-replacement/1", "/limits", "/inbox", f"/records/{record_id}"):
        first = await get(served, path)
        again = await get(served, path, **{"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
        assert again.headers["etag"] == first.headers["etag"]


async def test_a_receipt_that_changed_has_another_etag(served: Service, conn: Connection) -> None:
    record_id = await upload(served, record())
    before = (await get(served, f"/records/{record_id}")).headers["etag"]
    assert before.startswith('"1.')
    await conn.execute("select ops.cancel(id, 'not needed') from automation_job")
    after = await get(served, f"/records/{record_id}", **{"If-None-Match": before})
    assert (after.status_code, after.json()["job_status"]) == (200, "cancelled")
    assert after.headers["etag"] != before


async def test_the_inbox_holds_what_the_crew_has_to_fix(served: Service, conn: Connection) -> None:
    shots = listed({"whole": "full_pole", "tag": "tag", "base": "base"})
    good, bad, back = (record(photos=shots), record(fields={"work_order": "WO-48213"}), record(photos=shots))
    for body in (good, bad, back):
        await upload(served, body)
    items = await inbox(served)
    assert [item["record_id"] for item in items] == [bad["id"]]
    assert items[0]["job_status"] == "held"
    assert {defect["rule"] for defect in items[0]["defects"]} >= {"required-field-missing"}
    assert items[0]["defects"][0]["severity"] == "blocker"
    await conn.execute("update asbuilt_record set review_state = 'has_issues' where id = %s", [back["id"]])
    assert [item["record_id"] for item in await inbox(served)] == [back["id"], bad["id"]]
    await conn.execute("select ops.waive(id, 'seen on site') from defect where record_id = %s", [bad["id"]])
    assert [item["record_id"] for item in await inbox(served)] == [back["id"]]
    # Another phone of the same project has an inbox of its own.
    other = served.bearer(await token(conn, scopes=("upload", "read")))
    assert (await served.http.get(f"{MOBILE}/inbox", headers=other)).json() == {"items": [], "next": None}


async def test_the_inbox_comes_in_pages(served: Service) -> None:
    sent = [await upload(served, record(fields={})) for _ in range(3)]
    first = (await get(served, "/inbox?limit=2")).json()
    rest = await inbox(served, f"?limit=2&cursor={first['next']}")
    assert [item["record_id"] for item in [*first["items"], *rest]] == sent[::-1]
    for query in ("?limit=0", "?limit=10000", "?cursor=x"):
        assert (await get(served, f"/inbox{query}")).status_code == 400


async def test_a_person_has_no_inbox(served: Service, conn: Connection) -> None:
    person = await sign_in(served, conn, role="admin")
    answer = await served.http.get(f"{MOBILE}/inbox", headers=person)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await served.http.get(f"{MOBILE}/inbox")).status_code == 401


async def test_the_limits_are_those_that_are_held(served: Service) -> None:
    limits = (await get(served, "/limits")).json()
    assert limits["record_bytes"] == served.settings.record_bytes
    big = record(asset="x" * limits["record_bytes"])
    answer = await served.http.put(f"{MOBILE}/records/{big['id']}", headers=served.bearer(), json=big)
    assert (answer.status_code, answer.json()["limits"]) == (413, {"record_bytes": limits["record_bytes"]})
    many = record(photos=listed({f"p{n}": "tag" for n in range(limits["photos"] + 1)}))
    answer = await served.http.put(f"{MOBILE}/records/{many['id']}", headers=served.bearer(), json=many)
    assert (answer.status_code, answer.json()["limits"]) == (413, {"photos": limits["photos"]})
    assert limits["photo_types"]["otdr"] == ["application/octet-stream", "application/pdf"]
