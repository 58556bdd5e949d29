"""How a Postgres is found, told what to do, and seen to be ready."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg.conninfo
import pytest

from app.local import postgres
from app.local.errors import LocalStackError
from app.local.sockets import require_private, socket_directory

PID_FILE = ["4711", "/home/postgres", "1793000000", "5432", "/tmp/s", "", "  1234567         0"]


def test_a_chosen_folder_wins(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("")
    assert postgres.find({"ASBUILT_PG_BIN": str(tmp_path)}).source == "ASBUILT_PG_BIN"


def test_a_chosen_folder_without_postgres_is_an_error_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="ASBUILT_PG_BIN"):
        postgres.find({"ASBUILT_PG_BIN": str(tmp_path)})


def test_the_server_opens_no_tcp_port_and_keeps_what_it_acknowledged() -> None:
    binaries = postgres.Binaries(folder=Path("/pg/bin"), source="test")
    line = postgres.command(binaries, version=18, data=Path("/d"), sockets=Path("/s"))
    assert "listen_addresses=" in line
    assert "fsync=on" in line
    assert "unix_socket_permissions=0700" in line


def test_the_url_is_what_libpq_reads_and_a_shell_may_source() -> None:
    url = postgres.url(Path("/tmp/a b"), database="asbuilt")
    assert psycopg.conninfo.conninfo_to_dict(url) == {
        "user": "postgres",
        "host": "/tmp/a b",
        "port": "5432",
        "dbname": "asbuilt",
    }
    assert not set(url) & set(" &;'\"$`|<>")


@pytest.mark.parametrize(
    ("lines", "ready"),
    [
        ([], False),
        (PID_FILE[:1], False),
        (PID_FILE, False),
        ([*PID_FILE, "starting"], False),
        ([*PID_FILE, "ready   "], True),
        (["4712", *PID_FILE[1:], "ready   "], False),
    ],
)
def test_ready_is_our_pid_and_the_word_on_line_eight(tmp_path: Path, lines: list[str], ready: bool) -> None:
    (tmp_path / "postmaster.pid").write_text("\n".join(lines))
    assert postgres.is_ready(tmp_path, pid=4711) is ready


def test_a_pid_file_whose_number_is_somebody_else_s_now_no_longer_blocks(tmp_path: Path) -> None:
    lines = [str(os.getppid()), *PID_FILE[1:], "ready"]
    (tmp_path / "postmaster.pid").write_text("\n".join(lines))
    postgres.disown_stale_pid(tmp_path)
    assert (tmp_path / "postmaster.pid").read_text().splitlines() == [str(os.getpid()), *lines[1:]]


def test_sockets_lie_in_a_short_private_directory_of_the_home(tmp_path: Path) -> None:
    long_home = tmp_path / ("very-" * 20 + "long")
    sockets = socket_directory(long_home, base=tmp_path)
    assert len(sockets.name) < 40
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert socket_directory(long_home, base=tmp_path) == sockets
    assert socket_directory(tmp_path / "other", base=tmp_path) != sockets


def test_a_link_in_place_of_the_socket_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalStackError, match="somebody else"):
        require_private(tmp_path / "link")


def test_a_directory_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    require_private(tmp_path / "open")
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o700
