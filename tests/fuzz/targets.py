"""What a fuzzer feeds: bytes as a phone might send them. A target answers with nothing, or fails by an exception.

`Problem` is an answer of the contract and no failure; anything else is.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path

import msgspec

from app.core.blobs_local import LocalBlobs
from app.core.errors import Problem
from app.core.settings import Settings
from app.intake import form_defs, receiving, rows, service
from app.intake.decode import decode
from app.intake.rules import RuleContext, Site, check

BOUNDARY = "f1e1d"
MARK = b"--f1e1d"


@cache
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def blobs() -> LocalBlobs:
    return LocalBlobs(Path(tempfile.mkdtemp(prefix="fuzz-")))


@cache
def forms() -> dict[str, form_defs.FormDef]:
    return {form.form_key: form for form in form_defs.bundled()}


def multipart_body(data: bytes) -> None:
    """The first byte says how large the packets are: how a body is cut must not change what it is."""
    if not data:
        return
    whole = loop().run_until_complete(_read([data[1:]]))
    step = data[0] % 64 + 1
    packets = [data[start : start + step] for start in range(1, len(data), step)]
    cut = loop().run_until_complete(_read(packets))
    # What is no multipart at all may be taken or refused by where the packets end: the parser looks for a bare line feed in
    # a line that has not ended yet, and for a text before the first boundary in the packet that brings the boundary.
    if not _ODD.search(data[1:]):
        assert cut == whole, "it depends on the packets"


_ODD = re.compile(rb"(?<!\r)\n|\A(?!(?:\r\n)?--f1e1d)")


async def _read(packets: list[bytes]) -> object:
    async def body() -> AsyncIterator[bytes]:
        for packet in packets:
            yield packet

    try:
        with receiving.Package(blobs(), Settings(record_bytes=4096, photo_bytes=65536)) as package:
            await package.read(body(), BOUNDARY)
            upload = decode(package.record or b"")
            found = service.by_name(upload, package.parts)
            return upload, {name: file.sha256 for name, file in found.items()}
    except Problem as exc:
        return exc.code


def content_type(data: bytes) -> None:
    """A header as the server hands it over."""
    try:
        boundary = receiving.boundary_of(data.decode("latin-1"))
        loop().run_until_complete(receiving.Package(blobs(), Settings()).read(_nothing(), boundary))
    except Problem:
        return


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def record(data: bytes) -> None:
    """A whole document: what is taken fits its columns, and every rule has a word on it."""
    try:
        upload = decode(data)
    except Problem:
        return
    msgspec.json.encode(rows.record_row(upload))
    _judge(upload.form, data)


def fields(data: bytes) -> None:
    """The fields of a good record, of each form that ships."""
    for key, example in form_defs.examples().items():
        raw = msgspec.json.encode(example | {"fields": "HERE"}).replace(b'"HERE"', data)
        _judge(key, raw)


def _judge(form: str, raw: bytes) -> None:
    try:
        upload = decode(raw)
    except Problem:
        return
    known = forms().get(form) or next(iter(forms().values()))
    site = Site(lat=44.458, lon=-93.161, radius_m=150)
    for finding in check(RuleContext(form=known, upload=upload, site=site, tz="America/Chicago")):
        assert finding.rule != "rule-failed", finding
        msgspec.json.encode(finding)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "multipart": multipart_body,
    "content-type": content_type,
    "record": record,
    "fields": fields,
}


def seeds(target: str) -> list[bytes]:
    """Good input to begin with."""
    documents = [msgspec.json.encode(example) for example in form_defs.examples().values()]
    if target == "record":
        return documents
    if target == "fields":
        return [msgspec.json.encode(example["fields"]) for example in form_defs.examples().values()]
    if target == "content-type":
        return [b"multipart/form-data; boundary=b", b'Multipart/Form-Data; charset=utf-8; boundary="a b"']
    small = {
        "id": "0199a3c4-7f00-7000-8000-000000000001",
        "project": "demo",
        "form": "f",
        "form_version": 1,
        "asset": "",
    }
    body = msgspec.json.encode(small | {"photos": [{"name": "a", "shot": "a"}]})
    head = b'\r\nContent-Disposition: form-data; name="%s"'
    typed = head % b"a" + b'; filename="a.jpg"\r\nContent-Type: image/jpeg; charset=utf-8\r\n\r\n\xff\xd8\r\n'
    whole = MARK + head % b"record" + b"\r\n\r\n" + body + b"\r\n" + MARK + typed + MARK + b"--\r\n"
    extended = whole.replace(b'; filename="a.jpg"', b"; filename*=UTF-8''a%20.jpg")
    return [bytes([step]) + each for step in (0, 7, 63) for each in (whole, extended, b"\r\n" + whole + b"the end")]
