"""The wire shapes of questions. `InputView` is the SQL function `input_view`; no shape carries what was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Kind = Literal["otp", "captcha", "approval", "choice", "fix"]


class InputField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in; `options` are what a `choice` is among."""

    key: str
    label: str
    type: Literal["text", "choice"] = "text"
    options: list[str] = []


class InputView(msgspec.Struct, frozen=True, kw_only=True):
    """A question, open while `outcome` is null. `screenshot` is the address of the picture of the portal's page.

    `detail` of an approval is what stands on the portal's review page: `keyed` by label, and `photo_count`.
    """

    id: UUID
    kind: Kind
    prompt: str
    fields: list[InputField]
    detail: dict[str, object]
    screenshot: str | None
    attempt: int
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    outcome: Literal["answered", "used", "approved", "refused", "expired", "withdrawn"] | None


class InputList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: list[InputView]


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value for each field of the question, by its key. `reason` goes with a decision, and is kept."""

    values: dict[str, str]
    reason: str = ""

    def __repr__(self) -> str:
        return "Answer(…)"
