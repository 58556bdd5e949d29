"""The driver without a browser: server-rendered pages and their forms over plain HTTP. No script runs, no frames."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from tasks.engines.contract import PortalMessage
from tasks.runner.dom import Node, parse
from tasks.runner.driver import Answer, Cookie, Gate, PageCopy, Photo, RunError, Shot, commit_pattern
from tasks.runner.pace import Pace
from tasks.runner.recipe import CommitRule
from tasks.runner.target import Target

_REDIRECTS = 10
_PAGE_BYTES = 4 << 20


class _Held(msgspec.Struct, frozen=True):
    rule: CommitRule
    pattern: re.Pattern[str]
    gate: Gate


class FormsDriver:
    """A cookie jar, the page at hand and what was typed into it; limits in seconds."""

    browser = "none"

    def __init__(self, *, pace: Pace, navigation_s: float = 30.0, submit_s: float = 30.0) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(navigation_s, connect=5, pool=5), follow_redirects=False, trust_env=False
        )
        self._submit_s = submit_s
        self._pace = pace
        self._source = ""
        self._method = ""
        self._page = parse("")
        self._typed: dict[int, str] = {}
        self._held: _Held | None = None
        self._committed = False
        self.url = ""
        self.status: int | None = None
        self.retry_after_s: int | None = None

    async def open(self, url: str) -> None:
        await self._follow(self._client.build_request("GET", url))

    async def again(self) -> bool:
        if self._method != "GET":
            return False
        await self.open(self.url)
        return True

    async def count(self, target: Target) -> int:
        return len(self._all(target))

    async def text(self, target: Target) -> str:
        return self._one(target).text

    async def texts(self, css: str, *, attribute: str | None) -> list[PortalMessage]:
        return [
            PortalMessage(text=node.text, field=node.attrs.get(attribute) if attribute else None)
            for node in self._page.select(css)
        ]

    async def fill(self, target: Target, value: str) -> None:
        self._typed[id(self._one(target))] = value

    async def conceal(self, target: Target) -> None:
        """There are no screenshots here."""

    async def select(self, target: Target, value: str) -> None:
        node = self._one(target)
        options = node.select("option")
        for option in options:
            if value in {option.text, option.attrs.get("value")}:
                self._typed[id(node)] = option.attrs.get("value", option.text)
                return
        offered = ", ".join(option.text for option in options)
        raise RunError("OPTION_MISSING", f"{target.describe()} offers no {value!r}, only {offered}")

    async def check(self, target: Target) -> None:
        node = self._one(target)
        self._typed[id(node)] = node.attrs.get("value", "on")

    async def press(self, target: Target, key: str) -> None:
        if key != "Enter":
            raise RunError("ELEMENT_MISSING", f"key {key} has no meaning without a browser")
        await self._submit(self._one(target), pressed=None)

    async def click(self, target: Target) -> None:
        node = self._one(target)
        if node.tag == "a":
            await self.open(urljoin(self.url, node.attrs.get("href", "")))
        else:
            await self._submit(node, pressed=node)

    async def upload(self, target: Target, photo: Photo) -> None:
        """The form around the file input is posted for this photo, then its page is read again."""
        node = self._one(target)
        form = node.closest("form")
        if form is None:
            raise RunError("ELEMENT_MISSING", f"{target.describe()} stands in no form")
        back = self.url
        with photo.path.open("rb") as body:
            request = self._client.build_request(
                "POST",
                urljoin(self.url, form.attrs.get("action", "")),
                data=self._values(form, pressed=None),
                files={node.attrs.get("name", "file"): (photo.name, body.read(), photo.mime)},
            )
        await self._follow(request)
        if self.status == 201:
            await self.open(back)

    async def wait(self, seconds: float) -> bool:
        del seconds
        return False

    async def settle(self) -> None:
        """A page is always whole here."""

    async def gone(self) -> RunError:
        """A page here is only text: it cannot die."""
        never: asyncio.Future[RunError] = asyncio.get_running_loop().create_future()
        return await never

    async def shot(self) -> Shot | None:
        return None

    async def copy(self) -> PageCopy | None:
        return PageCopy(html=self._source) if self._source else None

    async def hold(self, commit: CommitRule, gate: Gate) -> None:
        self._held = _Held(commit, commit_pattern(commit), gate)

    async def session(self) -> tuple[Cookie, ...]:
        # The standard cookie jar files a host without dots under "<host>.local".
        return tuple(
            Cookie(name=each.name, value=each.value or "", domain=each.domain.removesuffix(".local"), path=each.path)
            for each in self._client.cookies.jar
        )

    async def adopt(self, session: tuple[Cookie, ...]) -> None:
        for each in session:
            domain = each.domain if "." in each.domain else f"{each.domain}.local"
            self._client.cookies.set(each.name, each.value, domain=domain, path=each.path)

    async def close(self) -> None:
        await self._client.aclose()

    async def _submit(self, node: Node, *, pressed: Node | None) -> None:
        form = node.closest("form")
        if form is None:
            raise RunError("ELEMENT_MISSING", "what was clicked stands in no form")
        url = urljoin(self.url, form.attrs.get("action") or self.url)
        fields = self._values(form, pressed=pressed)
        if form.attrs.get("method", "get").lower() == "post":
            request = self._client.build_request("POST", url, data=fields)
        else:
            request = self._client.build_request("GET", url, params=fields)
        await self._follow(request)

    def _values(self, form: Node, *, pressed: Node | None) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for node in form.walk():
            name = node.attrs.get("name")
            if not name or "disabled" in node.attrs:
                continue
            value = self._value(node, pressed=pressed)
            if value is not None:
                fields.setdefault(name, []).append(value)
        return fields

    def _value(self, node: Node, *, pressed: Node | None) -> str | None:
        if id(node) in self._typed:
            return self._typed[id(node)]
        kind = "select" if node.tag == "select" else node.attrs.get("type", "").lower()
        value: str | None = node.attrs.get("value", "")
        if node.tag == "textarea":
            # A browser drops the first line break inside a text area.
            value = "".join(child for child in node.children if isinstance(child, str)).removeprefix("\n")
        elif kind == "select":
            value = _chosen(node)
        elif node.tag == "button" or kind in {"submit", "image", "button"}:
            value = value if node is pressed else None
        elif node.tag != "input" or kind in {"file", "reset"}:
            value = None
        elif kind in {"checkbox", "radio"}:
            value = node.attrs.get("value", "on") if "checked" in node.attrs else None
        return value

    async def _follow(self, request: httpx.Request) -> None:
        """Send, follow redirects by hand, and make the last answer the page at hand."""
        if not self._is_commit(request):
            await self._pace.take()
        for _ in range(_REDIRECTS):
            reply = await self._commit(request) if self._is_commit(request) else await self._send(request)
            location = reply.headers.get("location")
            if reply.status_code not in {301, 302, 303, 307, 308} or not location:
                self._show(reply)
                return
            request = self._client.build_request("GET", urljoin(str(reply.url), location))
        raise RunError("UNKNOWN_PAGE", "the portal redirects in circles")

    def _is_commit(self, request: httpx.Request) -> bool:
        held = self._held
        return (
            held is not None
            and request.method == held.rule.method
            and held.pattern.fullmatch(str(request.url)) is not None
        )

    async def _commit(self, request: httpx.Request) -> httpx.Response:
        if self._committed or self._held is None:
            raise RunError("SUBMIT_OUTCOME_UNKNOWN", "a second submission was stopped")
        self._committed = True
        answers: list[httpx.Response] = []

        async def send(headers: dict[str, str]) -> Answer:
            request.headers.update(headers)
            request.extensions["timeout"] = httpx.Timeout(self._submit_s, connect=5).as_dict()
            reply = await self._send(request)
            answers.append(reply)
            return Answer(status=reply.status_code, location=reply.headers.get("location"))

        await self._held.gate(send)
        return answers[0]

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """Reading is tried again when the line breaks; anything else might be done twice."""
        for pause in (0.2, 0.5) if request.method == "GET" else ():
            try:
                return await self._client.send(request)
            except httpx.TimeoutException:
                break
            except httpx.HTTPError:
                await asyncio.sleep(pause)
        try:
            return await self._client.send(request)
        except httpx.TimeoutException as exc:
            raise RunError("PORTAL_TIMEOUT", f"no answer from {urlsplit(str(request.url)).path}") from exc
        except httpx.HTTPError as exc:
            raise RunError("PORTAL_UNREACHABLE", f"{type(exc).__name__} at {urlsplit(str(request.url)).path}") from exc

    def _show(self, reply: httpx.Response) -> None:
        self.url = str(reply.url)
        self.status = reply.status_code
        self._method = reply.request.method
        wait = reply.headers.get("retry-after", "")
        self.retry_after_s = int(wait) if wait.isdigit() else None
        self._typed = {}
        html = "html" in reply.headers.get("content-type", "") and len(reply.content) <= _PAGE_BYTES
        self._source = reply.text if html else ""
        self._page = parse(self._source)

    def _one(self, target: Target) -> Node:
        found = self._all(target)
        if not found:
            raise RunError("ELEMENT_MISSING", f"there is no {target.describe()} on {urlsplit(self.url).path}")
        return found[0]

    def _all(self, target: Target) -> list[Node]:
        page = self._page
        if target.css is not None:
            return page.select(target.css)
        if target.testid is not None:
            return [node for node in page.walk() if node.attrs.get("data-testid") == target.testid]
        if target.text is not None:
            return _innermost([node for node in page.walk() if target.text in node.text])
        if target.label is not None:
            return _labelled(page, target.label)
        return [node for node in page.walk() if _role(node) == target.role and _name(node) == target.name]


def _chosen(node: Node) -> str | None:
    options = node.select("option")
    chosen = next((each for each in options if "selected" in each.attrs), options[0] if options else None)
    return None if chosen is None else chosen.attrs.get("value", chosen.text)


def _innermost(nodes: list[Node]) -> list[Node]:
    above = {id(node.parent) for node in nodes}
    return [node for node in nodes if id(node) not in above]


def _labelled(page: Node, text: str) -> list[Node]:
    found = [node for node in page.walk() if node.attrs.get("aria-label") == text]
    for label in page.select("label"):
        if label.text.rstrip(" *:") != text.rstrip(" *:"):
            continue
        wanted = label.attrs.get("for")
        found += [
            node
            for node in (page.walk() if wanted else label.walk())
            if (node.attrs.get("id") == wanted if wanted else node.tag in {"input", "select", "textarea"})
        ]
    return found


def _role(node: Node) -> str | None:
    if node.tag == "button" or (node.tag == "input" and node.attrs.get("type") in {"submit", "button"}):
        return "button"
    if node.tag == "a" and "href" in node.attrs:
        return "link"
    return "heading" if re.fullmatch(r"h[1-6]", node.tag) else node.attrs.get("role")


def _name(node: Node) -> str:
    return node.attrs.get("aria-label") or node.text or node.attrs.get("value", "")
