from __future__ import annotations

from pathlib import Path

import pytest

from app.core.settings import SettingsError, load


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
