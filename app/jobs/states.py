"""The states of a job, each with what people read and see of it. The map is total; a test walks every member."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class JobState(StrEnum):
    """Design section 5; the database's CHECK knows the same words."""

    AWAITING_MEDIA = "awaiting_media"
    HELD = "held"
    QUEUED = "queued"
    PROCESSING = "processing"
    RETRYING = "retrying"
    NEEDS_INPUT = "needs_input"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a state is shown: a word, an icon's name, and a tone; never the tone alone."""

    label: str
    icon: str
    tone: str
    terminal: bool = False


LOOKS: dict[JobState, Look] = {
    JobState.AWAITING_MEDIA: Look(label="Awaiting photos", icon="camera", tone="wait"),
    JobState.HELD: Look(label="Held", icon="hand", tone="warn"),
    JobState.QUEUED: Look(label="Queued", icon="queue", tone="wait"),
    JobState.PROCESSING: Look(label="Processing", icon="gear", tone="run"),
    JobState.RETRYING: Look(label="Retrying", icon="retry", tone="warn"),
    JobState.NEEDS_INPUT: Look(label="Needs a person", icon="question", tone="warn"),
    JobState.COMPLETED: Look(label="Completed", icon="check", tone="good", terminal=True),
    JobState.FAILED: Look(label="Failed", icon="cross", tone="bad", terminal=True),
    JobState.CANCELLED: Look(label="Cancelled", icon="stop", tone="mute", terminal=True),
}
