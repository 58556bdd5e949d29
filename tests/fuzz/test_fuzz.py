"""No bytes make the multipart parser, the decoder or a form's rules fail but by a problem of the contract."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

ROOT = Path(__file__).parent.parent.parent
SECONDS = {"multipart": 50, "content-type": 10, "record": 30, "fields": 30}
PYTHON = "3.12"
"""atheris has no wheels for older ones."""


@pytest.mark.parametrize("target", TARGETS)
def test_good_input_is_taken_and_damaged_input_is_answered(target: str) -> None:
    """What a line does to bytes: some are lost, some are others, some come twice."""
    good = seeds(target)

    @settings(max_examples=150)
    @given(st.sampled_from(good), st.integers(0, 2**16), st.integers(0, 40), st.binary(max_size=12))
    def damaged(seed: bytes, at: int, lost: int, instead: bytes) -> None:
        at %= len(seed) + 1
        TARGETS[target](seed[:at] + instead + seed[at + lost :])

    for seed in good:
        TARGETS[target](seed)
    damaged()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with atheris and what the product needs."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "uv makes the fuzzer's environment"
    folder = tmp_path_factory.mktemp("atheris") / "env"
    _run(uv, "venv", "--quiet", "--python", PYTHON, str(folder))
    made = folder / "bin" / "python"
    _run(uv, "pip", "install", "--quiet", "--python", str(made), "atheris>=3.1", str(ROOT))
    return made


def _chosen() -> dict[str, str]:
    """pyenv's Pythons run only when they are chosen; uv finds them then, and brings one of its own otherwise."""
    if shutil.which("pyenv") is None:
        return {}
    listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False)
    usable = [each for each in listed.stdout.split() if each.startswith(f"{PYTHON}.")]
    return {"PYENV_VERSION": usable[-1]} if usable else {}


def _run(*command: str) -> str:
    env = {**os.environ, **_chosen()}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-5000:]}"
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_fuzzer_finds_no_other_way_to_fail(python: Path, tmp_path: Path, target: str) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for n, seed in enumerate(seeds(target)):
        (corpus / f"seed-{n}").write_bytes(seed)
    limits = [f"-max_total_time={SECONDS[target]}", "-rss_limit_mb=2048", "-timeout=5", f"-artifact_prefix={tmp_path}/"]
    said = _run(str(python), "-m", "tests.fuzz", target, *limits, str(corpus))
    assert "DONE" in said or "Done" in said, said[-2000:]
