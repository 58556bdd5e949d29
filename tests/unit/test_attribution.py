"""Which field of the record a portal's message is about."""

from __future__ import annotations

import pytest

from tasks.engines.contract import PortalMessage
from tasks.runner.attribution import attributed
from tasks.runner.recipe_file import shipped


@pytest.mark.parametrize(
    ("text", "portal_field", "field"),
    [
        ("Pole height (ft) must be between 20 and 120", "pole_height", "pole_height_ft"),
        ("District: choose one of the list", "district", "district"),
        ("Date installed is in the future", "installed", "date_completed"),
        ("Crew is required", "crew", "crew_lead"),
        ("Crewless work is refused", None, None),
        ("Too many requests", None, None),
        ("Wrong", "notes", "notes"),
    ],
)
def test_a_message_is_brought_back_to_the_field_that_was_keyed(
    text: str, portal_field: str | None, field: str | None
) -> None:
    recipe = shipped().get("npl-asbuilt")
    assert recipe is not None
    (message,) = attributed([PortalMessage(text=text, field=portal_field)], recipe)
    assert (message.record_field, message.field, message.text) == (field, portal_field, text)
