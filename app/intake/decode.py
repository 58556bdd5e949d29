"""The record part of an upload: bytes to a `RecordUpload` whose every value can be stored.

Refuses only what cannot be stored or attributed; whether the content is any good is for `rules` to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.errors import MalformedRequest, TooLarge
from app.intake import names
from app.intake.fingerprint import fingerprint
from app.intake.position import in_range, moment, number, position
from app.intake.schemas import Doubt, PhotoKind, PhotoManifest, RecordUpload
from app.intake.strict_json import MAX_BYTES, Json, pointer, read

MAX_PHOTOS = 40

Key = Annotated[str, Meta(min_length=1, max_length=64)]
# Short enough for an index entry: a longer key would be refused by Postgres, not by us.
Label = Annotated[str, Meta(max_length=200)]
_KINDS: Mapping[str, PhotoKind] = {kind: kind for kind in ("photo", "redline", "otdr", "signature", "other")}
_AT_INDEX = re.compile(r"\[(\d+)\]")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    project: Key
    form: Key
    form_version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    asset: Label
    crew: Label | None = None
    fields: dict[str, Json] = {}
    position: Json = None
    captured_at: Json = None
    created_at: Json = None
    sent_at: Json = None
    photos: list[dict[str, Json]] = []


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    shot: Key
    kind: str = "photo"
    sha256: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{64}$")] | None = None
    size: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    type: Label | None = None
    taken_at: Json = None
    lat: Json = None
    lon: Json = None


def decode(raw: bytes, *, max_bytes: int = MAX_BYTES) -> RecordUpload:
    """Read one record. Unknown members are kept in `fields`; so is a position or time that is no usable one.

    Raises `MalformedRequest` with a pointer or offset, `TooLarge`, or `PhotoConflict` for two photos of one name.
    """
    document = read(raw, max_bytes=max_bytes)
    if not isinstance(document, dict):
        raise MalformedRequest("The record must be a JSON object.", pointer="")
    record = _shaped(document, Record)
    photos = _manifest(record.photos)
    where, doubts = position(record.position)
    times = {name: moment(name, document.get(name)) for name in ("captured_at", "created_at", "sent_at")}
    doubts += tuple(doubt for _, found in times.values() for doubt in found)
    return RecordUpload(
        id=record.id,
        project=record.project,
        form=record.form,
        form_version=record.form_version,
        asset=record.asset,
        crew=record.crew,
        fields=_kept(record.fields, document, doubts),
        position=where,
        captured_at=times["captured_at"][0],
        created_at=times["created_at"][0],
        sent_at=times["sent_at"][0],
        photos=photos,
        doubts=doubts,
        fingerprint=fingerprint(document, photos),
    )


def _manifest(entries: list[dict[str, Json]]) -> tuple[PhotoManifest, ...]:
    if len(entries) > MAX_PHOTOS:
        raise TooLarge(
            f"The record lists {len(entries)} photos; {MAX_PHOTOS} are allowed.", limits={"photos": MAX_PHOTOS}
        )
    photos = tuple(_photo(index, entry) for index, entry in enumerate(entries))
    names.refuse_twins(photo.name for photo in photos)
    return photos


def _photo(index: int, entry: dict[str, Json]) -> PhotoManifest:
    wire = _shaped(entry, Photo, at=pointer("photos", index))
    lat, lon = number(wire.lat), number(wire.lon)
    usable = in_range(lat, lon)
    return PhotoManifest(
        name=names.clean(wire.name, pointer=pointer("photos", index, "name")),
        shot=wire.shot,
        kind=_KINDS.get(wire.kind, "other"),
        sha256=wire.sha256.lower() if wire.sha256 else None,
        size=wire.size,
        type=wire.type,
        taken_at=moment("taken_at", wire.taken_at)[0],
        lat=lat if usable else None,
        lon=lon if usable else None,
    )


def _kept(fields: dict[str, Json], document: dict[str, Json], doubts: tuple[Doubt, ...]) -> dict[str, Json]:
    """The fields, plus what no column will hold; a field of the same name keeps its place."""
    homeless = {key: value for key, value in document.items() if key not in Record.__struct_fields__}
    for doubt in doubts:
        member = doubt.field.partition("/")[0]
        homeless[member] = document[member]
    return fields | {(key if key not in fields else f"record.{key}"): value for key, value in homeless.items()}


Shape = TypeVar("Shape", Record, Photo)


def _shaped(members: dict[str, Json], shape: type[Shape], *, at: str = "") -> Shape:
    try:
        return msgspec.convert(members, shape)
    except msgspec.ValidationError as exc:
        sentence, _, place = str(exc).partition(" - at `$")
        path = _AT_INDEX.sub(r".\1", place.removesuffix("`")).replace(".", "/")
        missing = re.search(r"missing required field `(\w+)`", sentence)
        if missing:
            path += f"/{missing[1]}"
        raise MalformedRequest(f"{sentence}.", pointer=at + path) from exc
