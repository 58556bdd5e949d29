"""The demo portal's pure parts: escaping, the rules of its pages, its photos and its dice."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from tasks.demo_portal.account import safe_path
from tasks.demo_portal.fields import check, read_date
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.photos import PhotoRefused, take_in
from tasks.demo_portal.quirks import PRESETS, Dice, Quirks, SubmitOdds, problems
from tasks.demo_portal.switchboard import GROUPS, ODDS


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = el("b", "<i>", data_name="a\"b'<")
    assert inner == '<b data-name="a&quot;b&#x27;&lt;">&lt;i&gt;</b>'
    assert el("p", inner, ["x", None, 3], hidden=True, title=None) == f"<p hidden>{inner}x3</p>"
    # Joining markup with text must not make markup of the text.
    assert not isinstance(inner + "<i>", Markup)


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/drafts?x=1", True),
        ("//host", False),
        ("https://host", False),
        ("/\\host", False),
        ("/a\r\nb", False),
        ("", False),
    ],
)
def test_a_return_path_stays_on_the_site(path: str, safe: bool) -> None:
    assert safe_path(path) == (path if safe else "/")


def test_a_day_that_has_begun_somewhere_is_not_in_the_future() -> None:
    now = datetime.now(UTC)

    def complaint(day: datetime) -> list[str]:
        return [
            found.field
            for found in check("job", {"installed": day.strftime("%m/%d/%Y")}, asset_type="Pole")
            if "future" in found.message
        ]

    assert complaint(now + timedelta(hours=13)) == []
    assert complaint(now + timedelta(hours=39)) == ["installed"]
    assert read_date("2026-11-20") == read_date("11/20/2026")


@pytest.mark.parametrize(
    ("height", "right"),
    [("20", True), ("120", True), ("19.9", False), ("120.1", False), ("nan", False), ("1e2", False)],
)
def test_pole_height_has_bounds(height: str, right: bool) -> None:
    found = check("details", {"pole_height": height}, asset_type="Pole")
    assert ("pole_height" not in {item.field for item in found}) is right


def test_only_the_fields_of_the_asset_type_are_asked_for() -> None:
    fibre = {item.field for item in check("details", {}, asset_type="Fibre splice closure")}
    assert fibre == {"closure_model", "fibre_count", "splice_loss", "latitude", "longitude"}
    assert {item.field for item in check("details", {}, asset_type="Switch")} == {"latitude", "longitude"}


def test_a_photo_is_turned_upright_and_made_small_without_its_exif() -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 10:00:00"
    Image.new("RGB", (2000, 1000)).save(out, "JPEG", exif=exif)
    taken = take_in(out.getvalue(), largest=10 * 2**20, exif=True)
    assert (taken.media_type, taken.width, taken.height, taken.taken_at) == (
        "image/jpeg",
        2000,
        1000,
        "2026:11:20 10:00:00",
    )
    with Image.open(BytesIO(taken.large)) as large:
        assert large.height > large.width
        assert not large.getexif()


def test_a_picture_of_too_many_pixels_is_refused_unopened() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))

    for side in (9_000, 13_000, 60_000):
        head = chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        with pytest.raises(PhotoRefused, match="pixels"):
            take_in(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")), largest=10 * 2**20, exif=False)


def test_a_photo_without_a_time_of_capture_is_refused_where_one_is_demanded() -> None:
    out = BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    assert take_in(out.getvalue(), largest=10 * 2**20, exif=False).media_type == "image/png"
    with pytest.raises(PhotoRefused, match="capture"):
        take_in(out.getvalue(), largest=10 * 2**20, exif=True)


def test_presets_are_sound_and_calm_has_no_faults() -> None:
    assert all(problems(quirks) == [] for quirks in PRESETS.values())
    dice = Dice(1)
    calm = PRESETS["calm"]
    assert {dice.fault(calm) for _ in range(200)} == {"none"}
    assert {dice.outcome(calm) for _ in range(200)} == {"ok"}
    assert all(0.15 <= dice.think_s(calm) <= 0.3 for _ in range(50))


def test_dice_repeat_by_seed_and_follow_their_odds() -> None:
    quirks = Quirks(submit=SubmitOdds(ok=3, lost=1))
    first, second = Dice(7), Dice(7)
    rolls = [first.outcome(quirks) for _ in range(400)]
    assert rolls == [second.outcome(quirks) for _ in range(400)]
    assert 60 < rolls.count("lost") < 140
    first.reseed(7)
    assert [first.outcome(quirks) for _ in range(400)] == rolls


def test_every_switch_is_explained_on_the_panel() -> None:
    explained = [switch.name for _, switches in GROUPS for switch in switches]
    assert sorted(explained) == sorted(set(Quirks.__struct_fields__) - {"submit"})
    assert [switch.name for switch in ODDS] == list(SubmitOdds.__struct_fields__)
    assert all(switch.says.endswith(".") for _, switches in GROUPS for switch in (*switches, *ODDS))


def test_the_bad_day_is_as_bad_as_it_is_said_to_be() -> None:
    bad, rolls = PRESETS["bad-day"], Dice(3)
    outcomes = [rolls.outcome(bad) for _ in range(2000)]
    shares = {name: outcomes.count(name) / 2000 for name in ("ok", "lost", "error", "slow", "refused", "closed")}
    wanted = {"ok": 0.40, "lost": 0.28, "error": 0.17, "slow": 0.10, "refused": 0.05, "closed": 0.0}
    assert all(abs(shares[name] - share) < 0.04 for name, share in wanted.items()), shares
    assert (bad.duplicates, bad.session_requests, bad.error_rate, bad.index_lag_s) == ("accept", 14, 0.03, 2.0)


def test_codes_and_words_repeat_by_seed() -> None:
    first, second = Dice(7), Dice(7)
    drawn = [(first.code(), first.word()) for _ in range(20)]
    assert drawn == [(second.code(), second.word()) for _ in range(20)]
    assert len({code for code, _ in drawn}) > 15
    assert all(len(code) == 6 and code.isdigit() for code, _ in drawn)


@pytest.mark.parametrize(
    "broken",
    [
        Quirks(lockout_after=-1),
        Quirks(otp_every=-1),
        Quirks(photo_max_mb=0),
        Quirks(submit=SubmitOdds(ok=1, refused=-1)),
    ],
)
def test_senseless_switches_are_named(broken: Quirks) -> None:
    assert len(problems(broken)) == 1
