"""What an accessibility checker sees on a page, in both themes. Decides nothing about what should be there.

The checker is given to the page by the debugger, which the page's Content-Security-Policy does not speak of: the policy stays
as it is served, and whatever the page itself loads or runs is still held to it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
"""What can differ between themes; everything else is looked at once."""

RUN = "([within, options]) => axe.run(within, options)"
# What has been scrolled under the bar at the top is out of sight, and not too small.
DRAWN = """() => {
  scrollTo(0, 0);
  // One that is cut short by the page's next change fails, and is over as well.
  return Promise.allSettled(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished));
}"""


async def problems(page: Page, within: str = "html") -> list[str]:
    """Violations of WCAG 2.2 AA and of good practice `within` an element, each with who has it; empty when all is well."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found = await _run(page, within, "light", {"type": "tag", "values": LEVELS})
    found += await _run(page, within, "dark", {"type": "rule", "values": COLOURS})
    await page.emulate_media(color_scheme="light")
    return found


async def _run(page: Page, within: str, theme: Any, only: dict[str, Any]) -> list[str]:
    await page.emulate_media(color_scheme=theme)
    await page.evaluate(DRAWN)
    seen = await page.evaluate(RUN, [within, {"runOnly": only, "resultTypes": ["violations"]}])
    return [f"{theme}: {_said(violation, node)}" for violation in seen["violations"] for node in violation["nodes"]]


def _said(violation: dict[str, Any], node: dict[str, Any]) -> str:
    why = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{violation['id']} at {msgspec.json.encode(node['target']).decode()}: {node['html'][:160]} {'; '.join(why)}"
