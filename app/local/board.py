"""What the demo shows: one line a record, redrawn on a terminal, printed on change elsewhere, and the table at the end."""

from __future__ import annotations

import shutil
import time
from typing import TextIO
from uuid import UUID

from app.core.cache import Progress
from app.jobs.schemas import JobView
from app.jobs.states import LOOKS, JobState
from app.local.samples import Sample

_REDRAW_S = 0.1
_BAR = 20
_TONES = {"good": "32", "bad": "31", "warn": "33", "run": "36", "wait": "2", "mute": "2"}


class Line:
    """One record on the board."""

    def __init__(self, sample: Sample) -> None:
        self.title = sample.title
        self.form = sample.form
        self.work_order = sample.work_order
        self.note = "sending"
        self.job_id: UUID | None = None
        self.job: JobView | None = None
        self.progress: Progress | None = None
        self.submissions: int | None = None

    @property
    def state(self) -> JobState | None:
        return self.job.state if self.job else None

    @property
    def proven(self) -> bool:
        """Completed, and exactly once at the portal."""
        return self.state is JobState.COMPLETED and self.submissions == 1

    def words(self) -> str:
        """State and step, without the bar."""
        if self.job is None:
            return self.note
        look = LOOKS[self.job.state]
        if self.job.state is JobState.PROCESSING and self.progress and self.progress.attempt == self.job.attempt:
            return f"{self.progress.label} ({self.progress.step_index}/{self.progress.step_total})"
        if self.job.state is JobState.COMPLETED:
            return f"{look.label}  {self.job.confirmation}"
        if self.job.error and self.job.state is not JobState.QUEUED:
            return f"{look.label}: {self.job.error.message}"
        return look.label

    def percent(self) -> int:
        if self.state is JobState.COMPLETED:
            return 100
        return self.progress.percent if self.progress and self.state is JobState.PROCESSING else 0


class Board:
    """Draws lines to `out`; on a terminal in place, at most ten times a second."""

    def __init__(self, out: TextIO) -> None:
        self.lines: list[Line] = []
        self._out = out
        self._live = out.isatty()
        self._drawn = 0
        self._drawn_at = 0.0

    def add(self, sample: Sample) -> Line:
        line = Line(sample)
        self.lines.append(line)
        return line

    def say(self, words: str) -> None:
        """A sentence above the board."""
        self._erase()
        print(words, file=self._out, flush=True)

    def changed(self, line: Line, *, now: bool = False) -> None:
        """Show a change of one line."""
        if not self._live:
            print(f"{line.work_order}  {line.title}: {line.words()}", file=self._out, flush=True)
        elif now or time.monotonic() - self._drawn_at >= _REDRAW_S:
            self.draw()

    def draw(self) -> None:
        """Draw the board again, as much of it as fits."""
        if not self._live:
            return
        width, height = shutil.get_terminal_size()
        busy = sorted(self.lines, key=lambda line: line.proven or line.state is JobState.COMPLETED)
        shown = busy[: max(1, height - 3)]
        done = sum(line.state is JobState.COMPLETED for line in self.lines)
        rows = [self._row(line, width) for line in shown] + [f"{done} of {len(self.lines)} completed"]
        self._erase()
        self._out.write("".join(f"{row}\n" for row in rows))
        self._out.flush()
        self._drawn, self._drawn_at = len(rows), time.monotonic()

    def table(self) -> None:
        """The summary, one row a record."""
        self._erase()
        rows: list[tuple[str, ...]] = [
            ("work order", "asset", "form", "state", "attempts", "seconds", "confirmation", "at the portal")
        ]
        rows += [_summary(line) for line in self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip(), file=self._out)
        self._out.flush()

    def _row(self, line: Line, width: int) -> str:
        filled = round(line.percent() / 100 * _BAR)
        text = f"{line.work_order} {line.title[:30]:<30} {'█' * filled}{'░' * (_BAR - filled)} {line.words()}"
        tone = _TONES[LOOKS[line.state].tone] if line.state else "2"
        return f"\x1b[{tone}m{text[: width - 1]}\x1b[0m"

    def _erase(self) -> None:
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0


def _summary(line: Line) -> tuple[str, ...]:
    job = line.job
    took = (job.finished_at - job.created_at).total_seconds() if job and job.finished_at else None
    return (
        line.work_order,
        line.title,
        line.form,
        LOOKS[job.state].label if job else line.note,
        str(job.attempt) if job else "-",
        f"{took:.1f}" if took is not None else "-",
        (job.confirmation if job else None) or "-",
        "-" if line.submissions is None else f"{line.submissions} submission{'s' * (line.submissions != 1)}",
    )
