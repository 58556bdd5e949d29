"""A phone in a tunnel: any order of uploads, cuts, kills, retries and duplicates is one record, one job, all photos.

The machine knows of each thing whether it is stored, may be, or is not; every answer must agree with that.
"""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import msgspec
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.core.blobs_local import LocalBlobs
from tests.faults.phone_rig import Ask, Rig
from tests.service import listed, record
from tests.unit.pictures import jpeg

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
PHOTOS = {name: jpeg(size=(900, 700), shade=40 + 50 * n) for n, name in enumerate(SHOTS)}
OTHER = jpeg(size=(640, 480), shade=250)
RECORDS, FILES = "/api/mobile/records", "/api/mobile/files"
RECORD = "record"
PATIENCE_S = 60.0
Stored = Literal["no", "maybe", "yes"]
AGREES: dict[Stored, set[int]] = {"no": {201}, "maybe": {200, 201}, "yes": {200}}

WEB = st.integers(0, 1)
ONE = st.integers(0, 1)
NAME = st.sampled_from(sorted(SHOTS))
WAY = st.sampled_from(["record", "package", "photo"])
SHARE = st.sampled_from([0.0, 0.2, 0.5, 0.9, 0.999, 1.0])
POINT = st.sampled_from(["A1", "A3", "A5", "A6"])

OF_RECORD = """
    select (select count(*) from asbuilt_record where id = %(id)s::uuid),
           (select count(*) from asbuilt_record as r where id = %(id)s::uuid
               and r.revision = (select count(*) from record_revision where record_id = r.id)
               and r.revision = (select revision from automation_job where record_id = r.id)),
           (select count(*) from automation_job where record_id = %(id)s::uuid),
           (select count(*) from automation_job as j join procrastinate_jobs as q on (q.args ->> 'automation_job_id')::uuid = j.id
             where j.record_id = %(id)s::uuid and q.status in ('todo', 'doing')),
           (select count(*) from photo where record_id = %(id)s::uuid)
"""
SHA = "select name, encode(blob_sha256, 'hex') from photo where record_id = %s::uuid"
STRAYS = "select count(*) from asbuilt_record as r where r.id <> all(%s::uuid[]) and r.received_at >= %s"


def own(photo: bytes) -> bytes:
    """The same picture in bytes that no other record has: a comment behind the first marker."""
    said = uuid4().bytes
    return photo[:2] + b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + photo[2:]


class Upload:
    """One record of the phone, and what is known of it."""

    def __init__(self, token: str) -> None:
        self.key = str(uuid4())
        self.photos = {name: own(data) for name, data in PHOTOS.items()}
        self.body = record(id=self.key, photos=listed(SHOTS))
        self.auth = {"Authorization": f"Bearer {token}"}
        self.known: dict[str, Stored] = dict.fromkeys((RECORD, *SHOTS), "no")
        self.jobs: set[str] = set()
        self.resumable: dict[str, str] = {}

    def record(self, **changed: Any) -> Ask:
        body = msgspec.json.encode(self.body | changed)
        return Ask(method="PUT", path=f"{RECORDS}/{self.key}", headers=self.auth | JSON, body=body)

    def photo(self, name: str, data: bytes = b"") -> Ask:
        body = data or self.photos[name]
        return Ask(method="PUT", path=f"{RECORDS}/{self.key}/photos/{name}", headers=self.auth, body=body)

    def package(self, names: list[str]) -> Ask:
        parts = [("record", (None, msgspec.json.encode(self.body), "application/json"))]
        files: Any = parts + [(name, (f"{name}.jpg", self.photos[name], "image/jpeg")) for name in names]
        made = httpx.Request("POST", f"http://x{RECORDS}", files=files)
        kind = {"Content-Type": made.headers["content-type"]}
        return Ask(method="POST", path=RECORDS, headers=self.auth | kind, body=made.read())

    def ask(self, way: str, name: str) -> tuple[Ask, list[str]]:
        """The request, and what it stores when it is heard."""
        if way == "photo":
            return self.photo(name), [name]
        if way == "package":
            names = [name, *SHOTS][: 1 + len(name) % 3]
            names = list(dict.fromkeys(names))
            return self.package(names), [RECORD, *names]
        return self.record(), [RECORD]

    def may_be(self, things: list[str]) -> None:
        """Nobody heard whether it was stored."""
        if RECORD not in things and self.known[RECORD] == "no":
            return
        for thing in things:
            if self.known[thing] == "no":
                self.known[thing] = "maybe"


