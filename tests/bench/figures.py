"""From measurements to the figures that are shown: medians, quantiles, ratios and tables. Pure; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median

import msgspec


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One thing measured of us and of a peer; `ratio` is ours to the peer's, `low` and `high` its range over rounds."""

    what: str
    unit: str
    higher_is_better: bool
    ours: float
    peer: float
    ratio: float
    low: float | None = None
    high: float | None = None


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """How long one thing took, in seconds each, and the memory it took in MiB; nobody's but ours.

    Of a page also how often its thread was busy for over 50 ms, and by how many MiB its memory grew meanwhile.
    """

    what: str
    took: Sequence[float]
    memory: float
    long_tasks: int | None = None
    growth: float | None = None


def by_rounds(
    what: str, *, unit: str, ours: Sequence[float], peer: Sequence[float], higher_is_better: bool = True
) -> Comparison:
    """Of interleaved rounds: each round is its own ratio, so that a slow minute of the machine hits both sides of it."""
    ratios = [our / their for our, their in zip(ours, peer, strict=True)]
    return Comparison(
        what=what,
        unit=unit,
        higher_is_better=higher_is_better,
        ours=median(ours),
        peer=median(peer),
        ratio=median(ratios),
        low=min(ratios),
        high=max(ratios),
    )


def by_quantile(what: str, *, unit: str, ours: Sequence[float], peer: Sequence[float], at: float) -> Comparison:
    """Of single durations, at one quantile; lower is better."""
    our, their = quantile(ours, at), quantile(peer, at)
    return Comparison(what=what, unit=unit, higher_is_better=False, ours=our, peer=their, ratio=our / their)


def quantile(values: Sequence[float], at: float) -> float:
    """The smallest value that is not below a share `at` of all (nearest rank)."""
    if not values or not 0 < at <= 1:
        raise ValueError("a quantile needs values, and a share above 0 and up to 1")
    return sorted(values)[ceil(at * len(values)) - 1]


def table(comparisons: Sequence[Comparison]) -> str:
    """A Markdown table that is also aligned for a terminal."""
    head = ("measured", "unit", "better", "ours", "peer", "ours / peer", "in the rounds")
    rows = [head, *(_cells(comparison) for comparison in comparisons)]
    return _lines(rows)


def waits(found: Sequence[Wait]) -> str:
    """A Markdown table of what has no peer."""
    rows = [("waited for", "requests", "p50, ms", "p99, ms", "memory, MiB", "tasks over 50 ms", "growth, MiB")]
    for wait in found:
        p50, p99 = (_short(1000 * quantile(wait.took, at)) for at in (0.5, 0.99))
        tasks = "" if wait.long_tasks is None else f"{wait.long_tasks:,}"
        growth = "" if wait.growth is None else f"{wait.growth:.2f}"
        rows.append((wait.what, f"{len(wait.took):,}", p50, p99, _short(wait.memory), tasks, growth))
    return _lines(rows)


def _lines(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(comparison: Comparison) -> tuple[str, ...]:
    spread = (
        "" if comparison.low is None or comparison.high is None else f"{comparison.low:.2f} to {comparison.high:.2f}"
    )
    return (
        comparison.what,
        comparison.unit,
        "higher" if comparison.higher_is_better else "lower",
        _short(comparison.ours),
        _short(comparison.peer),
        f"{comparison.ratio:.2f}",
        spread,
    )


def _short(value: float) -> str:
    """Three digits say all that a shared machine can tell."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
