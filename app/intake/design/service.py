"""Storing a project's plan as a file has it: in one transaction, and on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from app.core.db import acting, connect_arguments, unavailable_as_problem
from app.core.errors import InProgress, ProjectUnknown
from app.intake.design import store
from app.intake.design.assets import Asset

BATCH = 2_000
"""Assets a statement: with the largest of them far below what one parameter may hold."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the file's assets; `besides` are others of the project, `uncompared` are values no form looks at."""

    new: int
    changed: int
    same: int
    besides: int
    uncompared: tuple[str, ...]


async def store_design(
    database_url: str, assets: Sequence[Asset], *, project: str, source: str, actor: str, dry_run: bool = False
) -> Imported:
    """Make each asset what the file says of it, all or none; with `dry_run` none, and the answer is what would be.

    Assets that the file does not have stay as they are. Raises `ProjectUnknown`, `InProgress` when another import
    takes longer than this one may wait, `DatabaseUnavailable`.
    """
    async with (
        unavailable_as_problem(),
        await AsyncConnection.connect(database_url, autocommit=True, **connect_arguments("asbuilt-cli")) as conn,
        conn.transaction(force_rollback=dry_run),
        acting(conn, actor),
    ):
        try:
            home = await store.LOCK_PROJECT(conn, code=project)
        except LockNotAvailable as exc:
            raise InProgress(f"another import for {project!r} is running: try again when it is over") from exc
        if home is None:
            raise ProjectUnknown(f"there is no project {project!r}")
        put = [
            await store.PUT_ASSETS(conn, project=home.id, assets=Jsonb(batch))
            # In one order, so that two who change the same rows wait for one another instead of dying of it.
            for batch in _batches(sorted(assets, key=lambda each: each.asset))
        ]
        new, changed, same = (sum(column) for column in zip(*map(msgspec.structs.astuple, put), strict=True))
        if new or changed:
            await store.AUDIT_IMPORT(conn, project=home.id, source=source, new=new, changed=changed, same=same)
        plan = await store.COUNT_ASSETS(conn, project=home.id)
        uncompared = await store.UNCOMPARED(conn, project=home.id)
    return Imported(
        new=new,
        changed=changed,
        same=same,
        besides=plan.assets - len(assets),
        uncompared=tuple(row.path for row in uncompared),
    )


def _batches(assets: Sequence[Asset]) -> Iterator[Sequence[Asset]]:
    for first in range(0, len(assets), BATCH):
        yield assets[first : first + BATCH]
