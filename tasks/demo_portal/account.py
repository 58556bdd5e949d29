"""Signing in and out, and the page one lands on."""

from __future__ import annotations

import hmac
import secrets

from litestar import Response, get, post
from litestar.response import Redirect

from tasks.demo_portal import store
from tasks.demo_portal.gate import COOKIE, GivenPortal, GivenQuirks, GivenVisit, PortalRequest, account_of
from tasks.demo_portal.layout import moment, notice, page, panel, submission_link, table
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.portal import password_hash, token_hash
from tasks.demo_portal.quirks import Quirks


@get("/login")
async def login_page(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[str]:
    """The sign-in form; someone who is signed in goes on."""
    wanted = safe_path(request.query_params.get("next", "/"))
    if await account_of(request, portal, quirks):
        return Redirect(wanted, status_code=303)
    said: Markup | None = None
    if "bad" in request.query_params:
        said = notice("User name or password is not correct.", tone="bad")
    elif "locked" in request.query_params:
        said = notice("This account is locked after too many wrong passwords. Call the help desk.", tone="bad")
    elif "expired" in request.query_params:
        said = notice("Your session has ended. Please sign in again.", tone="warn")
    form = el(
        "form",
        el("input", type="hidden", name="next", value=wanted),
        _credential("user", "User name", type="text", autocomplete="username"),
        _credential("password", "Password", type="password", autocomplete="current-password"),
        el("div", el("button", "Sign in", type="submit", class_="main"), class_="buttons"),
        method="post",
        action="/login",
    )
    terms = el("p", "For approved contractors of Northfield Power & Light. Use is recorded.", class_="quiet")
    return page("Contractor sign-in", said, panel("Your account", form, terms, class_="narrow"))


def _credential(key: str, label: str, **attributes: str) -> Markup:
    control = el("input", id=key, name=key, **attributes)
    return el("div", el("label", label, for_=key), el("div", control), class_="row")


@post("/login", status_code=303)
async def login(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[None]:
    """Check the password and open a session."""
    form = await request.form()
    name, password = str(form.get("user", "")).strip(), str(form.get("password", ""))
    wanted = safe_path(str(form.get("next", "/")))
    async with portal.pool.connection() as conn:
        account = await store.get_account(conn, name=name.replace("\0", ""))
        # An unknown name costs the same hash as a wrong password.
        given = password_hash(password, salt=account.salt if account else b"nobody")
        if account is not None and account.locked_at is not None:
            return Redirect("/login?locked=1", status_code=303)
        if account is None or not hmac.compare_digest(given, account.hash):
            await store.count_failure(conn, name=name.replace("\0", ""), lockout_after=quirks.lockout_after)
            return Redirect("/login?bad=1", status_code=303)
        number = (await store.count_sign_in(conn, name=account.name)).number
        token = secrets.token_urlsafe(32)
        await store.open_session(
            conn,
            account=account.name,
            token_hash=token_hash(token),
            single=quirks.single_session,
            awaiting=_checks(quirks, number),
        )
    answer = Redirect(wanted, status_code=303)
    answer.set_cookie(key=COOKIE, value=token, httponly=True, samesite="lax", path="/")
    return answer


def _checks(quirks: Quirks, number: int) -> list[str]:
    """What the n-th sign-in of an account has to answer beside the password."""
    every = (("word", quirks.captcha_every), ("code", quirks.otp_every))
    return [kind for kind, n in every if n and number % n == 0]


@post("/logout", status_code=303)
async def logout(request: PortalRequest, portal: GivenPortal) -> Response[None]:
    """End the session, if there is one."""
    async with portal.pool.connection() as conn:
        await store.close_session(conn, token_hash=token_hash(request.cookies.get(COOKIE, "")))
    answer = Redirect("/login", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@get("/")
async def landing(portal: GivenPortal, visit: GivenVisit) -> Response[str]:
    """What a contractor sees first."""
    async with portal.pool.connection() as conn:
        drafts = await store.list_drafts(conn, account=visit.account)
        recent = await store.list_submissions(conn, limit=8)
    unfinished = [draft for draft in drafts if draft.submitted_at is None]
    start = panel(
        "As-built entry",
        el("p", "Enter what was built under a work order: job data, construction details and photos."),
        el("p", el("a", "Start a new as-built", href="/asbuilt/new", class_="action")),
        el("p", f"You have {len(unfinished)} unfinished drafts. ", el("a", "Show them", href="/drafts")),
    )
    rows = [
        (submission_link(row), row.reference, row.keyed.get("asset_type", ""), moment(row.submitted_at))
        for row in recent
    ]
    heads = ("Confirmation", "Contractor reference", "Asset type", "Submitted")
    latest = table(heads, rows) if rows else el("p", "Nothing has been submitted yet.", class_="quiet")
    news = panel(
        "Notices",
        el("p", el("b", "11/03"), " Fibre splice closures are now keyed here as well. Attach the tray photo."),
        el("p", el("b", "10/19"), " Photos: JPEG or PNG, at most 10 MB each."),
    )
    shown = visit.quirks.notice_modal
    body = (el("div", start, news, class_="two"), panel("Latest submissions", latest), _notice() if shown else None)
    return page("Welcome", body, account=visit.account, tab="/", script="notice.js" if shown else "")


def _notice() -> Markup:
    text = el("p", "Holiday schedule: the service desk is closed on Thursday and Friday.")
    return el("dialog", el("h2", "Notice"), text, el("button", "Dismiss", type="button", class_="main"), id="notice")


def safe_path(path: str) -> str:
    """A path on this site, whatever was asked for: never another host."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain else "/"
