"""Portals take JPEG, PNG and PDF: whatever else a phone took is given to them as a JPEG, made before the first run."""

from __future__ import annotations

import logging

from app.core.errors import StorageFull, StorageUnavailable
from tasks import store
from tasks.engines.errors import ServiceUnavailable
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


async def make_renditions(shop: Workshop, claim: Claim) -> None:
    """Nothing where they are made. A photo that cannot be opened goes as it is: the portal's refusal tells more.

    Raises `ServiceUnavailable` when photos cannot be read or kept at the moment.
    """
    for photo in await shop.ask(store.UNRENDERED, record=claim.record_id):
        try:
            jpeg = await shop.checker.jpeg(photo.sha256)
            if jpeg is None:
                extra = {"event": "renditions.none", "record": str(claim.record_id), "photo": photo.name}
                log.warning("no JPEG can be made of a photo", extra=extra)
                continue
            made = await shop.blobs.put(jpeg)
        except (StorageUnavailable, StorageFull) as exc:
            raise ServiceUnavailable(f"no JPEG of {photo.name} can be made now") from exc
        await shop.ask(
            store.KEEP_RENDITION,
            record=claim.record_id,
            name=photo.name,
            sha256=photo.sha256,
            rendition=made,
            size=len(jpeg),
        )
