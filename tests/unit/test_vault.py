"""Secrets at rest: sealed under a key of the environment, referred to by name, and never in a message."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.core import credentials
from app.core.credentials import AccountEntry, Unresolved, resolve
from app.core.settings import Settings, SettingsError, load
from app.core.vault import NoKey, Unreadable, Vault, new_key
from app.local.accounts import set_account
from app.local.home import Home, load_secrets, prepare
from tasks.runner.portals import configured

KEY = "k" * 43 + "="
"""The same in every process that collects these tests."""
SECRET = "correct horse «battery» staple"


def test_what_is_sealed_opens_under_the_same_key_and_is_nowhere_in_the_sealed_text() -> None:
    vault = Vault([new_key()])
    sealed = vault.seal(SECRET)
    assert SECRET.encode() not in sealed
    assert sealed != vault.seal(SECRET)
    assert vault.open(sealed) == SECRET


def test_keys_are_changed_by_putting_the_new_one_first() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal(SECRET)
    both = Vault([new, old])
    assert both.open(sealed) == SECRET
    assert Vault([new]).open(both.seal(SECRET)) == SECRET
    with pytest.raises(Unreadable):
        Vault([new]).open(sealed)


def test_a_damaged_text_and_a_missing_key_are_said_without_the_text() -> None:
    vault = Vault([new_key()])
    sealed = bytearray(vault.seal(SECRET))
    sealed[30] ^= 1
    with pytest.raises(Unreadable, match="another ASBUILT_SECRET_KEY"):
        vault.open(bytes(sealed))
    with pytest.raises(NoKey, match="not set"):
        Vault(()).seal(SECRET)


@pytest.mark.parametrize("key", ["short", "x" * 44, "ä" * 43, "A" * 43 + "=,tooshort"])
def test_a_bad_key_is_refused_at_the_start_by_name_and_never_shown(key: str) -> None:
    with pytest.raises(SettingsError, match="ASBUILT_SECRET_KEY") as refused:
        load(env={"ASBUILT_SECRET_KEY": key})
    assert key not in str(refused.value)


def test_settings_that_end_up_in_a_text_show_nothing() -> None:
    assert SECRET not in repr(Settings(npl_password=SECRET))


def test_references_are_resolved_from_where_they_say(tmp_path: Path) -> None:
    vault = Vault([new_key()])
    (tmp_path / "word").write_text(SECRET + "\n")
    env = {"NPL_PASSWORD": SECRET}
    sealed = credentials.sealed(SECRET, vault=vault)
    for reference in ("env:NPL_PASSWORD", f"file:{tmp_path / 'word'}", sealed, SECRET):
        assert resolve(reference, vault=vault, env=env) == SECRET


@pytest.mark.parametrize("reference", ["env:NOBODY", "file:/nowhere/at/all", "vault:gAAAAdamaged"])
def test_a_reference_that_leads_nowhere_says_which(reference: str) -> None:
    with pytest.raises(Unresolved):
        resolve(reference, vault=Vault([new_key()]), env={})


def test_a_file_that_is_written_is_the_owners_alone_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    account = AccountEntry(user='quo"ted\\', password="env:NPL", totp="file:/run/totp")
    credentials.put(path, portal="npl", label="crew α", account=account, url="https://portal.example.com")
    credentials.put(path, portal="npl", label="other", account=AccountEntry(user="u", password="p"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = credentials.read(path)["npl"]
    assert read.url == "https://portal.example.com"
    assert read.accounts["crew α"].references() == account.references()
    assert set(read.accounts) == {"crew α", "other"}
    assert "env:NPL" not in repr(read)


def test_the_command_seals_what_it_is_given_and_the_service_opens_it(tmp_path: Path) -> None:
    home = Home(root=tmp_path / "home")
    (tmp_path / "word").write_text(SECRET)
    path = set_account(
        home,
        portal="npl",
        label="north",
        user="contractor",
        password="",
        password_file=tmp_path / "word",
        totp_file=None,
        url="http://127.0.0.1:9/",
        env={},
    )
    assert SECRET not in path.read_text()
    settings = Settings(secret_key=(load_secrets(home).secret_key,), accounts=path)
    portal = configured(settings)["npl"]
    assert portal.accounts["north"].values() == {"user": "contractor", "password": SECRET}
    assert portal.accounts["north"].secrets() == [SECRET]
    assert portal.hosts() == {"127.0.0.1:9"}
    assert SECRET not in repr(portal)
    with pytest.raises(SettingsError, match="account north of portal npl"):
        configured(Settings(accounts=path))


def test_a_home_of_an_earlier_version_gets_its_key_once(tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    prepare(home)
    home.secrets_file.write_text('{"automation_token": "kept"}')
    made = load_secrets(home)
    assert made.automation_token == "kept"
    assert made == load_secrets(home)
    assert Vault([made.secret_key])


def test_the_file_may_hold_the_demo_portals_account_too(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    credentials.put(path, portal="npl", label="default", account=AccountEntry(user="own", password="pass-own"))
    found = configured(Settings(accounts=path, portal_url="http://127.0.0.1:8"))["npl"]
    assert found.base_url == "http://127.0.0.1:8"
    assert found.accounts["default"].values()["password"] == "pass-own"
    assert configured(Settings(portal_url="http://127.0.0.1:8"))["npl"].accounts["default"].values()["user"]
