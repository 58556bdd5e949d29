"""Rows of planned assets in and out."""

from __future__ import annotations

from uuid import UUID

import msgspec

from sql import load


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class PutRow(msgspec.Struct, frozen=True, kw_only=True):
    """Of one batch: how many assets are new, say something else now, or are as they were."""

    new: int
    changed: int
    same: int


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    assets: int


class PathRow(msgspec.Struct, frozen=True, kw_only=True):
    path: str


_Q = load("design")
LOCK_PROJECT = _Q.opt("lock_project", ProjectRow)
PUT_ASSETS = _Q.one("put_assets", PutRow)
COUNT_ASSETS = _Q.one("count_assets", PlanRow)
UNCOMPARED = _Q.many("uncompared", PathRow)
AUDIT_IMPORT = _Q.exec("audit_import")
