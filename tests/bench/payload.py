"""The record that all benchmarks send: 2 kB, clean, without photos, so that its job may run at once."""

from __future__ import annotations

import msgspec

from app.intake import rows
from app.intake.decode import decode
from tests.bench.load import MARK
from tests.bench.stage import FORM
from tests.service import record

SIZE = 2048

CALL = """
select outcome, job_id, job_state, received_at
  from accept_record(cast({project} as uuid), cast({device} as uuid), cast('{{"id":"' || gen_random_uuid() || {rest} as jsonb),
                     '[]', '[]', decode({fingerprint}, 'hex'), 3, 'bench')
"""
"""The statement that the web process runs for it, with a new uuid each time; its values stand where braces are."""


def document() -> str:
    """The JSON that a phone sends, `SIZE` bytes long."""
    body = record(id=MARK, form=FORM)
    body["fields"] |= {"notes": "x" * (SIZE - len(msgspec.json.encode(body)))}
    return msgspec.json.encode(body).decode()


def rest_of_row() -> str:
    """What `accept_record` is given of it, as JSON text, from behind the uuid on."""
    row = msgspec.json.encode(rows.record_row(decode(document().encode()))).decode()
    return row.removeprefix(f'{{"id":"{MARK}')


def fingerprint() -> str:
    """In hex; no two records of a benchmark are compared, so that one serves all."""
    return decode(document().encode()).fingerprint.hex()
