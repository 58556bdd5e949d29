"""Where bytes are kept, by the settings: a directory, or a bucket with a local directory for what is arriving."""

from __future__ import annotations

from app.core.blobs import Blobs
from app.core.blobs_local import LocalBlobs
from app.core.settings import Settings, SettingsError


def open_blobs(settings: Settings, *, reserve: int = 0) -> Blobs:
    """The store of this installation. Raises `SettingsError` for a bucket without the package that speaks to it."""
    if not settings.bucket:
        return LocalBlobs(settings.blobs, reserve=reserve)
    try:
        from app.core.blobs_s3 import S3Blobs  # noqa: PLC0415 - an extra, which a directory does not need
    except ModuleNotFoundError as exc:
        raise SettingsError(["ASBUILT_BLOBS is a bucket, which needs: pip install 'asbuilt[s3]'"]) from exc
    return S3Blobs(settings.bucket, settings.blobs, reserve=reserve)
