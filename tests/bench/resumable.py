"""The way of an upload's bytes by tus, beside the reference server of the protocol."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from tests import packages
from tests.bench import figures
from tests.bench.stage import Stage
from tests.bench.tus_load import Plan, Tally

WHAT = """**Resumable upload.** A photo of 2 MiB by tus: a creation and one PATCH with all its bytes, by 4 clients that keep their
connections, from a process of their own. The peer is `@tus/server` with its file store, on Node. Ours syncs the bytes to disk, knows
its offset in Postgres and keeps the upload for its record; the peer writes its offset nowhere and syncs nothing. Memory is the most that
the server process ever had."""

SIZE = 2 * 2**20
CLIENTS = 4
ROUNDS = 4
ROUND_S = 3.0
PEER = Path(__file__).parent / "tus_peer.mjs"


def run(stage: Stage, *, rounds: int = ROUNDS, seconds: float = ROUND_S) -> list[figures.Comparison]:
    """Uploads a second, what one takes, and memory; nothing where there is no Node."""
    if shutil.which("npm") is None:
        print("  resumable uploads: no npm here, so there is no peer", flush=True)
        return []
    database = stage.database()
    env = {
        "DATABASE_URL": database.app,
        "REDIS_URL": stage.redis_url,
        "AUTOMATION_URL": "http://127.0.0.1:9",
        "AUTOMATION_TOKEN": "bench",
        "ASBUILT_BLOBS": str(stage.folder / "resumable"),
        "ASBUILT_PORT": "0",
        "ASBUILT_UPLOADS_PER_DEVICE": "1000000",
        "ASBUILT_UPLOADS_PER_S": "0",
        "ASBUILT_REQUESTS_PER_DEVICE": "0",
    }
    ours, theirs = Side(path="/api/mobile/files", token=database.token), Side(path="/files", token="-")
    with ExitStack() as running:
        ours.url = running.enter_context(stage.process(["app.cli", "serve"], env=env))
        theirs.url = running.enter_context(_peer(stage.folder))
        for side in (ours, theirs):
            side.load(seconds=1.0)
        for _ in range(rounds):
            for side in (ours, theirs):
                tally = side.load(seconds=seconds)
                side.rates.append(len(tally["took"]) / tally["seconds"])
                side.took += tally["took"]
        memory = [side.memory_mib() for side in (ours, theirs)]
    milliseconds = [[1000 * took for took in side.took] for side in (ours, theirs)]
    lasted = partial(figures.by_quantile, unit="ms", ours=milliseconds[0], peer=milliseconds[1])
    return [
        figures.by_rounds("tus, 2 MiB, 4 clients", unit="uploads/s", ours=ours.rates, peer=theirs.rates),
        lasted("tus, median", at=0.5),
        lasted("tus, 99th percentile", at=0.99),
        figures.by_quantile("tus, memory", unit="MiB", ours=memory[:1], peer=memory[1:], at=1),
    ]


class Side(msgspec.Struct, kw_only=True):
    """A server, and what was measured of it."""

    path: str
    token: str
    url: str = ""
    rates: list[float] = []
    took: list[float] = []

    def load(self, *, seconds: float) -> Tally:
        plan: Plan = {
            "host": "127.0.0.1",
            "port": self._port,
            "path": self.path,
            "token": self.token,
            "size": SIZE,
            "clients": CLIENTS,
            "seconds": seconds,
        }
        command = [sys.executable, "-m", "tests.bench.tus_load"]
        done = subprocess.run(command, input=msgspec.json.encode(plan), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
        return msgspec.json.decode(done.stdout, type=Tally)

    def memory_mib(self) -> float:
        """The most that the process at our port ever had, as Linux tells it."""
        inode = next(
            line.split()[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{self._port:04X}") and line.split()[3] == "0A"
        )
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if any(str(link.readlink()) == f"socket:[{inode}]" for link in (process / "fd").iterdir()):
                    status = (process / "status").read_text()
                    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
            except OSError:
                continue
        raise LookupError(f"nobody listens on port {self._port}")

    @property
    def _port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def _peer(folder: Path) -> Iterator[str]:
    home = folder / "tus-peer"
    home.mkdir()
    packages.npm(home, "@tus/server@2", "@tus/file-store@2")
    script = shutil.copy(PEER, home)
    process = subprocess.Popen(["node", script, str(home / "files")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("ready").strip()
    finally:
        process.terminate()
        process.wait(timeout=30)
