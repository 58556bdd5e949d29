"""HTTP of uploads: multipart in one shot, or the record as JSON and its photos as raw bytes, and the receipt."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Literal
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.datastructures import Headers, State
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.core import errors
from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import MalformedRequest, UnsupportedMedia
from app.core.etags import tagged
from app.core.openapi import Parts
from app.core.requests import arrived_at
from app.intake import attaching, correcting, idempotency, receipts, receiving, service
from app.intake.context import Intake
from app.intake.schemas import AcceptedView, ReceiptView, RecordDocument
from app.intake.uploads import ietf
from app.intake.uploads.context import Uploads
from app.intake.uploads.service import settle_waiting

Ask = Request[Caller, Any, State]

STORED = {201: "Stored now.", 200: "Stored before: the same answer, with the status of now."}
REFUSED = (
    errors.DigestMismatch,
    errors.ProjectUnknown,
    errors.FormUnknown,
    errors.RecordConflict,
    errors.PhotoConflict,
    errors.InProgress,
    errors.FormClosed,
    errors.IdleTimeout,
)


@post(
    "/records",
    summary="A record and its photos in one multipart request",
    request_max_body_size=None,
    body={"multipart/form-data": Parts("record", RecordDocument)},
    answers=STORED,
    receipted=True,
    headers={"Idempotency-Key": "1 to 255 visible ASCII characters, bare or quoted; kept for seven days."},
    problems=(*REFUSED, errors.IdempotencyKeyReused, errors.StorageFull),
)
async def post_record(
    request: Ask, intake: NamedDependency[Intake], uploads: NamedDependency[Uploads]
) -> Response[AcceptedView]:
    request.user.demand_scope("upload")
    key = idempotency.read(request.headers.get("idempotency-key"))
    boundary = receiving.boundary_of(request.headers.get("content-type", ""))
    # Before the body: minutes on a bad network would otherwise end in a refusal that was known at their beginning.
    intake.blobs.demand_room()
    with receiving.Package(intake.blobs, intake.settings) as package:
        await package.read(_body(request, intake, "request_bytes"), boundary)
        accepted = await service.accept_record(
            intake, request.user, package.record or b"", package.parts, arrived_at=arrived_at(request), key=key
        )
    return _answer(await _joined(uploads, request.user, accepted), package.record or b"")


@put(
    "/records/{record_id:uuid}",
    summary="A record as JSON; its photos follow. With If-Match, a correction of it",
    request_max_body_size=None,
    body={"application/json": RecordDocument},
    receipted=True,
    headers={
        "If-Match": "The revision that is corrected, or the ETag of its receipt: other content is the next revision."
    },
    answers={201: "Stored now.", 200: "Corrected now; or stored before: the same answer, with the status of now."},
    problems=(
        *REFUSED,
        errors.RecordUnknown,
        errors.RecordLocked,
        errors.RecordSubmitted,
        errors.StaleRevision,
    ),
)
async def put_record(
    request: Ask, record_id: FromPath[UUID], intake: NamedDependency[Intake], uploads: NamedDependency[Uploads]
) -> Response[AcceptedView]:
    request.user.demand_scope("upload")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("send application/json")
    raw = b"".join([chunk async for chunk in _body(request, intake, "record_bytes")])
    match, moment = request.headers.get("if-match"), arrived_at(request)
    if match is None:
        accepted = await service.accept_record(intake, request.user, raw, [], arrived_at=moment, named=record_id)
    else:
        expected = correcting.revision(match)
        accepted = await correcting.correct(
            intake, request.user, raw, named=record_id, expected=expected, arrived_at=moment
        )
    return _answer(await _joined(uploads, request.user, accepted), raw, corrected=match is not None)


@put(
    "/records/{record_id:uuid}/photos/{name:str}",
    summary="A photo's bytes",
    request_max_body_size=None,
    body={"application/octet-stream": bytes},
    receipted=True,
    headers={
        "Repr-Digest": "The SHA-256 of the bytes, `sha-256=:…:` (RFC 9530); also as Content-Digest.",
        "X-Content-SHA256": "The same in hex.",
    },
    answers={201: "Stored now.", 200: "The same bytes were stored before."},
    problems=(
        errors.DigestMismatch,
        errors.RecordNotYet,
        errors.ProjectUnknown,
        errors.FormUnknown,
        errors.PhotoConflict,
        errors.IdleTimeout,
        errors.StorageFull,
    ),
)
async def put_photo(
    request: Ask, record_id: FromPath[UUID], name: FromPath[str], intake: NamedDependency[Intake]
) -> Response[ReceiptView]:
    request.user.demand_scope("upload")
    if request.headers.get("upload-complete", "").startswith("?0"):
        raise MalformedRequest("a part of a photo is no photo: POST begins a resumable upload here")
    declared = _digest(request.headers)
    with intake.blobs.incoming(limit=intake.settings.photo_bytes) as incoming:
        async for chunk in _body(request, intake, "photo_bytes"):
            await incoming.write(chunk)
        stored, new = await attaching.accept_photo(intake, request.user, record_id, name, incoming, declared=declared)
    return Response(stored, status_code=201 if new else 200, headers=receipts.proof(incoming.sha256.hex()))


@get(
    "/records/{record_id:uuid}",
    summary="The receipt: what is stored, what is missing",
    answers={200: "The receipt."},
    problems=(errors.RecordUnknown,),
    tagged=True,
)
async def get_receipt(request: Ask, record_id: FromPath[UUID], pool: NamedDependency[Pool]) -> Response[ReceiptView]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        receipt = await receipts.receipt(conn, request.user, record_id)
    return tagged(request, receipt, prefix=f"{receipt.revision}.")


def _body(
    request: Ask, intake: Intake, named: Literal["request_bytes", "record_bytes", "photo_bytes"]
) -> AsyncIterator[bytes]:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("send the body without Content-Encoding")
    limit: int = getattr(intake.settings, named)
    receiving.refuse_declared(request.headers.get("content-length"), limit=limit, named=named)
    return receiving.bounded(request.stream(), limit=limit, named=named)


async def _joined(uploads: Uploads, caller: Caller, accepted: AcceptedView) -> AcceptedView:
    """With the photos that were here before their record."""
    # After the commit, never in the transaction: an upload that completes meanwhile looks for the record itself.
    if accepted.media.missing and await settle_waiting(uploads, caller, accepted.record_id):
        return await service.accepted_now(uploads.intake, caller, accepted)
    return accepted


def _answer(accepted: AcceptedView, raw: bytes, *, corrected: bool = False) -> Response[AcceptedView]:
    headers = receipts.proof(hashlib.sha256(raw).hexdigest())
    if accepted.replayed:
        return Response(accepted, status_code=200, headers=headers | {"Idempotency-Replayed": "true"})
    return Response(accepted, status_code=200 if corrected else 201, headers=headers)


def _digest(headers: Headers) -> bytes | None:
    """The declared SHA-256, by RFC 9530's fields or in hex. Raises `MalformedRequest` for one that cannot be read."""
    try:
        for name in ("repr-digest", "content-digest"):
            for member in headers.get(name, "").split(","):
                key, _, value = member.strip().partition("=")
                if key == "sha-256":
                    return _sized(base64.b64decode(value.strip(":"), validate=True))
        plain = headers.get("x-content-sha256")
        return _sized(bytes.fromhex(plain)) if plain else None
    except (binascii.Error, ValueError) as exc:
        raise MalformedRequest("the digest header cannot be read") from exc


def _sized(digest: bytes) -> bytes:
    if len(digest) != 32:
        raise MalformedRequest("the digest header is no SHA-256")
    return digest


router = Router(
    "/api/mobile", route_handlers=[*ietf.AT_A_PHOTO, post_record, put_record, put_photo, get_receipt], tags=["Mobile"]
)
