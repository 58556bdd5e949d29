"""An upload over HTTP beside pgbench on the very same statement: what the whole way around the transaction costs."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack

import msgspec

from app.core.settings import Settings
from app.local import postgres
from tests.bench import figures, payload
from tests.bench.load import MARK, Plan, Tally
from tests.bench.stage import Database, Stage
from tests.e2e.stacks import clean_env

WHAT = """**Upload.** A clean record of 2 kB without photos, `PUT` over HTTP to `asbuilt serve` by 8 and by 32 clients that keep
their connections, from a process of their own. The peer is `pgbench`, which runs the same call of `accept_record` with the same
row, prepared, on as many connections as the web process has. Both write the same tables: record, revision, job, queue
row, event and audit."""

CLIENTS = (8, 32)
ROUNDS = 4
ROUND_S = 3.0


class Statistics(msgspec.Struct, kw_only=True):
    """Of all rounds of one number of clients."""

    rates: list[float] = []
    took: list[float] = []
    refused: int = 0


def run(stage: Stage, *, rounds: int = ROUNDS, seconds: float = ROUND_S) -> list[figures.Comparison]:
    """Records a second of us and of pgbench, for each number of clients."""
    database = stage.database()
    env = {
        "DATABASE_URL": database.app,
        "REDIS_URL": stage.redis_url,
        "AUTOMATION_URL": "http://127.0.0.1:9",
        "AUTOMATION_TOKEN": "bench",
        "ASBUILT_BLOBS": str(stage.folder / "blobs"),
        "ASBUILT_PORT": "0",
        "ASBUILT_UPLOADS_PER_S": "0",
        "ASBUILT_REQUESTS_PER_DEVICE": "0",
    }
    ours = {clients: Statistics() for clients in CLIENTS}
    peer: list[float] = []
    with ExitStack() as running:
        url = running.enter_context(stage.process(["app.cli", "serve"], env=env))
        send_records(url, database, clients=8, seconds=1.0)
        _pgbench(database, seconds=1)
        for _ in range(rounds):
            for clients in CLIENTS:
                tally = send_records(url, database, clients=clients, seconds=seconds)
                ours[clients].rates.append(len(tally["took"]) / tally["seconds"])
                ours[clients].took += tally["took"]
                ours[clients].refused += tally["refused"]
            peer.append(_pgbench(database, seconds=round(seconds)))
    for clients, found in ours.items():
        p50, p99 = (1000 * figures.quantile(found.took, at) for at in (0.5, 0.99))
        refused = f", {found.refused} put off by a 503" if found.refused else ""
        print(f"  upload, {clients} clients: p50 {p50:.1f} ms, p99 {p99:.1f} ms{refused}", flush=True)
    return [
        figures.by_rounds(f"upload, {clients} clients", unit="records/s", ours=found.rates, peer=peer)
        for clients, found in ours.items()
    ]


def send_records(url: str, database: Database, *, clients: int, seconds: float) -> Tally:
    """New records by so many clients at once, for so long. Raises `RuntimeError` when one is refused."""
    host, _, port = url.removeprefix("http://").partition(":")
    plan: Plan = {
        "host": host,
        "port": int(port),
        "token": database.token,
        "path": f"/api/mobile/records/{MARK}",
        "body": payload.document(),
        "clients": clients,
        "seconds": seconds,
        "status": 201,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"], input=msgspec.json.encode(plan), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    return msgspec.json.decode(done.stdout, type=Tally)


def _pgbench(database: Database, *, seconds: int) -> float:
    """Transactions a second."""
    connections = Settings().pool_size
    script = payload.CALL.format(project=":project", device=":device", rest=":rest", fingerprint=":fingerprint")
    values = {
        "project": database.project,
        "device": database.device,
        "rest": payload.rest_of_row(),
        "fingerprint": payload.fingerprint(),
    }
    defined = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
    command = [str(postgres.find({}).program("pgbench")), "--no-vacuum", "--protocol=prepared", f"--time={seconds}"]
    command += [f"--client={connections}", "--jobs=2", *defined, "--file=/dev/stdin", database.url]
    done = subprocess.run(
        command,
        input=" ".join(script.split()),
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(done.stderr[-2000:])
    return float(found[1])
