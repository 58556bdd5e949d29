"""What phones, portals, workers and people may write into each column that holds text, and where it shows.

A column that is in neither list makes `test_each_column_of_text_is_walked_or_has_its_reason` fail: whoever adds one decides.
"""

from __future__ import annotations

import re

IMAGE = "<img src=x onerror=alert(document)>"
TURN = "\u202e\u200b"
"""Turns what follows around; takes no room."""
MORE_TURNS = "\u061c\u2067\u00ad\ufeff\U000e0041"
CUT = {"form_def.measures:unit": 18}
"""Characters that are seen of what a page shortens to less than the name of its column."""
LONG = 120
"""Characters that every column takes; without a blank to break the line at."""

# Of what cannot be seen, all but what a script or an emoji needs (the two joiners) and what breaks lines.
UNSEEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]"

# Table and column, with the part of a document behind it, by the screen that must show it.
SHOWN = {
    "list": "asbuilt_record.asset_key asbuilt_record.crew device.label form_def.title automation_job.wait_reason",
    "record": (
        "asbuilt_record.fields:key asbuilt_record.fields:value asbuilt_record.fields:row asbuilt_record.fields:constructor"
        " asbuilt_record.review_note asbuilt_record.reviewed_by project.name"
        " form_def.schema:title form_def.shots:label form_def.measures:unit"
        " photo.name photo.shot_key photo.rejected_reason"
        " defect.photo defect.message defect.by defect.reason comment.author comment.text"
        " record_revision.fields:key record_revision.fields:value record_revision.by record_revision.reason"
        " record_revision.content:photo record_revision.content:shot"
        " automation_attempt.worker automation_attempt.error_class automation_attempt.error_message"
        " automation_attempt.log automation_attempt.traceback"
        " automation_attempt.exchange:at automation_attempt.exchange:keyed automation_attempt.exchange:sent automation_attempt.exchange:shown"
        " automation_job.error_class automation_job.error_code automation_job.error_message automation_job.error_step"
        " automation_step.key automation_step.label job_event.actor job_event.data:message job_event.data:reason"
    ),
    "live": "automation_attempt.progress:label automation_attempt.progress:message",
    "completed": "automation_job.confirmation portal_submission.confirmation",
    "operations": "automation_job.wait_reason worker.name worker.version",
    "failures": "automation_job.error_code automation_job.error_message automation_job.error_step automation_attempt.error_code automation_attempt.error_message",
    "portals": "portal.name portal_account.label portal_account.paused_by portal_account.paused_reason",
    "breaker": "portal_account.breaker_reason",
    "questions": (
        "automation_input.prompt automation_input.fields:label automation_input.fields:option automation_input.detail:key"
        " automation_input.detail:value automation_job.error_message"
    ),
    "audit": "audit_event.actor audit_event.action audit_event.reason audit_event.before:value audit_event.after:key audit_event.after:value",
}

# Columns that no page shows, by why.
NEVER = {
    "a CHECK allows but few words": (
        "artifact.kind asbuilt_record.media_state asbuilt_record.review_state automation_attempt.outcome automation_input.kind"
        " automation_input.outcome automation_job.state automation_step.state defect.severity defect.status form_def.state job_event.kind"
        " membership.role photo.checks photo.kind photo.taken_at_source portal.engine portal_account.paused_as portal_submission.state"
        " project.state record_line.severity schema_migration.source upload_session.state"
    ),
    "a CHECK allows but letters, digits and hyphens, or it refers to what such a CHECK is on": (
        "access_token.id asbuilt_record.external_ref asbuilt_record.form_key automation_job.external_ref form_def.form_key portal.key"
        " portal_account.portal_key portal_submission.external_ref portal_submission.portal_key project.code record_line.portal_key"
    ),
    "made of other columns, to find, to count or to compare by": (
        "automation_attempt.failure automation_job.failure automation_step.input_hash idempotency_key.key record_line.job_state"
        " record_line.review_state record_line.search record_serial.field record_serial.serial turn.name"
    ),
    "kept for operators in psql, in no answer of the API": (
        "asbuilt_record.design_snapshot asbuilt_record.fix_type asbuilt_record.position_source audit_event.program"
        " automation_attempt.error_action automation_attempt.error_step automation_input.run_input_id automation_run.run_id"
        " automation_step.outputs artifact.run_id artifact.step design_asset.asset_key design_asset.expected design_asset.kind"
        " device.crew photo.exif portal_submission.confirmed_by portal_submission.evidence project.customer project.tz"
        " retention.note retention.outcome retention.what schema_migration.name schema_migration.sha256"
    ),
    "in the API, and on no page": "app_user.name automation_input.answered_by defect.evidence defect.rule photo.declared_type",
    "names a field, and the form's title of it is shown": "defect.field",
    "drawn as a shape, as far as its coordinates are numbers": "project.boundary",
    "the address of a link, if it is one that a page may lead to": "automation_job.portal_url",
    "of a phone's uploads, read by that phone alone": "upload_session.metadata upload_session.name upload_session.refusal",
    "set by who runs the system, and read by workers": "portal.engine_config portal.recipe portal.url form_def.rules",
    "a type that the server found in the bytes": "blob.type",
    "what its owner signs in with, shown to that person alone": "app_user.email",
    "a list of a few scopes": "access_token.scopes",
}


def nasty(column: str) -> str:
    """Text for a column, which names it."""
    text = f"{TURN}{column}{IMAGE}{MORE_TURNS}"
    return text + "W" * (LONG - len(text))


def seen(column: str) -> str:
    """What a page must show of it at least, as `plain` makes it."""
    return plain(f"{column}{IMAGE[:10]}"[: CUT.get(column)])


def plain(text: str) -> str:
    """Names are shown as words: without their signs, and with other capitals."""
    return re.sub(r"[\s._-]+", " ", text).lower()


def shown() -> dict[str, list[str]]:
    return {screen: columns.split() for screen, columns in SHOWN.items()}


def accounted() -> set[str]:
    """Every column in one of the lists."""
    walked = {column.partition(":")[0] for columns in shown().values() for column in columns}
    return walked | {column for columns in NEVER.values() for column in columns.split()}
