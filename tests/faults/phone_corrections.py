"""The phone in the tunnel changes its mind: corrections that are cut, killed and repeated, and keys that stand for one content.

Of the corrections to which it heard no answer one at most is stored, as the next revision; repeating them tells which.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import msgspec
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.faults.phone_machine import JSON, NAME, ONE, RECORD, RECORDS, SHARE, WEB, Tunnel, Upload
from tests.faults.phone_rig import Ask

CONTENT = """
    select r.revision, r.fields ->> 'notes', array(select revision from record_revision where record_id = r.id order by 1)
      from asbuilt_record as r where r.id = %s::uuid
"""
Body = dict[str, Any]


class Corrected(Upload):
    """`body` is the content of `revision`, and of those in `unheard` one may be that of the next."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.revision = 1
        self.unheard: list[Body] = []
        self.keyed: Body | None = None
        """What its Idempotency-Key stands for."""

    def other(self) -> Body:
        """Content that nobody has sent before."""
        return self.body | {"fields": self.body["fields"] | {"notes": f"measured again {uuid4()}"}}

    def correction(self, body: Body, seen: int | None = None) -> Ask:
        match = {"If-Match": f'"{self.revision if seen is None else seen}"'}
        content = msgspec.json.encode(body)
        return Ask(method="PUT", path=f"{RECORDS}/{self.key}", headers=self.auth | JSON | match, body=content)

    def with_key(self, ask: Ask) -> Ask:
        return msgspec.structs.replace(ask, headers=ask.headers | {"Idempotency-Key": f"key-{self.key}"})

    def takes(self, body: Body) -> None:
        """It is the next revision; what was to be it as well is refused from now on, whenever it arrives."""
        self.revision += 1
        self.body = body
        self.unheard = []