JSON = {"Content-Type": "application/json"}


class Tunnel(RuleBasedStateMachine):
    """Every answer is checked when it is heard, every row when all is over."""

    rig: Rig
    most_deaths = 4
    """In one example: a process takes a second to start."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: list[Upload] = []
        self.deaths = 0
        self.since = self.rig.rows("select clock_timestamp()")[0][0]

    @initialize()
    def begin(self) -> None:
        self.uploads = [Upload(self.rig.token) for _ in range(2)]

    def settled(self, n: int) -> Upload:
        """This upload, when the phone knows which content of it is stored."""
        return self.uploads[n]

    @rule(n=ONE, way=WAY, name=NAME, web=WEB)
    def sends(self, n: int, way: str, name: str, web: int) -> None:
        upload = self.settled(n)
        ask, things = upload.ask(way, name)
        if way == "photo" and upload.known[RECORD] != "yes":
            self.too_early(upload, ask, web)
            return
        answer = self.heard(web, ask)
        self.agrees(upload, things, answer)

    def too_early(self, upload: Upload, ask: Ask, web: int) -> None:
        if upload.known[RECORD] == "no":
            answer = self.heard(web, ask)
            assert (answer.status_code, answer.json()["retry"]) == (404, "after"), answer.text

    @rule(n=ONE, way=WAY, name=NAME, web=WEB, share=SHARE)
    def is_cut(self, n: int, way: str, name: str, web: int, share: float) -> None:
        ask, things = self.uploads[n].ask(way, name)
        self.rig.cut(web, ask, share)
        if share > 0.9:
            self.uploads[n].may_be(things)

    @precondition(lambda self: self.deaths < self.most_deaths)
    @rule(n=ONE, way=WAY, name=NAME, web=WEB, share=SHARE)
    def is_killed_under(self, n: int, way: str, name: str, web: int, share: float) -> None:
        self.deaths += 1
        ask, things = self.uploads[n].ask(way, name)
        self.rig.cut(web, ask, share, kill=True)
        if share > 0.9:
            self.uploads[n].may_be(things)

    @precondition(lambda self: self.deaths < self.most_deaths)
    @rule(n=ONE, package=st.booleans(), name=NAME, web=WEB, point=POINT)
    def dies_at(self, n: int, package: bool, name: str, web: int, point: str) -> None:
        """At this point of storing a record; a replay comes past the first ones only, and may be answered."""
        self.deaths += 1
        upload = self.settled(n)
        self.rig.webs[web].up(f"{point}:kill")
        ask, things = upload.ask("package" if package else "record", name)
        answer = self.rig.send(web, ask)
        if answer is None:
            upload.may_be(things)
        elif answer.is_success:
            self.agrees(upload, things, answer)
        self.rig.webs[web].kill()

    @rule(n=ONE, way=WAY, name=NAME)
    def is_sent_four_times_at_once(self, n: int, way: str, name: str) -> None:
        upload = self.settled(n)
        ask, things = upload.ask(way, name)
        if way == "photo" and upload.known[RECORD] != "yes":
            return
        answers = self.rig.send_to_all([(turn % 2, ask) for turn in range(4)])
        statuses = sorted(answer.status_code if answer else 0 for answer in answers)
        note(f"four times: {statuses}")
        assert set(statuses) <= {200, 201, 409}
        assert statuses.count(201) <= (upload.known[things[0]] != "yes")
        for answer in answers:
            assert answer is not None
            assert answer.is_success or answer.json()["code"] == "in-progress", answer.text
        upload.may_be(things)
        self.agrees(upload, things, self.heard(0, ask))

    @rule(n=ONE, name=NAME, web=WEB)
    def sends_other_content(self, n: int, name: str, web: int) -> None:
        upload = self.uploads[n]
        if upload.known[RECORD] == "yes":
            answer = self.heard(web, upload.record(asset="P-other"))
            assert (answer.status_code, answer.json()["code"]) == (409, "record-conflict")
        if upload.known[name] == "yes":
            answer = self.heard(web, upload.photo(name, OTHER))
            assert (answer.status_code, answer.json()["code"]) == (409, "photo-conflict")

    @rule(n=ONE, name=NAME, web=WEB, share=SHARE, end=st.sampled_from(["heard", "cut", "U1", "U2"]))
    def goes_on_at_the_byte(self, n: int, name: str, web: int, share: float, end: str) -> None:
        """One piece of a resumable upload; it is begun when there is none. `end` is how the piece ends, and where."""
        upload = self.uploads[n]
        data = upload.photos[name]
        tus = upload.auth | {"Tus-Resumable": "1.0.0"}
        if name not in upload.resumable:
            pairs = {"record_id": upload.key, "name": name}
            said = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
            headers = tus | {"Upload-Length": str(len(data)), "Upload-Metadata": said}
            answer = self.heard(web, Ask(method="POST", path=FILES, headers=headers))
            assert answer.status_code == 201, answer.text
            upload.resumable[name] = answer.headers["location"]
        path = httpx.URL(upload.resumable[name]).path
        answer = self.heard(web, Ask(method="HEAD", path=path, headers=tus))
        assert answer.status_code in (200, 204), answer.text
        offset = int(answer.headers["upload-offset"])
        headers = tus | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        ask = Ask(method="PATCH", path=path, headers=headers, body=data[offset:])
        if end == "heard":
            answer = self.heard(web, ask)
            assert answer.status_code == 204, answer.text
        elif end == "cut":
            self.rig.cut(web, ask, share)
        elif self.deaths < self.most_deaths:
            self.deaths += 1
            self.rig.webs[web].up(f"{end}:kill")
            self.rig.send(web, ask)
            self.rig.webs[web].kill()
        self.maybe_photo(upload, name)

    def maybe_photo(self, upload: Upload, name: str) -> None:
        # It may have come before its record, and waits.
        if upload.known[name] == "no":
            upload.known[name] = "maybe"

    def agrees(self, upload: Upload, things: list[str], answer: httpx.Response) -> None:
        assert answer.status_code in AGREES[upload.known[things[0]]], (upload.known, answer.status_code, answer.text)
        said = answer.json()
        upload.jobs.add(said["automation_job_id"])
        for thing in things:
            upload.known[thing] = "yes"
        here = {name for name in SHOTS if upload.known[name] == "yes"}
        assert not here & set(said["media"]["missing"])
        for name in here:
            assert self.file(upload, name).read_bytes() == upload.photos[name], (
                f"acknowledged without its bytes: {name}"
            )

    def file(self, upload: Upload, name: str) -> Path:
        return LocalBlobs(self.rig.blobs).path(hashlib.sha256(upload.photos[name]).digest())

    def heard(self, web: int, ask: Ask) -> httpx.Response:
        """The answer, after as many repetitions as a phone makes: what says so, and what got no answer, is sent again."""
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.rig.send(web, ask)
            if answer is not None and not self.again(answer):
                return answer
            assert time.monotonic() < until, answer and answer.text
            time.sleep(0.02)

    def again(self, answer: httpx.Response) -> bool:
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        return answer.status_code == 503 or (
            answer.status_code in (409, 423) and answer.json()["code"] in ("in-progress", "upload-taken")
        )

    @invariant()
    def nothing_is_there_twice(self) -> None:
        for upload in self.uploads:
            row = self.rig.conn.execute(OF_RECORD.encode(), {"id": upload.key}).fetchone()
            assert row in ((0, 0, 0, 0, 0), (1, 1, 1, 1, len(SHOTS))), (upload.known, row)
            assert row[0] or upload.known[RECORD] != "yes", "it was acknowledged, and is not there"
            assert len(upload.jobs) <= 1

    def teardown(self) -> None:
        """The phone insists, and then everything is there, once."""
        for n in range(len(self.uploads)):
            upload = self.settled(n)
            answer = self.heard(0, upload.record())
            self.agrees(upload, [RECORD], answer)
            for name in SHOTS:
                self.agrees(upload, [name], self.heard(1, upload.photo(name)))
            self.is_whole(upload)
        strays = self.rig.rows(STRAYS, [upload.key for upload in self.uploads], self.since)
        assert strays == [(0,)]

    def is_whole(self, upload: Upload) -> None:
        receipt = self.heard(0, Ask(method="GET", path=f"{RECORDS}/{upload.key}", headers=upload.auth)).json()
        assert (receipt["media"]["missing"], receipt["job_status"]) == ([], "queued"), receipt
        assert {receipt["automation_job_id"]} == upload.jobs
        stored = set(self.rig.rows(SHA, upload.key))
        assert stored == {(name, hashlib.sha256(data).hexdigest()) for name, data in upload.photos.items()}
