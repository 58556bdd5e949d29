from __future__ import annotations

from pathlib import Path

import pytest

from app.core.settings import SECRETS, Settings, SettingsError, environment, load


def problems(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(env=env)
    return refused.value.problems


def test_the_defaults_contradict_nothing() -> None:
    assert load(env={}).gate_s > load(env={}).lease_s


def test_all_problems_are_told_at_once() -> None:
    said = problems(ASBUILT_PORT="eighty", ASBUILT_LEASE_S="5", ASBUILT_HEARTBEAT_S="2")
    assert len(said) == 2
    assert said[0].startswith("ASBUILT_PORT is 'eighty'")
    assert said[1].startswith("ASBUILT_LEASE_S must be at least three times")


def test_a_bucket_comes_with_a_local_folder_and_a_name() -> None:
    settings = load(env={"ASBUILT_BLOBS": "s3://photos/asbuilt", "ASBUILT_SPOOL": "/srv/spool"})
    assert (settings.bucket, settings.blobs) == ("s3://photos/asbuilt", Path("/srv/spool"))
    assert (load(env={"ASBUILT_BLOBS": "/srv/blobs"}).bucket, load(env={}).bucket) == ("", "")
    for wrong in ("s3://", "s3:photos", "s3:///photos", "s3://photos//asbuilt"):
        assert problems(ASBUILT_BLOBS=wrong)[0].startswith(f"ASBUILT_BLOBS is {wrong!r}")


def test_a_gate_outlasts_the_worker_that_was_lost_at_it() -> None:
    assert problems(ASBUILT_GATE_S="55")[0].startswith("ASBUILT_GATE_S must be longer than")
    assert load(env={"ASBUILT_GATE_S": "56"}).gate_s == 56


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """As containers are given them: an environment is shown to whoever may look at the process."""
    url = tmp_path / "database_url"
    url.write_text("postgresql://asbuilt_api:s3cret@postgres/asbuilt\n")
    settings = load("database_url", env={"DATABASE_URL_FILE": str(url), "AUTOMATION_TOKEN": "t"})
    assert (settings.database_url, settings.automation_token) == (url.read_text().strip(), "t")


def test_a_child_process_is_given_the_secret_and_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`asbuilt up` gives each child a DATABASE_URL of its own, beside which a file would be a second one."""
    (tmp_path / "url").write_text("postgresql://given")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    given = environment()
    assert given["DATABASE_URL"] == "postgresql://given"
    assert load(env={**given, "DATABASE_URL": "postgresql://own"}).database_url == "postgresql://own"
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "gone"))
    with pytest.raises(SettingsError):
        environment()


def test_files_that_hold_no_secret_are_told_with_all_other_problems(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text(" \n")
    binary.write_bytes(b"\xff\xfe secret")
    said = problems(
        DATABASE_URL="postgresql://x",
        DATABASE_URL_FILE=str(empty),
        REDIS_URL_FILE="/nowhere/redis",
        AUTOMATION_TOKEN_FILE=str(empty),
        ASBUILT_METRICS_TOKEN_FILE=str(binary),
        ASBUILT_PORT="eighty",
    )
    assert said[:4] == [
        "DATABASE_URL and DATABASE_URL_FILE are both set",
        "REDIS_URL_FILE is '/nowhere/redis', which cannot be read: No such file or directory",
        f"AUTOMATION_TOKEN_FILE is {str(empty)!r}, which is empty",
        f"ASBUILT_METRICS_TOKEN_FILE is {str(binary)!r}, which cannot be read: it is no text",
    ]
    assert said[4].startswith("ASBUILT_PORT is 'eighty'")
    assert len(said) == 5


def test_a_needed_secret_whose_file_cannot_be_read_is_told_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load("database_url", env={"DATABASE_URL_FILE": "/nowhere"})
    assert refused.value.problems == [
        "DATABASE_URL_FILE is '/nowhere', which cannot be read: No such file or directory"
    ]


def test_what_is_called_a_secret_is_a_setting_and_none_is_forgotten() -> None:
    fields = set(Settings.__struct_fields__)
    assert set(SECRETS) <= fields
    assert {name for name in fields if name.endswith(("_token", "_key", "_password"))} <= set(SECRETS)
