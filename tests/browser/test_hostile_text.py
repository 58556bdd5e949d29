"""Text from phones stays text: shown as it was typed, run by nobody."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.desk import Crew, Desk, Person

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
FRAME = '"><iframe srcdoc="<script>parent.alert(3)</script>"></iframe>'
TURNED = "\u202egpj.exe"


async def test_hostile_text_is_shown_and_never_run(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(
        photos=False,
        asset=SCRIPT,
        crew=IMAGE,
        fields={"notes": FRAME, "crew_lead": TURNED, IMAGE: IMAGE, "pole_material": [{SCRIPT: IMAGE}]},
    )
    await desk.sign_in(operator)
    await expect(desk.row(sent)).to_contain_text(SCRIPT)
    await expect(desk.row(sent)).to_contain_text(IMAGE)
    dialog = await desk.open_record(sent)
    await expect(dialog.locator("h2")).to_have_text(SCRIPT)
    await expect(dialog.locator(".fields")).to_contain_text(FRAME)
    await expect(dialog.locator(".fields")).to_contain_text(IMAGE)
    # A character that turns the text around it is spelled out instead.
    await expect(dialog.locator(".fields")).to_contain_text("⟨U+202E⟩gpj.exe")
    assert await desk.page.locator("dialog script, dialog iframe, dialog img[src=x]").count() == 0
    # What ran would have raised a dialog or a report; `desk` fails on either at its end.
    await desk.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
