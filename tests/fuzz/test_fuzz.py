"""No bytes make the multipart parser, the decoder or a form's rules fail but by a problem of the contract."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

ROOT = Path(__file__).parent.parent.parent
SECONDS = {"multipart": 50, "content-type": 10, "record": 30, "fields": 30}
NEWEST_FIRST = ("python3.13", "python3.12")
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
    found = [sys.executable] if sys.version_info >= (3, 12) else [shutil.which(name) or "" for name in NEWEST_FIRST]
    usable = next((each for each in found if each and _runs(each)), None)
    assert usable, "the fuzzer needs a Python 3.12 or 3.13 beside this one"
    folder = tmp_path_factory.mktemp("atheris")
    _run(usable, "-m", "venv", str(folder))
    made = folder / "bin" / "python"
    _run(str(made), "-m", "pip", "install", "--quiet", "atheris>=3.1", str(ROOT))
    return made


def _runs(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
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
