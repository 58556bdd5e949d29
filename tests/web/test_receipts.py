"""`Asbuilt-Receipt`: each way of an upload proves, also when it is repeated, that we have what was sent."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import msgspec

from sql import Connection
from tests.service import Service, listed, record
from tests.web.tus_device import CHUNK, FILES, RECORDS, Tus, metadata, photo

NAMES = ("put", "tus", "tus-at-once", "draft", "draft-at-once")


def proof(answer: httpx.Response) -> str | None:
    assert answer.status_code < 300, answer.text
    found: str | None = answer.headers.get("asbuilt-receipt")
    return found


async def test_every_way_proves_what_is_stored(served: Service, conn: Connection) -> None:
    http, bearer, tus = served.http, served.bearer(), Tus(served, conn)
    taken = hashlib.sha256(photo()).hexdigest()
    body = record(photos=listed(dict.fromkeys(("form", "early", *NAMES), "tag")))
    # As a phone writes it, which need not be as anybody else would.
    raw = msgspec.json.format(msgspec.json.encode(body), indent=3)
    sent = hashlib.sha256(raw).hexdigest()
    package: dict[str, Any] = {"record": (None, raw, "application/json"), "form": ("a.jpg", photo(), "image/jpeg")}
    url = f"{RECORDS}/{body['id']}"

    # A photo that waits for its record is not stored yet.
    early = await tus.create(body["id"], len(photo()), name="early")
    assert proof(await tus.patch(early, 0, photo())) is None
    assert [proof(await http.post(RECORDS, headers=bearer, files=package)) for _ in range(2)] == [sent] * 2
    as_json = bearer | {"Content-Type": "application/json"}
    assert proof(await http.put(url, headers=as_json, content=raw)) == sent
    for _ in range(2):
        assert proof(await http.put(f"{url}/photos/put", headers=bearer, content=photo())) == taken

    address = await tus.create(body["id"], len(photo()), name="tus")
    assert proof(await tus.patch(address, 0, photo()[:99])) is None
    assert proof(await tus.patch(address, 99, photo()[99:])) == taken
    wish = {"Upload-Length": str(len(photo()))} | metadata(record_id=body["id"], name="tus-at-once")
    assert proof(await tus.ask("POST", FILES, CHUNK | wish, photo())) == taken

    begun = await http.post(f"{url}/photos/draft", headers=bearer | {"Upload-Complete": "?0"})
    assert proof(begun) is None
    piece = {"Upload-Offset": "0", "Upload-Complete": "?1", "Content-Type": "application/partial-upload"}
    assert proof(await http.patch(begun.headers["location"], headers=bearer | piece, content=photo())) == taken
    whole = bearer | {"Upload-Complete": "?1"}
    assert proof(await http.post(f"{url}/photos/draft-at-once", headers=whole, content=photo())) == taken

    match = {"If-Match": "1"}
    corrected = msgspec.json.encode(body | {"asset": "P-7"})
    answer = await http.put(url, headers=as_json | match, content=corrected)
    assert proof(answer) == hashlib.sha256(corrected).hexdigest()
    refused = await http.put(url, headers=as_json, content=raw)
    assert (refused.status_code, "asbuilt-receipt" in refused.headers) == (409, False)
