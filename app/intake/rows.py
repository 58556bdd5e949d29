"""Between the wire's shapes and the rows of SQL; no I/O and no rules."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from app.intake import store
from app.intake.photos import PhotoFacts
from app.intake.rules import Finding, RuleContext, serial_numbers
from app.intake.schemas import (
    AcceptedView,
    DefectView,
    MediaView,
    PhotoManifest,
    Position,
    ReceiptPhoto,
    ReceiptView,
    RecordUpload,
    Severity,
)

__all__ = ["Finding", "accepted", "as_upload", "compared", "photo_row", "receipt", "record_row", "replay"]

_WORST_FIRST: dict[Severity, int] = {severity: n for n, severity in enumerate(get_args(Severity))}


def record_row(upload: RecordUpload) -> dict[str, Any]:
    """The columns of `asbuilt_record` that an upload fills."""
    where = upload.position
    return {
        "id": str(upload.id),
        "form_key": upload.form,
        "form_version": upload.form_version,
        "asset_key": upload.asset,
        "crew": upload.crew,
        "fields": upload.fields,
        "lat": where and where.lat,
        "lon": where and where.lon,
        "h_accuracy_m": where and where.h_accuracy_m,
        "v_accuracy_m": where and where.v_accuracy_m,
        "altitude_m": where and where.altitude_m,
        "fix_type": where and where.fix_type,
        "position_source": where and where.source,
        "captured_at": upload.captured_at,
        "client_created_at": upload.created_at,
        "device_sent_at": upload.sent_at,
    }


def compared(judged: RuleContext) -> dict[str, Any]:
    """What else is kept of a record: the design it was compared with, and the serial numbers it reports."""
    design = judged.related.design
    return {
        "design_snapshot": design and msgspec.to_builtins(design),
        "serials": [
            {"serial": serial, "field": field} for serial, field in serial_numbers(judged.form, judged.upload.fields)
        ],
    }


def photo_row(photo: PhotoManifest, facts: PhotoFacts | None) -> dict[str, Any]:
    """A photo as `accept_record` and `accept_photo` read it; without facts it is only expected."""
    row: dict[str, Any] = {
        "name": photo.name,
        "shot": photo.shot,
        "kind": photo.kind,
        "declared_sha256": photo.sha256,
        "declared_size": photo.size,
        "declared_type": photo.type,
    }
    if facts is None:
        return row
    refused = facts.rejected_reason is not None
    return row | {
        "received": True,
        "blob_sha256": None if refused else facts.sha256,
        "size": facts.size,
        "type": facts.sniffed_type,
        "rejected_reason": facts.rejected_reason,
        "width": facts.width,
        "height": facts.height,
        "taken_at": facts.taken_at,
        "taken_at_source": None if facts.taken_at_source == "none" else facts.taken_at_source,
        "lat": facts.lat,
        "lon": facts.lon,
        "exif": facts.exif,
        "checks": facts.checks,
        "dhash": facts.dhash,
        "sharpness": facts.look and facts.look.sharpness,
        "luma": facts.look and facts.look.luma,
    }


def accepted(
    upload: RecordUpload, facts: dict[str, PhotoFacts], findings: list[Finding], stored: store.AcceptedRow
) -> AcceptedView:
    """The answer to a record stored just now."""
    body = {
        "record_id": upload.id,
        "automation_job_id": stored.job_id,
        "job_status": stored.job_state,
        "review_state": "received",
        "media": _media(len(upload.photos), [photo.name for photo in upload.photos if photo.name not in facts]),
        "defects": _in_order([finding.view() for finding in findings]),
        "received_at": stored.received_at,
        "revision": 1,
    }
    return msgspec.convert(body, AcceptedView)


def receipt(row: store.ReceiptRow) -> ReceiptView:
    """The receipt of a stored record."""
    return ReceiptView(**_said(row), photos=msgspec.convert(row.photos, list[ReceiptPhoto]))


def replay(row: store.ReceiptRow) -> AcceptedView:
    """The answer to a record stored before: the same as the first one's, with the status of now."""
    return AcceptedView(**_said(row), replayed=True)


def _said(row: store.ReceiptRow) -> dict[str, Any]:
    return {
        "record_id": row.record_id,
        "automation_job_id": row.job_id,
        "job_status": row.job_state,
        "review_state": row.review_state,
        "media": _media(len(row.photos), [photo["name"] for photo in row.photos if not photo["received"]]),
        "defects": _in_order(msgspec.convert(row.defects, list[DefectView])),
        "received_at": row.received_at,
        "revision": row.revision,
    }


def _in_order(defects: list[DefectView]) -> list[DefectView]:
    """The worst first, and always the same way: an answer that was lost is given again to the letter."""
    return sorted(defects, key=lambda d: (_WORST_FIRST[d.severity], d.rule, d.field or "", d.photo or "", d.message))


def as_upload(row: store.PhotoContextRow) -> tuple[RecordUpload, dict[str, PhotoFacts]]:
    """A stored record as the checks look at it, with what is known of its photos that are here."""
    stored = msgspec.convert(row.photos or [], list[store.StoredPhoto])
    here = row.lat is not None and row.lon is not None
    upload = RecordUpload(
        id=row.id,
        project=row.project,
        form=row.form_key,
        form_version=row.form_version,
        asset=row.asset_key,
        fields=row.fields,
        position=Position(lat=row.lat or 0.0, lon=row.lon or 0.0, h_accuracy_m=row.h_accuracy_m) if here else None,
        captured_at=row.captured_at,
        photos=tuple(
            PhotoManifest(name=p.name, shot=p.shot, kind=p.kind, sha256=p.sha256, size=p.size) for p in stored
        ),
        fingerprint=row.fingerprint,
    )
    facts = {
        photo.name: PhotoFacts(
            size=photo.size or 0,
            sha256=photo.stored,
            rejected_reason=photo.refused,
            unreadable_reason=photo.unreadable,
            dhash=photo.dhash,
            checks=photo.checks,
        )
        for photo in stored
        if photo.stored or photo.refused
    }
    return upload, facts


def _media(expected: int, missing: list[str]) -> MediaView:
    return MediaView(expected=expected, received=expected - len(missing), missing=missing)
