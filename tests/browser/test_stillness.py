"""Nothing moves on the page for who has asked their system for that."""

from __future__ import annotations

from playwright.async_api import expect

from sql import Connection
from tests.browser.test_operations_pages import seated
from tests.factories import complete, make_record
from tests.service import Service
from tests.web.test_jobs import demo_device

# What moves in any frame from now on.
MOVING = """() => {
  window.moving = new Set();
  const look = () => {
    for (const each of document.getAnimations()) if (each.playState === 'running') moving.add(each.animationName ?? each.transitionProperty ?? 'tint');
    requestAnimationFrame(look);
  };
  look();
}"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


async def test_nothing_moves_where_that_is_not_wanted(served: Service, conn: Connection) -> None:
    made = await make_record(conn, device=await demo_device(conn), state="processing")
    async with seated(served, conn, "/") as desk:
        page, row = desk.page, desk.page.locator("tr[data-id]")
        badge = row.locator("automation-status-badge")
        await page.evaluate(MOVING)
        await expect(badge).to_have_attribute("data-state", "processing")
        await page.wait_for_function("() => moving.size > 0")
        await page.emulate_media(reduced_motion="reduce")
        await page.evaluate(FRAMES)
        await page.evaluate("() => moving.clear()")
        await row.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog.detail .about dd").first).to_be_visible()
        assert await complete(conn, made.job_id, made.attempt)
        await expect(page.locator("dialog.detail .number")).to_have_text("NPL-1")
        await page.keyboard.press("Escape")
        await expect(badge).to_have_attribute("data-state", "completed")
        await page.evaluate(FRAMES)
        assert await page.evaluate("() => [...moving]") == []
