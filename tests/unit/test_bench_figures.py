"""The arithmetic of the benchmarks: a ratio that is computed the wrong way round would be believed for years."""

from __future__ import annotations

import pytest

from tests.bench.figures import Wait, by_quantile, by_rounds, quantile, table, waits


def test_a_ratio_is_the_median_of_the_rounds_not_of_all_numbers() -> None:
    """In the third round the whole machine was slow: both sides lost, and the ratio holds."""
    found = by_rounds("upload", unit="records/s", ours=[800, 900, 80], peer=[1000, 1000, 100])
    assert (found.ratio, found.low, found.high) == (0.8, 0.8, 0.9)
    assert (found.ours, found.peer) == (800, 1000)


def test_rounds_of_one_side_only_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        by_rounds("upload", unit="records/s", ours=[1, 2], peer=[1])


@pytest.mark.parametrize(
    ("at", "wanted"), [(0.5, 50), (0.99, 99), (1, 100), (0.001, 1)], ids=["median", "p99", "worst", "best"]
)
def test_a_quantile_is_a_value_that_was_measured(at: float, wanted: float) -> None:
    assert quantile(list(range(100, 0, -1)), at) == wanted


@pytest.mark.parametrize("at", [0, -0.5, 1.01])
def test_no_quantile_outside_of_the_values(at: float) -> None:
    with pytest.raises(ValueError, match="share"):
        quantile([1.0], at)


def test_a_quantile_compares_ours_to_the_peers() -> None:
    found = by_quantile("pick-up, median", unit="ms", ours=[6, 8, 10], peer=[4, 4, 4], at=0.5)
    assert (found.ratio, found.higher_is_better, found.low) == (2.0, False, None)


def test_the_table_shows_three_digits_and_aligns_for_a_terminal() -> None:
    rows = table(
        [
            by_rounds("upload", unit="records/s", ours=[1234.5], peer=[2000]),
            by_quantile("pick-up", unit="ms", ours=[3.456], peer=[12.34], at=0.5),
        ]
    ).splitlines()
    assert rows[2].replace(" ", "") == "|upload|records/s|higher|1,230|2,000|0.62|0.62to0.62|"
    assert rows[3].replace(" ", "") == "|pick-up|ms|lower|3.46|12.3|0.28||"
    assert len({len(row) for row in rows}) == 1


def test_waits_are_shown_in_milliseconds() -> None:
    record = Wait(what="a record", took=[0.002] * 98 + [0.5] * 2, memory=83.4)
    page = Wait(what="a page", took=[0.01], memory=4, long_tasks=0, growth=-0.125)
    head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in waits([record, page]).splitlines())
    assert head[1:] == ["requests", "p50, ms", "p99, ms", "memory, MiB", "tasks over 50 ms", "growth, MiB"]
    assert rows == [
        ["a record", "100", "2.00", "500", "83.4", "", ""],
        ["a page", "1", "10.0", "10.0", "4.00", "0", "-0.12"],
    ]
