"""What a phone waits for, and what that costs in memory: a small record, and ten full-size photos with all of the rules."""

from __future__ import annotations

import time
from functools import cache
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
from PIL import Image

from tests.bench import figures
from tests.bench.stage import Stage
from tests.bench.upload import send_records
from tests.service import listed, multipart, record

WHAT = """**Phone.** One phone, one request at a time, on an idle system, over keep-alive HTTP. The record is that of *Upload*. The
package is one multipart request of ten JPEGs of 4000 × 3000 pixels, new bytes each time, checked by every rule there is and
synced to disk before the answer. Memory is the most that the web process, and its two decoding processes together, ever had
(`VmHWM`)."""

PACKAGES = 40
RECORDS_S = 5.0
SHOTS = ("full_pole", "tag", "base", "base", "base", "tag", "full_pole", "base", "tag", "base")
MIB = 2**20


def run(stage: Stage, *, packages: int = PACKAGES) -> list[figures.Wait]:
    """How long a phone waits for its answer."""
    database = stage.database()
    env = {
        "DATABASE_URL": database.app,
        "REDIS_URL": stage.redis_url,
        "AUTOMATION_URL": "http://127.0.0.1:9",
        "AUTOMATION_TOKEN": "bench",
        "ASBUILT_BLOBS": str(stage.folder / "phone-blobs"),
        "ASBUILT_FREE_DISK_BYTES": "0",
        "ASBUILT_PORT": "0",
        "ASBUILT_UPLOADS_PER_S": "0",
        "ASBUILT_REQUESTS_PER_DEVICE": "0",
    }
    with stage.process(["app.cli", "serve"], env=env) as url:
        web = _child("app.cli", "serve")
        send_records(url, database, clients=1, seconds=1.0)
        records = send_records(url, database, clients=1, seconds=RECORDS_S)["took"]
        small = _peak(web)
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {database.token}"}, timeout=60) as http:
            _package(http)
            took = [_package(http) for _ in range(packages)]
        large = _peak(web) + sum(map(_peak, _children(web)))
    return [
        figures.Wait(what="a record of 2 kB", took=records, memory=small / MIB),
        figures.Wait(what="ten photos of 12 megapixels", took=took, memory=large / MIB),
    ]


def _package(http: httpx.Client) -> float:
    names = {f"photo-{n}": shot for n, shot in enumerate(SHOTS)}
    files = {name: _new(photo) for name, photo in zip(names, _photos(), strict=True)}
    request = http.build_request("POST", "/api/mobile/records", **multipart(record(photos=listed(names)), files))
    # The client's own work is not the phone's wait.
    request.read()
    started = time.perf_counter()
    answer = http.send(request)
    took = time.perf_counter() - started
    if answer.status_code != 201 or answer.json()["media"]["missing"]:
        raise RuntimeError(answer.text)
    return took


@cache
def _photos() -> tuple[bytes, ...]:
    """Ten scenes of some three million bytes each."""
    grain = Image.effect_noise((4000, 3000), 40)
    made = []
    for n in range(len(SHOTS)):
        scene = Image.linear_gradient("L").rotate(36 * n).resize((4000, 3000))
        out = BytesIO()
        Image.merge("RGB", (Image.blend(scene, grain, 0.3), scene, grain)).save(out, "JPEG", quality=85)
        made.append(out.getvalue())
    return tuple(made)


def _new(photo: bytes) -> bytes:
    """The same picture in bytes that nobody has stored: a comment behind the first marker."""
    said = uuid4().bytes
    return photo[:2] + b"\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + photo[2:]


def _peak(pid: int) -> int:
    """Bytes of memory that the process ever had at once."""
    said = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(said.partition("VmHWM:")[2].split()[0]) * 1024


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def _child(*words: str) -> int:
    """The child process of ours that was started by these words."""
    said = "\0".join(words)
    (pid,) = (pid for pid in _children(_own()) if said in Path(f"/proc/{pid}/cmdline").read_text())
    return pid


def _own() -> int:
    return int(Path("/proc/self").resolve().name)
