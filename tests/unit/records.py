"""Rule contexts for tests: a record without defects, changed in one place at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.intake import rules
from app.intake.decode import decode
from app.intake.form_defs import FormDef, bundled
from app.intake.photos import PhotoFacts
from app.intake.rules import RuleContext, Site
from app.intake.rules.catalogue import BY_RULE
from app.intake.rules.context import Finding

FORMS: dict[str, FormDef] = {form.form_key: form for form in bundled()}
SITE = Site(lat=44.458, lon=-93.161, radius_m=150)
GOOD = PhotoFacts(size=1000, sniffed_type="image/jpeg", width=1600, height=1200)

FIELDS: dict[str, dict[str, object]] = {
    "pole-replacement": {
        "work_order": "WO-48213",
        "district": "Harbor",
        "crew_lead": "Ana Ruiz",
        "date_completed": "2026-05-04",
        "pole_height_ft": 45,
        "pole_class": "4",
        "pole_material": "Douglas fir",
        "depth_m": 2.0,
        "earth_resistance_ohm": 11.5,
    },
    "fibre-splice-closure": {
        "work_order": "WO-48214",
        "district": "North",
        "crew_lead": "Ana Ruiz",
        "date_completed": "2026-05-04",
        "closure_model": "FC-96",
        "fibre_count": 12,
        "splices": [{"tube": "blue", "fibre": n, "loss_db": 0.05} for n in (1, 2, 3)],
        "max_splice_loss_db": 0.05,
    },
}
SHOTS = {"pole-replacement": ("full_pole", "tag", "base"), "fibre-splice-closure": ("closure_closed", "tray", "label")}


def context(
    form: str = "pole-replacement",
    *,
    fields: Mapping[str, object] = {},
    without: str | None = None,
    facts: Mapping[str, PhotoFacts] = {},
    site: Site = SITE,
    **members: object,
) -> RuleContext:
    filled = {name: value for name, value in (FIELDS[form] | dict(fields)).items() if name != without}
    document = {
        "id": "0199a3c4-7f00-7000-8000-000000000001",
        "project": "demo",
        "form": form,
        "form_version": 1,
        "asset": "P-1001",
        "fields": filled,
        "position": {"lat": 44.458, "lon": -93.161, "h_accuracy_m": 4},
        "captured_at": "2026-05-04T09:30:00-05:00",
        "photos": [{"name": f"{shot}.jpg", "shot": shot} for shot in SHOTS[form]],
    } | members
    upload = decode(json.dumps(document).encode())
    known = {photo.name: GOOD for photo in upload.photos} | dict(facts)
    return RuleContext(form=FORMS[form], upload=upload, photos=known, site=site)


def check(ctx: RuleContext) -> list[Finding]:
    """What the rules find, each finding as the catalogue promises it."""
    findings = rules.check(ctx)
    for finding in findings:
        assert set(finding.evidence) - {"more"} <= set(BY_RULE[finding.rule].evidence), finding
        assert finding.evidence, finding
    return findings


def found(ctx: RuleContext) -> list[tuple[str, str, str | None]]:
    """Rule, severity, and the field or photo of each finding."""
    return [(finding.rule, finding.severity, finding.field or finding.photo) for finding in check(ctx)]


def only(ctx: RuleContext) -> Finding:
    (finding,) = check(ctx)
    return finding
