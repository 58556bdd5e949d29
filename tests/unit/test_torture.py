"""The torture's judgement: what counts as held, and that the seed alone decides who is struck."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.local.torture.chaos import STORMY, Chaos, Tally
from app.local.torture.counts import Kept, Submission, half, kept, read
from app.local.torture.guarded import JobRow
from app.local.torture.report import Outcome, table, verdict


def submission(reference: str, number: str = "NPL-1") -> Submission:
    return Submission(reference=reference, accepted=True, confirmation=number)


def job(reference: str, state: str = "completed", *, number: str | None = "NPL-1", how: str = "page") -> JobRow:
    return JobRow(
        reference=reference,
        state=state,
        wait_reason=None,
        attempt=1,
        interruptions=0,
        error_code=None,
        confirmation=number,
        how=how,
    )


def outcome(*references: str, jobs: tuple[JobRow, ...] = (), left_over: int = 0, unfinished: int = 0) -> Outcome:
    """Two records, AB-1 and AB-2, of which the portal's log holds these submissions."""
    log = [submission(reference) for reference in references]
    return Outcome(
        guarded=half(["AB-1", "AB-2"], log),
        unguarded=half(["AB-1-U", "AB-2-U"], log),
        kept=kept(jobs or (job("AB-1"), job("AB-2", how="lookup")), log),
        guarded_tally=Tally(attempts=3, kills=1),
        unguarded_tally=Tally(attempts=5),
        unfinished=unfinished,
        left_over=left_over,
        took_s=1.0,
    )


def test_once_each_is_held_whatever_the_unguarded_half_did() -> None:
    found = outcome("AB-1", "AB-2", "AB-1-U", "AB-1-U", "AB-1-U")
    assert found.held
    assert verdict(found) == (
        "HELD: 2 of 2 guarded records were submitted exactly once; unguarded, 1 of 2 were duplicated."
    )
    assert found.unguarded.copies == (3,)
    assert found.kept == Kept(completed=2, by_look_up=1, waiting=0, failed=0, wrong=0)
    assert "records never submitted                    0           1" in table(found)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (outcome("AB-1", "AB-2", "AB-2"), "1 duplicated"),
        (outcome("AB-1"), "1 never submitted"),
        (
            outcome("AB-1", "AB-2", jobs=(job("AB-1"), job("AB-2", "needs_input", number=None))),
            "1 waiting for a person",
        ),
        (outcome("AB-1", "AB-2", jobs=(job("AB-1"), job("AB-2", number="NPL-9"))), "1 with a wrong confirmation"),
        (outcome("AB-1", "AB-2", left_over=2), "2 processes left over"),
        (outcome("AB-1", "AB-2", unfinished=1), "1 unfinished when the time was up"),
    ],
)
def test_anything_less_is_violated(found: Outcome, words: str) -> None:
    assert not found.held
    assert verdict(found).startswith("VIOLATED: ")
    assert words in verdict(found)


def test_only_what_the_portal_took_in_counts(tmp_path: Path) -> None:
    """And a line that is just being written is nobody's submission yet."""
    log = tmp_path / "log"
    assert read(log) == []
    refused = msgspec.structs.replace(submission("AB-1"), accepted=False)
    log.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in (submission("AB-1"), refused)) + b'{"refer')
    assert read(log) == [submission("AB-1")]


def test_the_seed_alone_decides() -> None:
    def law(seed: int, kill: float = 0.4) -> list[object]:
        chaos = Chaos(seed=seed, kill=kill)
        return [chaos.strike(f"guarded {n}", attempt) for n in range(100) for attempt in (1, 2)]

    assert law(1) == law(1)
    assert law(1) != law(2)
    assert 50 < sum(strike is not None for strike in law(1)) < 110
    assert set(law(1, kill=0.0)) == {None}
    assert Chaos(seed=1, kill=1.0).strike("guarded 1", STORMY + 1) is None
