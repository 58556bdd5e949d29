"""The failure codes of runs and the class each belongs to; what to do about a class is the retry policy's business."""

from __future__ import annotations

from typing import Literal

ErrorClass = Literal[
    "transient",
    "portal_down",
    "login_failed",
    "validation_rejected",
    "element_missing",
    "needs_human",
    "duplicate",
    "unknown_outcome",
    "bug",
    "stopped",
]
"""`stopped` is not a failure of the automation: FENCED and CANCELLED end silently."""

CLASS_OF: dict[str, ErrorClass] = {
    "PORTAL_ERROR": "transient",
    "PORTAL_TIMEOUT": "transient",
    "PORTAL_UNREACHABLE": "transient",
    "SERVICE_5XX": "transient",
    "STREAM_LOST": "transient",
    "ELEMENT_TIMEOUT": "transient",
    "SESSION_EXPIRED": "transient",
    "FILE_UNAVAILABLE": "transient",
    "DEADLINE": "transient",
    "BROWSER_LOST": "transient",
    "PAGE_CRASHED": "transient",
    "WORKER_LOST": "transient",
    "COMMIT_NOT_AUTHORIZED": "transient",
    "PREVIOUS_ATTEMPT_IN_COMMIT": "transient",
    "PORTAL_MAINTENANCE": "portal_down",
    "SLOT_BUSY": "portal_down",
    "RATE_LIMITED": "portal_down",
    "PORTAL_PAUSED": "portal_down",
    "OUTSIDE_HOURS": "portal_down",
    "PORTAL_REJECTED": "validation_rejected",
    "FILE_REFUSED": "validation_rejected",
    "OPTION_MISSING": "validation_rejected",
    "VALUE_MISSING": "validation_rejected",
    "READ_BACK_DIFFERS": "validation_rejected",
    "LOGIN_REJECTED": "login_failed",
    "ACCOUNT_LOCKED": "login_failed",
    "OTP_REQUIRED": "needs_human",
    "CAPTCHA": "needs_human",
    "APPROVAL": "needs_human",
    "SECRET_UNUSABLE": "bug",
    "SECRET_HOST": "bug",
    "INPUT_EXPIRED": "needs_human",
    "NOT_APPROVED": "needs_human",
    "ELEMENT_MISSING": "element_missing",
    "AMBIGUOUS_TARGET": "element_missing",
    "UNEXPECTED_DIALOG": "element_missing",
    "UNKNOWN_PAGE": "element_missing",
    "DUPLICATE_REFERENCE": "duplicate",
    "DRAFT_GONE": "element_missing",
    "SUBMIT_OUTCOME_UNKNOWN": "unknown_outcome",
    "LOOKUP_UNSUPPORTED": "unknown_outcome",
    "SUBMIT_NOT_TAKEN": "unknown_outcome",
    "FILE_MISSING": "bug",
    "FILE_DAMAGED": "bug",
    "RECIPE_UNKNOWN": "bug",
    "ENGINE_NOT_CONFIGURED": "bug",
    "BROWSER_NEEDED": "bug",
    "STREAM_GAP": "bug",
    "IDEMPOTENCY_KEY_REUSED": "bug",
    "INTERNAL": "bug",
    "FENCED": "stopped",
    "CANCELLED": "stopped",
}

INTERRUPTIONS = frozenset({"BROWSER_LOST", "PAGE_CRASHED", "WORKER_LOST", "COMMIT_NOT_AUTHORIZED"})
"""Ends that say nothing about the record or the portal: they spend an interruption, never an attempt."""


def class_of(code: str) -> ErrorClass:
    """The class of a code; an unclassified one is a bug by definition."""
    return CLASS_OF.get(code, "bug")
