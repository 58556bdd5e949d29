"""Rows of lists; what a caller may see goes into every statement as its projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from sql import load


class ListRow(msgspec.Struct, frozen=True, kw_only=True):
    row: dict[str, Any]
    received_at: datetime
    id: UUID


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    count: int


class StatsRow(msgspec.Struct, frozen=True, kw_only=True):
    by_state: dict[str, int]
    received_today: int
    completed_today: int
    median_run_s: float | None


_Q = load("lists")
LIST_RECORDS = _Q.many("list_records", ListRow)
COUNT_RECORDS = _Q.one("count_records", CountRow)
STATS = _Q.one("stats", StatsRow)
