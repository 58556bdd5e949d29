"""Storing a form version that comes from outside: never over another one, and on record."""

from __future__ import annotations

from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Json, Jsonb

from app.core.db import connect_arguments, unavailable_as_problem
from app.core.errors import ProjectUnknown
from app.intake.form_defs import FormDef
from sql import load


class FormTaken(Exception):
    """This version of the form is there, and says something else; a version is never edited."""


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    same: bool


class _Project(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


_Q = load("forms")
LOCK_FORMS = _Q.exec("lock_forms")
FORM_VERSIONS = _Q.many("form_versions", _Version)
ADD_FORM = _Q.exec("add_form")
PROJECT_OF_CODE = _Q.opt("project_of_code", _Project)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """`new` is false when the same content was there already."""

    version: int
    new: bool


async def store_form(
    database_url: str, form: FormDef, *, fixed_version: bool, project: str, actor: str, source: str
) -> Stored:
    """Add the form as its own version, or as the next one; content that is there already is left as it is.

    Raises `ProjectUnknown`, `DatabaseUnavailable`, and `FormTaken` for a fixed version that says something else.
    """
    content = {
        "form_key": form.form_key,
        "title": form.title,
        "schema": Json(form.schema),
        "shots": Jsonb(msgspec.to_builtins(form.shots)),
        "measures": Jsonb(msgspec.to_builtins(form.measures)),
        "rules": Jsonb(msgspec.to_builtins(form.rules)),
    }
    async with (
        unavailable_as_problem(),
        await AsyncConnection.connect(database_url, **connect_arguments("asbuilt-cli")) as conn,
    ):
        home = await PROJECT_OF_CODE(conn, code=project)
        if home is None:
            raise ProjectUnknown(f"there is no project {project!r}")
        await LOCK_FORMS(conn)
        known = await FORM_VERSIONS(conn, **content)
        there = next((each for each in known if each.version == form.version), None) if fixed_version else None
        if there is not None and not there.same:
            raise FormTaken(f"version {form.version} of {form.form_key!r} is there and says something else")
        if there is None and not fixed_version and known and known[0].same:
            there = known[0]
        if there is not None:
            return Stored(version=there.version, new=False)
        version = form.version if fixed_version else 1 + max((each.version for each in known), default=0)
        await ADD_FORM(conn, **content, version=version, actor=actor, source=source, project=home.id)
    return Stored(version=version, new=True)
