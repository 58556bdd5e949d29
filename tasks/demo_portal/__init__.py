"""Northfield Power & Light: a fictional utility's contractor portal with real portals' bad habits.

`server` starts and stops it · `site` puts the pages together · `gate` is the door every page request passes (habits,
sessions) · `account`, `proving`, `drafting`, `attaching`, `submitting`, `lookup` are its pages · `demo`, `curtain` are behind them · `fields` says what a page
asks for · `photos` takes pictures in · `quirks` are the switches · `store` is its tables · `ledger` its submission
log · `markup`, `layout` draw HTML · `switchboard` explains the switches · `harbor` is a second company in the same process.
"""

from tasks.demo_portal.server import running, serve

__all__ = ["running", "serve"]
