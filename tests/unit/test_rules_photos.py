"""Rules on photos, over facts as `inspect` gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.intake.exif import TakenAtSource
from app.intake.form_defs import Shot
from app.intake.photos import PhotoFacts
from app.intake.pixels import Look
from app.intake.rules import RuleContext
from tests.unit.records import GOOD, check, context, found, only

REFUSED = PhotoFacts(size=10, rejected_reason="it is a web page or XML")
BROKEN = msgspec.structs.replace(GOOD, unreadable_reason="it is damaged or was cut off on the way")


def photos(*names: str, **of_first: object) -> list[dict[str, object]]:
    """A manifest; the shot of a photo is its name without number and suffix."""
    entries: list[dict[str, object]] = [
        {"name": name, "shot": name.removesuffix(".jpg").rstrip("0123456789")} for name in names
    ]
    return [entries[0] | of_first, *entries[1:]]


FOUR = photos("tag1.jpg", "tag2.jpg", "full_pole.jpg", "base.jpg")


def test_a_shot_without_a_photo_is_a_blocker() -> None:
    finding = only(context(photos=photos("full_pole.jpg", "base.jpg")))
    assert (finding.rule, finding.severity) == ("required-photo-missing", "blocker")
    assert finding.message == "The photo “Pole tag, readable” is missing."


def test_an_announced_photo_counts_before_it_is_here() -> None:
    ctx = context()
    assert found(msgspec.structs.replace(ctx, photos={})) == []


def test_a_refused_photo_does_not_count() -> None:
    findings = found(context(facts={"tag.jpg": REFUSED}))
    assert findings == [
        ("required-photo-missing", "blocker", "shots/tag"),
        ("photo-unreadable", "blocker", "tag.jpg"),
    ]


def test_a_conditional_shot_counts_only_then() -> None:
    ctx = context()
    shots = (*ctx.form.shots, Shot(key="trench", label="Trench", min=2, when={"pole_material": ["Steel"]}))
    form = msgspec.structs.replace(ctx.form, shots=shots)
    assert found(msgspec.structs.replace(ctx, form=form)) == []
    steel = msgspec.structs.replace(context(fields={"pole_material": "Steel"}), form=form)
    assert only(steel).message == "The photo “Trench” is needed 2 times; there are 0."


def test_an_unreadable_photo_is_a_blocker_only_where_it_was_the_last_hope() -> None:
    alone = only(context(facts={"tag.jpg": BROKEN}))
    assert (alone.rule, alone.severity, alone.photo) == ("photo-unreadable", "blocker", "tag.jpg")
    assert alone.message == (
        "Photo “Pole tag, readable” (tag.jpg) cannot be used: it is damaged or was cut off on the way."
    )
    beside = only(context(photos=FOUR, facts={"tag1.jpg": BROKEN}))
    assert (beside.severity, beside.photo) == ("major", "tag1.jpg")
    both = check(context(photos=FOUR, facts={"tag1.jpg": BROKEN, "tag2.jpg": BROKEN}))
    assert {finding.severity for finding in both} == {"blocker"}


def test_a_small_photo_is_minor_and_says_what_is_needed() -> None:
    small = msgspec.structs.replace(GOOD, width=640, height=480)
    finding = only(context(facts={"tag.jpg": small}))
    assert (finding.rule, finding.severity, finding.photo) == ("photo-too-small", "minor", "tag.jpg")
    assert finding.message == (
        "Photo “Pole tag, readable” (tag.jpg): only 640 × 480 pixels; at least 1024 on the long edge are needed."
    )
    assert found(context(facts={"tag.jpg": msgspec.structs.replace(GOOD, width=400, height=1024)})) == []


@pytest.mark.parametrize("source", ["exif", "manifest"])
def test_a_photo_from_elsewhere_is_major(source: str) -> None:
    elsewhere = {"lat": 44.468, "lon": -93.161}
    if source == "exif":
        ctx = context(facts={"full_pole.jpg": msgspec.structs.replace(GOOD, **elsewhere)})
    else:
        ctx = context(photos=photos("full_pole.jpg", "tag.jpg", "base.jpg", **elsewhere))
    finding = only(ctx)
    assert (finding.rule, finding.severity, finding.photo) == ("photo-far-from-record", "major", "full_pole.jpg")
    assert "1.1 km" in finding.message


def test_the_cameras_own_position_counts_before_the_announced_one() -> None:
    here = msgspec.structs.replace(GOOD, lat=44.458, lon=-93.161)
    manifest = photos("full_pole.jpg", "tag.jpg", "base.jpg", lat=10.0, lon=10.0)
    assert found(context(photos=manifest, facts={"full_pole.jpg": here})) == []


def test_a_photo_without_position_is_no_defect_and_the_accuracy_counts_for_the_crew() -> None:
    near = msgspec.structs.replace(GOOD, lat=44.458 + 170 / 111_195, lon=-93.161)
    position = {"lat": 44.458, "lon": -93.161, "h_accuracy_m": 25}
    assert found(context(facts={"tag.jpg": near}, position=position)) == []
    assert found(context(facts={"tag.jpg": near})) == [("photo-far-from-record", "major", "tag.jpg")]


@pytest.mark.parametrize("source", ["received", "announced"])
def test_the_same_bytes_twice_are_major_and_the_later_is_named(source: str) -> None:
    def ctx(first: str, second: str) -> RuleContext:
        if source == "announced":
            shas = {"tag1.jpg": first, "tag2.jpg": second}
            return context(photos=[entry | {"sha256": shas.get(str(entry["name"]))} for entry in FOUR])
        facts = {"tag1.jpg": msgspec.structs.replace(GOOD, sha256=first)}
        return context(photos=FOUR, facts=facts | {"tag2.jpg": msgspec.structs.replace(GOOD, sha256=second)})

    finding = only(ctx("ab" * 32, "ab" * 32))
    assert (finding.rule, finding.severity, finding.photo) == ("photo-duplicate-in-record", "major", "tag2.jpg")
    assert finding.evidence["same_as"] == "tag1.jpg"
    assert found(ctx("ab" * 32, "cd" * 32)) == []


def test_photos_of_no_shot_are_no_defect() -> None:
    extra = [*photos("full_pole.jpg", "tag.jpg", "base.jpg"), {"name": "lunch.jpg", "shot": "extra"}]
    assert found(context(photos=extra, facts={"lunch.jpg": BROKEN})) == [("photo-unreadable", "major", "lunch.jpg")]


def seen(**look: float) -> PhotoFacts:
    fine = Look(luma=120, black=0, white=0, sharpness=400, dhash=None)
    return msgspec.structs.replace(GOOD, look=msgspec.structs.replace(fine, **look))


@pytest.mark.parametrize(
    ("rule", "fine", "wrong"),
    [
        ("photo-dark", {"luma": 30}, {"luma": 29.9}),
        ("photo-dark", {"black": 0.6}, {"black": 0.601}),
        ("photo-overexposed", {"luma": 235}, {"luma": 235.1}),
        ("photo-overexposed", {"white": 0.6}, {"white": 0.601}),
        ("photo-blurred", {"sharpness": 60}, {"sharpness": 59.9}),
    ],
)
def test_light_and_sharpness_have_their_borders(rule: str, fine: dict[str, float], wrong: dict[str, float]) -> None:
    assert found(context(facts={"tag.jpg": seen(**fine)})) == []
    finding = only(context(facts={"tag.jpg": seen(**wrong)}))
    assert (finding.rule, finding.severity, finding.photo) == (rule, "minor", "tag.jpg")
    assert wrong.items() <= finding.evidence.items()


def test_a_signature_may_be_white_and_without_edges() -> None:
    manifest = photos("full_pole.jpg", "tag.jpg", "base.jpg", kind="signature")
    assert found(context(photos=manifest, facts={"full_pole.jpg": seen(luma=250, white=0.98, sharpness=3)})) == []


@pytest.mark.parametrize(
    ("hours", "source", "severity"),
    [
        (2, "offset", None),
        (-2.01, "gps", "minor"),
        (24, "offset", "minor"),
        (-24.01, "offset", "major"),
        (16, "project_tz", None),
        (16.01, "project_tz", "minor"),
        (38.01, "project_tz", "major"),
    ],
)
def test_a_photo_of_another_time(hours: float, source: TakenAtSource, severity: str | None) -> None:
    captured = datetime(2026, 5, 4, 14, 30, tzinfo=UTC)
    facts = msgspec.structs.replace(GOOD, taken_at=captured + timedelta(hours=hours), taken_at_source=source)
    findings = check(context(captured_at=captured.isoformat(), facts={"tag.jpg": facts}))
    assert [(f.rule, f.severity) for f in findings] == ([("photo-time-mismatch", severity)] if severity else [])
    for finding in findings:
        assert (" before " if hours < 0 else " after ") in finding.message
        assert finding.evidence["source"] == source


def test_without_a_time_on_either_side_none_is_compared() -> None:
    old = msgspec.structs.replace(GOOD, taken_at=datetime(2020, 1, 1, tzinfo=UTC), taken_at_source="gps")
    assert found(context(captured_at=None, facts={"tag.jpg": old})) == []


@pytest.mark.parametrize(("bits", "alike"), [(0, True), (0b1111, True), (0b11111, False), (-1, False)])
def test_pictures_that_look_the_same_are_minor(bits: int, alike: bool) -> None:
    base = -0x0123456789ABCDEF
    facts = {
        "tag1.jpg": msgspec.structs.replace(GOOD, sha256="ab" * 32, dhash=base),
        "tag2.jpg": msgspec.structs.replace(GOOD, sha256="cd" * 32, dhash=base ^ bits),
    }
    findings = check(context(photos=FOUR, facts=facts))
    assert [(f.rule, f.severity, f.photo) for f in findings] == (
        [("photo-duplicate-in-record", "minor", "tag2.jpg")] if alike else []
    )
    if alike:
        assert findings[0].evidence == {"same_as": "tag1.jpg", "bits": bits.bit_count()}


def test_the_same_bytes_are_not_called_alike_as_well() -> None:
    twin = msgspec.structs.replace(GOOD, sha256="ab" * 32, dhash=5)
    findings = check(context(photos=FOUR, facts={"tag1.jpg": twin, "tag2.jpg": twin}))
    assert [(f.severity, f.evidence["same_as"]) for f in findings] == [("major", "tag1.jpg")]
