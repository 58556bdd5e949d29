"""compose.yaml and the Containerfile, held against what docs/deploy.md promises of them. No engine is asked: one may not be there."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

import msgspec
import pytest

from app.core.settings import Settings, load, variable
from app.core.vault import new_key
from app.main import SHUTDOWN_S
from tests import composed

FILLED = {name: name.lower().replace("_", "-") * 2 for name, needed in composed.variables().items() if needed} | {
    "SECRET_KEY": new_key()
}
SERVICES = composed.services(FILLED)
OURS = sorted(name for name, each in SERVICES.items() if each["image"].startswith("asbuilt"))
ONE_SHOT = {"migrate", "tools"}
CONTAINERFILE = (composed.ROOT / "app" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
INSTRUCTIONS = [line.partition(" ")[::2] for line in CONTAINERFILE.splitlines() if line and not line.startswith("#")]

OWNERS = {
    "OWNER_PASSWORD": {"postgres", "migrate", "tools"},
    "APP_PASSWORD": {"postgres", "api"},
    "WORKER_PASSWORD": {"postgres", "worker"},
    "PORTAL_PASSWORD": {"postgres", "portal"},
    "AUTOMATION_TOKEN": {"api", "worker", "runner", "tools"},
    "SECRET_KEY": {"api", "worker", "runner", "tools"},
}
"""Who is given which secret; what the runner does not have, no page that it opens can take."""


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_its_work(name: str) -> None:
    each = SERVICES[name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(each)
    assert all(int(number) > 0 for number in each["user"].split(":"))
    assert each["tmpfs"]
    assert {"cpus", "memory", "pids"} == set(each["deploy"]["resources"]["limits"])
    assert each["restart"] == {"migrate": "on-failure:5", "tools": "no"}.get(name, "unless-stopped")
    assert ("healthcheck" in each) != (name in ONE_SHOT)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_reached_from_outside_but_by_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))
    assert ("ports" in SERVICES[name]) == (name == "api")


def test_who_runs_strangers_pages_reaches_no_data() -> None:
    networks = composed.read(FILLED)["networks"]
    assert networks["data"] == {"internal": True}
    assert SERVICES["runner"]["networks"] == ["front"]
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["data"]


def test_images_of_others_are_pinned_to_a_major() -> None:
    pins = {each["image"] for name, each in SERVICES.items() if name not in OURS}
    assert pins == {"postgres:18", "valkey/valkey:9"}


@pytest.mark.parametrize("secret", OWNERS)
def test_a_secret_is_given_to_those_who_need_it(secret: str) -> None:
    given = {name for name, each in SERVICES.items() if FILLED[secret] in str(each.get("environment"))}
    assert given == OWNERS[secret]


def test_every_needed_variable_is_a_secret_and_is_made_by_the_page() -> None:
    needed = {name for name, needed in composed.variables().items() if needed}
    page = (composed.ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert needed == set(OWNERS)
    assert [name for name in composed.variables() if name not in page] == []


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_process_are_settings(name: str) -> None:
    """A misspelt variable is one that nothing reads, and that everybody believes in."""
    env = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
    known = {variable(field.name) for field in msgspec.structs.fields(Settings)}
    assert set(env) - known - {"FORWARDED_ALLOW_IPS", "HOME", "ASBUILT_SPOOL"} == set()
    load(env=env)


BUCKET = {
    "ASBUILT_BLOBS": "s3://photos/asbuilt",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://minio:9000",
}


@pytest.mark.parametrize("name", ["api", "worker", "tools"])
def test_a_bucket_in_env_reaches_who_opens_photos_and_what_arrives_lies_on_a_volume(name: str) -> None:
    """In /tmp, which is memory, there is less than the room that is kept free, and every photo was refused."""
    each = composed.services(FILLED | BUCKET)[name]
    env = {key: str(value) for key, value in each["environment"].items()}
    assert {key: env.get(key) for key in BUCKET} == BUCKET
    settings = load(env=env)
    assert settings.bucket == BUCKET["ASBUILT_BLOBS"]
    assert str(settings.blobs) in [volume.split(":")[1] for volume in each["volumes"]]


def test_without_keys_the_bucket_is_opened_by_the_role_of_the_machine() -> None:
    """An empty key is a key to the client: it would sign with it, and ask for no role."""
    assert [(name, key) for name in OURS for key in SERVICES[name]["environment"] if key.startswith("AWS_")] == []


def test_each_process_signs_in_as_itself() -> None:
    users = {
        name: found[1]
        for name, each in SERVICES.items()
        if (found := re.match(r"postgresql://(\w+):", each.get("environment", {}).get("DATABASE_URL", "")))
    }
    assert users == {
        "migrate": "asbuilt", "tools": "asbuilt", "api": "asbuilt_api", "worker": "asbuilt_runs", "portal": "asbuilt_portal",
    }  # fmt: skip
    logins = (composed.ROOT / "sql" / "setup" / "logins.sql").read_text(encoding="utf-8")
    assert [user for user in users.values() if user != "asbuilt" and f"alter role {user} password" not in logins] == []


def test_a_process_is_given_the_time_that_its_end_takes() -> None:
    grace = {
        name: composed.seconds(each["stop_grace_period"]) for name, each in SERVICES.items() if name not in ONE_SHOT
    }
    assert grace["worker"] >= float(SERVICES["worker"]["environment"]["ASBUILT_DRAIN_S"]) + 20
    assert grace["api"] > SHUTDOWN_S + 5
    assert min(grace.values()) >= 10


def test_what_is_written_to_is_a_volume_that_the_image_gives_to_its_user() -> None:
    """A named volume takes its owner from the folder in the image: one that is not there belongs to root."""
    made = re.search(r"install -d -o 10001 -g 10001 -m 0750 ([^&]+)", CONTAINERFILE)
    assert made is not None
    for name in OURS:
        for volume in SERVICES[name].get("volumes", []):
            source, target, *how = volume.split(":")
            if source.startswith("."):
                assert how == ["ro"], volume
            else:
                assert target in made[1].split(), volume
                assert source in composed.read(FILLED)["volumes"]
    assert {each["user"] for name, each in SERVICES.items() if name in OURS} == {"10001:10001"}


def test_the_containerfile_makes_images_that_run_as_nobody_in_particular() -> None:
    bases = [words.split()[0] for verb, words in INSTRUCTIONS if verb == "FROM"]
    stages = [words.split()[2] for verb, words in INSTRUCTIONS if verb == "FROM"]
    assert stages == ["build", "app", "runner"]
    assert {base for base in bases if base not in stages} == {"python:3.13-slim"}
    assert {each["build"]["target"] for name, each in SERVICES.items() if name in OURS} == {"app", "runner"}
    user = ""
    for verb, words in INSTRUCTIONS:
        user = {"FROM": "0:0" if words.split()[0] not in stages else user, "USER": words}.get(verb, user)
        if verb == "CMD":
            assert user == "10001:10001"
            assert words.startswith('["')  # by exec: a shell in between does not hand SIGTERM on
    assert not {verb for verb, _ in INSTRUCTIONS} & {"ADD", "ARG", "ENTRYPOINT"}
    for words in (words for verb, words in INSTRUCTIONS if verb == "RUN" and "apt-get install" in words):
        assert "--no-install-recommends" in words
        assert "rm -rf /var/lib/apt/lists" in words
        assert words.index("apt-get update") < words.index("apt-get install")


def test_what_is_copied_is_let_through_and_there() -> None:
    """Everything else stays outside: a .env in the build's context would be a secret in an image's layer."""
    through = (composed.ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert through[0] == "*"
    copied: set[str] = set()
    for verb, words in INSTRUCTIONS:
        if verb == "COPY" and "--from" not in words:
            *sources, _to = shlex.split(words)
            copied |= {str(PurePosixPath(source)) for source in sources}
    assert copied == {line[1:] for line in through if line.startswith("!")}
    assert all((composed.ROOT / name).exists() for name in copied)
