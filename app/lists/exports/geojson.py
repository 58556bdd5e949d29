"""Records as GeoJSON (RFC 7946): a point each, or none where the phone had no position."""

from __future__ import annotations

import msgspec

from app.lists.exports.store import ExportRow

BEGIN, JOIN, END = b'{"type":"FeatureCollection","features":[\n', b",\n", b"\n]}\n"
_APART = {"lat", "lon", "id", "job"}


def feature(row: ExportRow) -> bytes:
    """One record; its `properties` are the row of the list with the fields, and its job's state beside them."""
    record, job = row.row, row.row["job"] or {}
    point = None
    if record["lat"] is not None:
        place = [record["lon"], record["lat"], *([] if row.altitude_m is None else [row.altitude_m])]
        point = {"type": "Point", "coordinates": place}
    properties = {
        **{name: value for name, value in record.items() if name not in _APART},
        "h_accuracy_m": row.h_accuracy_m,
        "job_state": job.get("state"),
        "confirmation": job.get("confirmation"),
        "job_external_ref": job.get("external_ref"),
        "fields": row.fields,
    }
    return msgspec.json.encode({"type": "Feature", "id": str(row.id), "geometry": point, "properties": properties})
