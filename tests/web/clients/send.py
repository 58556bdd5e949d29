"""Sends one file by tuspy, with its own defaults but for how often it tries, and with checksums."""

import sys

from tusclient.client import TusClient

endpoint, token, record, name, path, chunk = sys.argv[1:]
client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
uploader = client.uploader(
    path,
    metadata={"record_id": record, "name": name},
    retries=50,
    retry_delay=0,
    **({"chunk_size": int(chunk), "upload_checksum": True} if int(chunk) else {}),
)
uploader.upload()
