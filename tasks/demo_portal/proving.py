"""What some sign-ins ask for beside the password: a code from the phone, a word from a picture. And the phone itself."""

from __future__ import annotations

import asyncio
import hmac
from datetime import datetime
from io import BytesIO
from random import Random
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from PIL import Image, ImageDraw, ImageFont

from tasks.demo_portal import store
from tasks.demo_portal.account import safe_path
from tasks.demo_portal.gate import CHECKS, COOKIE, GivenPortal, GivenQuirks, PortalRequest, session_of
from tasks.demo_portal.layout import moment, notice, page, panel, table
from tasks.demo_portal.markup import Markup, el
from tasks.demo_portal.portal import Portal, token_hash
from tasks.demo_portal.quirks import Quirks
from tasks.demo_portal.store import SessionRow

_TRIES = 3


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone got, or what a person reads off the picture."""

    account: str
    kind: str
    text: str
    at: datetime
    used: bool


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    messages: list[Message]


@get("/otp")
async def otp_page(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[str]:
    """Ask for the code that was sent to the phone."""
    return await _ask(request, portal, quirks, kind="code")


@post("/otp", status_code=303)
async def otp(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[None]:
    """Take the code."""
    return await _answer(request, portal, quirks, kind="code")


@get("/check")
async def check_page(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[str]:
    """Ask for the word of the picture."""
    return await _ask(request, portal, quirks, kind="word")


@post("/check", status_code=303)
async def check(request: PortalRequest, portal: GivenPortal, quirks: GivenQuirks) -> Response[None]:
    """Take the word."""
    return await _answer(request, portal, quirks, kind="word")


@get("/check/word.png", media_type="image/png")
async def word_picture(request: PortalRequest, portal: GivenPortal) -> Response[bytes]:
    """The word, as only a person should read it; costs no think time."""
    async with portal.pool.connection() as conn:
        row = await store.last_message(conn, token_hash=_token(request), kind="word")
    if row is None:
        raise NotFoundException
    return Response(await asyncio.to_thread(_picture, row.body), media_type="image/png")


async def _ask(request: PortalRequest, portal: Portal, quirks: Quirks, *, kind: str) -> Response[str]:
    wanted = safe_path(request.query_params.get("next", "/"))
    session = await session_of(request, portal, quirks, cost=0)
    if session is None or kind not in session.awaiting:
        return Redirect(wanted, status_code=303)
    await _sent(request, portal, session, kind)
    said = None
    if "bad" in request.query_params:
        said = notice("That is not right. Please try again.", tone="bad")
    title, form = _form(kind, wanted)
    return page(title, said, panel("One more step", form, class_="narrow"))


def _form(kind: str, wanted: str) -> tuple[str, Markup]:
    if kind == "code":
        title, label = "Confirm your sign-in", "6-digit code"
        intro = el("p", "We have sent a code to the phone of this account. It is good for five minutes.")
    else:
        title, label = "Are you a person?", "Type the word"
        intro = el("p", el("img", src="/check/word.png", alt="A word, distorted", width=260, height=90, id="word"))
    control = el("input", id="answer", name="answer", type="text", autocomplete="one-time-code")
    row = el("div", el("label", label, for_="answer"), el("div", control), class_="row")
    hidden = el("input", type="hidden", name="next", value=wanted)
    button = el("div", el("button", "Verify", type="submit", class_="main"), class_="buttons")
    return title, el("form", intro, hidden, row, button, method="post", action=CHECKS[kind])


async def _sent(request: PortalRequest, portal: Portal, session: SessionRow, kind: str) -> None:
    token = _token(request)
    async with portal.pool.connection() as conn:
        if await store.last_message(conn, token_hash=token, kind=kind) is None:
            body = portal.dice.code() if kind == "code" else portal.dice.word()
            await store.send_message(conn, token_hash=token, account=session.account, kind=kind, body=body)


async def _answer(request: PortalRequest, portal: Portal, quirks: Quirks, *, kind: str) -> Response[None]:
    form = await request.form()
    wanted = safe_path(str(form.get("next", "/")))
    given = str(form.get("answer", "")).strip().lower().encode()
    session = await session_of(request, portal, quirks, cost=0)
    if session is None:
        return Redirect(f"/login?expired=1&next={quote(wanted)}", status_code=303)
    if kind not in session.awaiting:
        return Redirect(wanted, status_code=303)
    token = _token(request)
    async with portal.pool.connection() as conn:
        row = await store.last_message(conn, token_hash=token, kind=kind)
        if row is not None and hmac.compare_digest(given, row.body.encode()):
            await store.answer_right(conn, token_hash=token, kind=kind)
            return Redirect(wanted, status_code=303)
        gone = (await store.answer_wrong(conn, token_hash=token, tries=_TRIES)).gone
    if gone:
        return Redirect(f"/login?expired=1&next={quote(wanted)}", status_code=303)
    return Redirect(f"{CHECKS[kind]}?bad=1&next={quote(wanted)}", status_code=303)


def _token(request: PortalRequest) -> bytes:
    return token_hash(request.cookies.get(COOKIE, ""))


def _picture(word: str) -> bytes:
    chance = Random(word)  # noqa: S311 - one picture a word, and no secret depends on it
    image = Image.new("RGB", (260, 90), (250, 246, 232))
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        ends = [(chance.randrange(260), chance.randrange(90)) for _ in range(2)]
        pen.line(ends, fill=(150, 170, 190), width=2)
    font = ImageFont.load_default(34)
    for place, letter in enumerate(word):
        pen.text((16 + place * 25, 20 + chance.randrange(-8, 12)), letter, font=font, fill=(18, 50, 79))
    out = BytesIO()
    image.rotate(chance.uniform(-3, 3), fillcolor=(250, 246, 232)).save(out, "PNG")
    return out.getvalue()


@get("/_demo/phone.json")
async def phone(portal: GivenPortal) -> Phone:
    """The phone's messages, for tests and demonstrations."""
    async with portal.pool.connection() as conn:
        rows = await store.list_messages(conn)
    return Phone(
        messages=[
            Message(account=row.account, kind=row.kind, text=row.body, at=row.sent_at, used=row.used_at is not None)
            for row in rows
        ]
    )


@get("/_demo/phone")
async def phone_page(portal: GivenPortal) -> Response[str]:
    """The phone in the account holder's hand, renewed every two seconds."""
    async with portal.pool.connection() as conn:
        rows = await store.list_messages(conn)
    cells = [
        (moment(row.sent_at), row.account, el("b", row.body), row.kind, "used" if row.used_at else "open")
        for row in rows
    ]
    heads = ("Sent", "Account", "Text", "What", "State")
    shown = table(heads, cells, testid="phone") if rows else el("p", "No messages.", class_="quiet")
    body = el("div", panel("Messages", shown), id="live")
    return page("The account holder's phone", body, script="counter.js")
