"""The catalogue of rules, its page and the rules themselves say the same."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from app.intake.form_defs import bundled
from app.intake.form_rules import Thresholds
from app.intake.rules.catalogue import BY_RULE, CATALOGUE

ROOT = Path(__file__).parent.parent.parent


def test_each_rule_has_one_entry_and_each_entry_a_rule() -> None:
    """A rule that nobody catalogued was told to crews and explained nowhere."""
    written = "".join(path.read_text() for path in (ROOT / "app" / "intake" / "rules").glob("*.py"))
    code = written.replace((ROOT / "app" / "intake" / "rules" / "catalogue.py").read_text(), "")
    swept = "".join(path.read_text() for path in (ROOT / "sql" / "functions").glob("*.sql"))
    found = re.findall(r'rule="([a-z-]+)"', code) + re.findall(r"'rule', '([a-z-]+)'", swept)
    assert set(found) == set(BY_RULE)
    assert len(BY_RULE) == len(CATALOGUE)


def test_settings_are_those_of_forms() -> None:
    named = {name for entry in CATALOGUE for name in entry.settings}
    fields = {field.name for field in msgspec.structs.fields(Thresholds)}
    assert named == fields - {"severity"}
    for form in bundled():
        assert set(form.rules.severity) <= set(BY_RULE), form.form_key
