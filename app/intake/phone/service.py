"""Reading for phones: forms, the inbox of records to fix, and the limits."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from app.core import pages
from app.core.auth import Caller
from app.core.errors import FormUnknown
from app.core.settings import Settings
from app.intake import decode, decoding, names, photos, receiving, strict_json
from app.intake.phone import store
from app.intake.phone.schemas import FormEntry, FormList, Inbox, InboxItem, Limits, OpenDefect, PhoneForm
from app.intake.schemas import MediaView
from sql import Connection


async def forms(conn: Connection) -> FormList:
    """Every form version that takes records."""
    rows = await store.OPEN_FORMS(conn)
    return FormList(
        items=[
            msgspec.convert(
                {
                    "form": row.form_key,
                    "form_version": row.version,
                    "title": row.title,
                    "state": row.state,
                    "url": f"/api/mobile/forms/{quote(row.form_key)}/{row.version}",
                },
                FormEntry,
            )
            for row in rows
        ]
    )


async def form(conn: Connection, *, key: str, version: int) -> PhoneForm:
    """Raises `FormUnknown`."""
    # No version is larger than what its column holds.
    row = await store.FORM(conn, form=key, version=version) if version < 2**31 and "\0" not in key else None
    if row is None:
        raise FormUnknown(f"there is no form {key!r} of version {version}")
    body = {"form": row.form_key, "form_version": row.version}
    return msgspec.convert(body | msgspec.structs.asdict(row), PhoneForm)


async def inbox(conn: Connection, caller: Caller, *, limit: int, cursor: str | None) -> Inbox:
    """A page of the device's own records to fix. Raises `Forbidden` for no device, and `MalformedRequest`."""
    caller.demand_scope("upload")
    place, size = pages.decode(cursor), pages.limit(limit)
    rows = await store.INBOX(conn, device=caller.device_id, at=place.at, after=place.id, limit=size + 1)
    shown = rows[:size]
    return Inbox(
        items=[_item(row) for row in shown],
        next=pages.encode(pages.Place(shown[-1].received_at, shown[-1].id)) if len(rows) > size else None,
    )


def limits(settings: Settings) -> Limits:
    """What this installation takes."""
    return Limits(
        record_bytes=settings.record_bytes,
        record_depth=strict_json.MAX_DEPTH,
        record_values=strict_json.MAX_VALUES,
        string_chars=strict_json.MAX_STRING,
        request_bytes=settings.request_bytes,
        request_parts=receiving.MAX_PARTS,
        photos=decode.MAX_PHOTOS,
        photo_bytes=settings.photo_bytes,
        photo_pixels=decoding.MAX_PIXELS,
        photo_side_px=decoding.MAX_SIDE,
        photo_name_chars=names.MAX_NAME,
        photo_types={kind: sorted(types) for kind, types in photos.ALLOWED.items()},
        body_idle_s=settings.body_idle_s,
        body_total_s=settings.body_total_s,
        uploads_per_s=settings.uploads_per_s,
        uploads_burst=settings.uploads_burst,
        requests_per_device=settings.requests_per_device,
        upload_bytes=settings.upload_bytes,
        upload_ttl_s=settings.upload_ttl_s,
        uploads_per_device=settings.uploads_per_device,
    )


def _item(row: store.InboxRow) -> InboxItem:
    return InboxItem(
        record_id=row.id,
        revision=row.revision,
        form=row.form_key,
        form_version=row.form_version,
        asset=row.asset_key,
        review_state=row.review_state,
        review_note=row.review_note,
        received_at=row.received_at,
        automation_job_id=row.job_id,
        job_status=row.job_state,
        media=MediaView(expected=row.expected, received=row.expected - len(row.missing), missing=row.missing),
        defects=msgspec.convert(row.defects, list[OpenDefect]),
    )
