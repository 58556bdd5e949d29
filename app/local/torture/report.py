"""What a torture shows: a line of progress a second at most, the table, and the verdict. Pure but for its output."""

from __future__ import annotations

import time
from typing import TextIO

import msgspec

from app.local.torture.chaos import Tally
from app.local.torture.counts import Half, Kept

_EVERY_S = 1.0
_PLAIN_EVERY_S = 5.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was counted. `left_over`: processes; `unfinished`: guarded records when the time was up."""

    guarded: Half
    unguarded: Half
    kept: Kept
    guarded_tally: Tally
    unguarded_tally: Tally
    unfinished: int
    left_over: int
    took_s: float

    @property
    def held(self) -> bool:
        """Every guarded record exactly once, every stored number right, nothing left behind."""
        every = self.guarded.once == self.guarded.records == self.kept.completed
        return every and not (self.kept.wrong or self.unfinished or self.left_over)


class Progress:
    """One line, redrawn in place on a terminal; elsewhere a new one now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._told_at = 0.0
        self._began = time.monotonic()

    @property
    def took_s(self) -> float:
        return time.monotonic() - self._began

    def say(self, sentence: str) -> None:
        """A line of its own."""
        self._erase()
        print(sentence, file=self._out, flush=True)

    def tell(self, words: str) -> None:
        """The state of things, if the last was long enough ago."""
        now = time.monotonic()
        if now - self._told_at < (_EVERY_S if self._live else _PLAIN_EVERY_S):
            return
        self._told_at = now
        line = f"{self.took_s:4.0f} s  {words}"
        self._erase()
        self._out.write(line if self._live else f"{line}\n")
        self._out.flush()

    def _erase(self) -> None:
        if self._live:
            self._out.write("\r\x1b[K")


def struck(tally: Tally) -> str:
    """A half's tally in words, for the line of progress."""
    return f"{tally.attempts} attempts, {tally.kills} killed, {tally.stops} frozen"


def table(outcome: Outcome) -> str:
    """The two halves side by side."""
    one, two, kept = outcome.guarded, outcome.unguarded, outcome.kept
    a, b = outcome.guarded_tally, outcome.unguarded_tally
    rows: list[tuple[str, object, object]] = [
        ("", "guarded", "unguarded"),
        ("records", one.records, two.records),
        ("attempts", a.attempts, b.attempts),
        ("workers killed (SIGKILL)", a.kills, b.kills),
        ("workers frozen past the lease", a.stops, b.stops),
        ("automation service killed", a.runner_kills, b.runner_kills),
        ("submissions the portal took in", one.submissions, two.submissions),
        ("records submitted exactly once", one.once, two.once),
        ("records duplicated", len(one.copies), len(two.copies)),
        ("copies of those", _copies(one), _copies(two)),
        ("records never submitted", one.never, two.never),
        ("found by look-up, not by the page", kept.by_look_up, "-"),
        ("waiting for a person", kept.waiting, "-"),
        ("wrong confirmations stored", kept.wrong, "-"),
        ("processes left over", outcome.left_over, ""),
    ]
    return "\n".join(f"{name:<34}{left!s:>10}  {right!s:>10}".rstrip() for name, left, right in rows)


def _copies(half: Half) -> str:
    return ",".join(map(str, half.copies)) or "-"


def verdict(outcome: Outcome) -> str:
    """The last line."""
    one, two = outcome.guarded, outcome.unguarded
    beside = f"unguarded, {len(two.copies)} of {two.records} were duplicated"
    if outcome.held:
        return f"HELD: {one.once} of {one.records} guarded records were submitted exactly once; {beside}."
    found = [
        (len(one.copies), "duplicated"),
        (one.never, "never submitted"),
        (outcome.kept.waiting, "waiting for a person"),
        (outcome.kept.failed, "failed"),
        (outcome.unfinished, "unfinished when the time was up"),
        (outcome.kept.wrong, "with a wrong confirmation"),
        (outcome.left_over, "processes left over"),
    ]
    wrong = ", ".join(f"{count} {words}" for count, words in found if count)
    return f"VIOLATED: {one.once} of {one.records} guarded records were submitted exactly once ({wrong}); {beside}."