class ChangingTunnel(Tunnel):
    """Whatever is corrected, there is one record with one job, and its revisions are what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.corrected: list[Corrected] = []

    @initialize()
    def begin(self) -> None:
        self.corrected = [Corrected(self.rig.token) for _ in range(2)]
        self.uploads = [*self.corrected]

    def stored(self) -> list[int]:
        """Those whose record is acknowledged: only these can be corrected."""
        return [n for n, upload in enumerate(self.corrected) if upload.known[RECORD] == "yes"]

    def settled(self, n: int) -> Corrected:
        """The phone repeats each correction to which it heard no answer, until one of them is acknowledged."""
        upload = self.corrected[n]
        for body in upload.unheard:
            answer = self.heard(n, upload.correction(body))
            if answer.is_success:
                self.is_next(upload, body, answer)
                break
            self.is_stale(answer)
        assert not upload.unheard, "the record has another revision, and none that was sent"
        return upload

    def is_next(self, upload: Corrected, body: Body, answer: httpx.Response) -> None:
        said = answer.json()
        assert (answer.status_code, said["revision"]) == (200, upload.revision + 1), answer.text
        upload.jobs.add(said["automation_job_id"])
        upload.takes(body)

    def is_stale(self, answer: httpx.Response) -> None:
        said = answer.json()
        assert (answer.status_code, said["code"], said["retry"]) == (412, "stale-revision", "fix"), answer.text

    @precondition(lambda self: bool(self.stored()))
    @rule(data=st.data(), web=WEB)
    def corrects(self, data: st.DataObject, web: int) -> None:
        """Beside corrections that are still on their way: it is the next revision, or one of them is."""
        n = data.draw(st.sampled_from(self.stored()))
        upload = self.corrected[n]
        body = upload.other()
        answer = self.heard(web, upload.correction(body))
        if answer.status_code == 412 and upload.unheard:
            self.settled(n)
            return
        assert answer.json().get("replayed") is False, answer.text
        self.is_next(upload, body, answer)

    @precondition(lambda self: bool(self.stored()))
    @rule(data=st.data(), web=WEB, seen=st.sampled_from([-1, 1, 5]))
    def corrects_what_it_has_not_seen(self, data: st.DataObject, web: int, seen: int) -> None:
        upload = self.settled(data.draw(st.sampled_from(self.stored())))
        other = upload.revision + seen
        self.is_stale(self.heard(web, upload.correction(upload.other(), seen=other)))
        # What is stored is stored, whatever was seen.
        answer = self.heard(web, upload.correction(upload.body, seen=other))
        said = answer.json()
        assert (answer.status_code, said["revision"], said["replayed"]) == (200, upload.revision, True), answer.text

    @precondition(lambda self: bool(self.stored()))
    @rule(data=st.data(), web=WEB, share=SHARE, kill=st.booleans())
    def is_cut_correcting(self, data: st.DataObject, web: int, share: float, kill: bool) -> None:
        upload = self.corrected[data.draw(st.sampled_from(self.stored()))]
        kill = kill and self.deaths < self.most_deaths
        self.deaths += kill
        body = upload.other()
        self.rig.cut(web, upload.correction(body), share, kill=kill)
        if share > 0.9:
            upload.unheard.append(body)

    @precondition(lambda self: self.stored() and self.deaths < self.most_deaths)
    @rule(data=st.data(), web=WEB, point=st.sampled_from(["K1", "K2", "K3"]))
    def dies_correcting(self, data: st.DataObject, web: int, point: str) -> None:
        """Before its commit nothing is stored; behind it everything is, and the repetition is told so."""
        self.deaths += 1
        upload = self.settled(data.draw(st.sampled_from(self.stored())))
        body = upload.other()
        self.rig.webs[web].up(f"{point}:kill")
        assert self.rig.send(web, upload.correction(body)) is None, "it outlived its crash point"
        self.rig.webs[web].kill()
        answer = self.heard(web, upload.correction(body))
        assert answer.json()["replayed"] is (point == "K3"), (point, answer.text)
        self.is_next(upload, body, answer)

    @precondition(lambda self: bool(self.stored()))
    @rule(data=st.data(), same=st.booleans())
    def corrects_four_times_at_once(self, data: st.DataObject, same: bool) -> None:
        upload = self.settled(data.draw(st.sampled_from(self.stored())))
        bodies = [upload.other()] * 4 if same else [upload.other() for _ in range(4)]
        answers = self.rig.send_to_all([(turn % 2, upload.correction(body)) for turn, body in enumerate(bodies)])
        taken = [(body, answer) for body, answer in zip(bodies, answers, strict=True) if answer and answer.is_success]
        note(f"four corrections: {[answer and answer.status_code for answer in answers]}")
        assert len(taken) == (4 if same else 1)
        for answer in answers:
            if answer is not None and not answer.is_success:
                self.is_stale(answer)
        assert sum(not answer.json()["replayed"] for _, answer in taken) == 1
        self.is_next(upload, *taken[0])

    @rule(n=ONE, name=NAME, web=WEB, point=st.sampled_from(["", "", "A1", "A3", "A5", "A6"]))
    def sends_with_a_key(self, n: int, name: str, web: int, point: str) -> None:
        """A package; its key stands for this content from now on, also when its first sender heard nothing."""
        upload = self.settled(n)
        ask, things = upload.ask("package", name)
        ask = upload.with_key(ask)
        if upload.keyed not in (None, upload.body):
            self.is_reused(self.heard(web, ask))
            return
        if point and self.deaths < self.most_deaths:
            self.deaths += 1
            self.rig.webs[web].up(f"{point}:kill")
            if self.rig.send(web, ask) is None:
                upload.may_be(things)
            self.rig.webs[web].kill()
        upload.keyed = upload.body
        self.agrees(upload, things, self.heard(web, ask))
        # The same key for another record: nothing of it may be there in the end.
        stranger = Corrected(self.rig.token)
        self.is_reused(self.heard(web, upload.with_key(stranger.package([name]))))

    def is_reused(self, answer: httpx.Response) -> None:
        said = answer.json()
        assert (answer.status_code, said["code"], said["retry"]) == (422, "idempotency-key-reused", "never"), (
            answer.text
        )

    @invariant()
    def the_revisions_are_those_acknowledged(self) -> None:
        for upload in self.corrected:
            row = self.rig.conn.execute(CONTENT.encode(), [upload.key]).fetchone()
            if row is None:
                continue
            revision, notes, revisions = row
            assert revisions == [*range(1, upload.revision + (revision != upload.revision) + 1)], row
            possible = {(upload.revision, upload.body["fields"]["notes"])}
            possible |= {(upload.revision + 1, body["fields"]["notes"]) for body in upload.unheard}
            assert (revision, notes) in possible, (row, possible)
