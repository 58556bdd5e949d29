"""Web processes that may be killed at any moment, and a phone that sends to any of them over lines that may be cut."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import msgspec
import psycopg

from app.core.settings import Settings
from app.local.process import launched
from tests.worker.processes import ROOT, variables

DEADLINE_S = 60.0
SERVE = (str(Path(sys.executable).parent / "asbuilt"), "serve")


class Web:
    """One web process, started when it is needed; `crashpoint` is for the life that begins then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = msgspec.structs.replace(settings, port=0)
        self._process: subprocess.Popen[str] | None = None
        self._said = Path(tempfile.mkstemp(prefix="asbuilt-web-")[1])
        self.url = ""

    def up(self, crashpoint: str = "") -> str:
        """Its URL; a life that is over is followed by the next."""
        if crashpoint:
            self.kill()
        if self._process is None or self._process.poll() is not None:
            env = variables(msgspec.structs.replace(self._settings, crashpoint=crashpoint))
            with self._said.open("ab") as said:
                self._process = subprocess.Popen(
                    launched(SERVE, directory=ROOT, death_signal=signal.SIGKILL),
                    env=env, stdout=subprocess.PIPE, stderr=said, text=True,
                )  # fmt: skip
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            assert line.startswith("ready "), self.said[-3000:]
            self.url = line.split()[-1]
        return self.url

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        self.kill()
        self._said.unlink()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request, whole, to be sent as often as need be."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes = b""

    def raw(self, url: str) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {url.removeprefix('http://')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode() + self.body


class Rig(msgspec.Struct, frozen=True, kw_only=True):
    """The web processes of one installation, and a way to look at its database and its files."""

    webs: list[Web]
    conn: psycopg.Connection[tuple[object, ...]]
    blobs: Path
    token: str
    http: httpx.Client
    threads: ThreadPoolExecutor

    def send(self, web: int, ask: Ask) -> httpx.Response | None:
        """The answer; none when the process died of it."""
        try:
            return self.http.request(ask.method, self.webs[web].up() + ask.path, headers=ask.headers, content=ask.body)
        except httpx.TransportError:
            return None

    def send_to_all(self, asks: list[tuple[int, Ask]]) -> list[httpx.Response | None]:
        """At the same time."""
        for web, _ in asks:
            self.webs[web].up()
        return list(self.threads.map(lambda one: self.send(*one), asks))

    def cut(self, web: int, ask: Ask, share: float, *, kill: bool = False) -> None:
        """Send a share of the request and hang up, or `kill` the process then; nobody reads an answer."""
        url = self.webs[web].up()
        host, _, port = url.removeprefix("http://").partition(":")
        raw = ask.raw(url)
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=DEADLINE_S) as line:
            line.sendall(raw[: int(share * len(raw))])
            if kill:
                self.webs[web].kill()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return self.conn.execute(query.encode(), values).fetchall()


@contextmanager
def rig(settings: Settings, token: str, *, webs: int = 2) -> Iterator[Rig]:
    made = [Web(settings) for _ in range(webs)]
    with (
        psycopg.connect(settings.database_url, autocommit=True) as conn,
        httpx.Client(timeout=DEADLINE_S, trust_env=False) as http,
        ThreadPoolExecutor(8) as threads,
    ):
        try:
            yield Rig(webs=made, conn=conn, blobs=settings.blobs, token=token, http=http, threads=threads)
        finally:
            for web in made:
                web.close()
