"""Where the home of a local stack lies, and what is kept in it."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from app.local import home as homes
from app.local.errors import LocalStackError
from app.local.home import Home

ME = Path("/home/me")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(root=tmp_path / "home")
    homes.prepare(made)
    return made


@pytest.mark.parametrize(
    ("platform", "env", "root"),
    [
        ("linux", {}, "/home/me/.local/share/asbuilt"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/asbuilt"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/home/me/.local/share/asbuilt"),
        ("linux", {"XDG_DATA_HOME": ""}, "/home/me/.local/share/asbuilt"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/home/me/Library/Application Support/asbuilt"),
    ],
)
def test_default_home(platform: str, env: dict[str, str], root: str) -> None:
    assert homes.locate(None, env=env, platform=platform, user_home=ME).root == Path(root)


def test_the_chosen_home_wins_and_is_absolute() -> None:
    found = homes.locate(Path("here"), env={"XDG_DATA_HOME": "/data"}, platform="linux", user_home=ME)
    assert found.root == Path.cwd() / "here"


def test_the_home_is_closed_to_others(home: Home) -> None:
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.blobs.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackError, match="--home"):
        homes.prepare(Home(root=tmp_path / "file" / "home"))


def test_secrets_are_made_once_and_private(home: Home) -> None:
    made = homes.load_secrets(home)
    assert len(made.automation_token) >= 32
    assert homes.load_secrets(home) == made
    assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600


def test_ports_are_kept(home: Home) -> None:
    ports = homes.load_ports(home)
    assert ports.runner != ports.portal
    assert homes.load_ports(home) == ports


def test_a_port_taken_meanwhile_is_replaced_and_the_other_kept(home: Home) -> None:
    ports = homes.load_ports(home)
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", ports.runner))
        taker.listen()
        assert not homes.is_free(ports.runner)
        again = homes.load_ports(home)
    assert again.runner != ports.runner
    assert again.portal == ports.portal


def test_a_spoilt_ports_file_is_made_anew(home: Home) -> None:
    home.ports_file.write_bytes(b'{"runner": 1')
    assert homes.load_ports(home).runner > 1023


def test_settings_come_back_as_written(home: Home) -> None:
    values = {"DATABASE_URL": "postgresql://postgres@/asbuilt?host=/tmp/a=b", "REDIS_URL": "", "ASBUILT_PORT": "8000"}
    homes.write_env(home, values=values)
    assert homes.read_env(home) == values
    assert stat.S_IMODE(home.env_file.stat().st_mode) == 0o600


def test_no_settings_without_a_running_stack(home: Home) -> None:
    assert homes.read_env(home) == {}


def test_the_token_is_kept(home: Home) -> None:
    assert homes.load_token(home) == ""
    homes.keep_token(home, token="abk_x_y")
    assert homes.load_token(home) == "abk_x_y"
    assert stat.S_IMODE(home.token_file.stat().st_mode) == 0o600
