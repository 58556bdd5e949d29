"""Drives the API with a client that was generated from its description; run by test_typed_client in that client's environment.

`python drive_client.py URL PHONE_TOKEN OPERATOR_TOKEN`: an exit code of 0 means that everything was as a reader of the
types expects. It imports nothing of ours.
"""

import sys
from datetime import datetime, timezone
from hashlib import sha256
from io import BytesIO
from uuid import uuid4

from asbuilt_client import AuthenticatedClient
from asbuilt_client.api.jobs import cancel, get_job, retry
from asbuilt_client.api.mobile import get_form, get_forms, get_inbox, get_receipt, post_record, put_photo, put_record
from asbuilt_client.models.accepted_view import AcceptedView
from asbuilt_client.models.act_request import ActRequest
from asbuilt_client.models.job_state import JobState
from asbuilt_client.models.photo_manifest import PhotoManifest
from asbuilt_client.models.position import Position
from asbuilt_client.models.post_record_body import PostRecordBody
from asbuilt_client.models.problem_body import ProblemBody
from asbuilt_client.models.receipt_view import ReceiptView
from asbuilt_client.models.record_document import RecordDocument
from asbuilt_client.models.record_document_fields import RecordDocumentFields
from asbuilt_client.types import File

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
FIELDS = {
    "work_order": "WO-48213",
    "district": "North",
    "crew_lead": "M. Okafor",
    "date_completed": "2026-11-20",
    "pole_height_ft": 45,
    "pole_class": "4",
    "pole_material": "Southern pine",
    "depth_m": 2.1,
    "earth_resistance_ohm": 12.5,
}


def document(photo):
    return RecordDocument(
        id=uuid4(),
        project="demo",
        form="pole-replacement",
        form_version=1,
        asset="P-1041",
        fields=RecordDocumentFields.from_dict(FIELDS),
        position=Position(lat=44.4583, lon=-93.1616, h_accuracy_m=4.0),
        captured_at=datetime(2026, 11, 20, 15, 4, 5, tzinfo=timezone.utc),
        photos=[PhotoManifest(name=name, shot=shot, sha256=sha256(photo).hexdigest()) for name, shot in SHOTS.items()],
    )


def drive(url, phone_token, operator_token, photo):
    phone = AuthenticatedClient(base_url=url, token=phone_token, timeout=60)
    operator = AuthenticatedClient(base_url=url, token=operator_token, timeout=60)

    forms = get_forms.sync(client=phone).items
    form = next(each for each in forms if each.form == "pole-replacement")
    assert get_form.sync("pole-replacement", form.form_version, client=phone).title == form.title

    whole = PostRecordBody(record=document(photo))
    for name in SHOTS:
        whole[name] = File(payload=BytesIO(photo), file_name=f"{name}.jpg", mime_type="image/jpeg")
    first = post_record.sync_detailed(client=phone, body=whole)
    assert (first.status_code, type(first.parsed)) == (201, AcceptedView)
    assert first.parsed.media.missing == []

    later = document(photo)
    stored = put_record.sync_detailed(later.id, client=phone, body=later)
    assert (stored.status_code, stored.parsed.job_status) == (201, "awaiting_media")
    for name in SHOTS:
        answer = put_photo.sync_detailed(
            later.id, name, client=phone, body=File(payload=BytesIO(photo)), x_content_sha256=sha256(photo).hexdigest()
        )
        assert (answer.status_code, type(answer.parsed)) == (201, ReceiptView)
    receipt = get_receipt.sync(later.id, client=phone)
    assert {each.name: each.sha256 for each in receipt.photos} == dict.fromkeys(SHOTS, sha256(photo).hexdigest())
    assert receipt.automation_job_id == stored.parsed.automation_job_id
    assert isinstance(get_inbox.sync(client=phone).items, list)

    job = get_job.sync(first.parsed.automation_job_id, client=phone)
    assert (job.id, job.record_id) == (first.parsed.automation_job_id, whole.record.id)
    refused = retry.sync_detailed(job.id, client=phone, body=ActRequest(reason="mine"))
    assert (refused.status_code, type(refused.parsed), refused.parsed.code) == (403, ProblemBody, "forbidden")
    assert cancel.sync(job.id, client=operator, body=ActRequest(reason="wrong pole")).state == JobState.CANCELLED
    again = retry.sync_detailed(job.id, client=operator, body=ActRequest(reason="right pole after all"))
    assert again.status_code == 202
    assert again.parsed.state in (JobState.QUEUED, JobState.HELD)

    later.asset = "P-9999"
    conflict = put_record.sync_detailed(later.id, client=phone, body=later)
    assert (conflict.status_code, conflict.parsed.code, conflict.parsed.retry) == (409, "record-conflict", "never")


if __name__ == "__main__":
    drive(*sys.argv[1:4], sys.stdin.buffer.read())
