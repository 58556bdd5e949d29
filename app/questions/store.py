"""Rows of questions in and out; an answer goes in sealed and never comes out here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from sql import load


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    project_id: UUID


class ViewRow(msgspec.Struct, frozen=True, kw_only=True):
    view: dict[str, Any]


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    """`held`: a run holds a page of the portal open for the answer."""

    view: dict[str, Any]
    held: bool


_Q = load("questions")
FIND_JOB = _Q.opt("find_job", ProjectRow)
INPUTS_OF_JOB = _Q.many("inputs_of_job", ViewRow)
FIND_INPUT = _Q.opt("find_input", InputRow)
ANSWER_INPUT = _Q.one("answer_input", ViewRow)
