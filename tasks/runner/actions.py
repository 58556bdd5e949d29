"""Carries out single actions of a recipe on a driver. Knows neither steps nor checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from tasks.engines.contract import KeyedPhoto
from tasks.runner import values
from tasks.runner.dom import quoted
from tasks.runner.driver import Driver, Photo, RunError
from tasks.runner.finder import NONE
from tasks.runner.pages import Pages
from tasks.runner.recipe import (
    Action,
    Ask,
    Check,
    Click,
    Dismiss,
    Expect,
    Extract,
    Fill,
    Goto,
    Note,
    Press,
    Select,
    Upload,
    Wait,
)
from tasks.runner.secret_hosts import SecretHosts
from tasks.runner.target import Guard, Target

ACTION_S = 15.0
NAVIGATION_S = 30.0
_LOOK_S = 0.05
_UPLOAD_S = 30.0
_UPLOAD_BYTES_PER_S = 250_000


class Hands:
    """The hands of a run. `out` gathers what was read, `keyed` and `photos` what the portal was given."""

    def __init__(
        self,
        driver: Driver,
        pages: Pages,
        *,
        scope: values.Scope,
        base_url: str,
        hosts: SecretHosts,
        photos: tuple[Photo, ...] = (),
    ) -> None:
        self._driver = driver
        self._pages = pages
        self._scope = scope
        self._base_url = base_url.rstrip("/")
        self._hosts = hosts
        self._photos = photos
        self.out: dict[str, str] = {}
        self.keyed: dict[str, str] = {}
        self.photos: list[KeyedPhoto] = []

    def applies(self, guard: Guard | None) -> bool:
        """Whether something is for this record."""
        if guard is None:
            return True
        if guard.present is not None:
            return values.present(guard.present, self._scope)
        template = guard.value or ""
        actual = values.render(template, self._scope) if values.present(template, self._scope) else ""
        return actual == guard.equals if guard.equals is not None else actual in (guard.one_of or ())

    def render(self, template: str) -> str:
        """The template's text with this run's values. Raises `VALUE_MISSING`."""
        scope = values.Scope(
            form=self._scope.form,
            job=self._scope.job,
            out=self.out,
            secret=self._scope.secret,
            files=self._scope.files,
            maps=self._scope.maps,
        )
        try:
            return values.render(template, scope)
        except values.ValueMissing as exc:
            raise RunError("VALUE_MISSING", str(exc)) from exc

    def absolute(self, template: str) -> str:
        """An address at the portal; values in its query are escaped."""
        path, mark, query = template.partition("?")
        pairs = "&".join(
            f"{name}={quote(self.render(value), safe='')}"
            for name, _, value in (pair.partition("=") for pair in query.split("&"))
        )
        return f"{self._base_url}{self.render(path)}{mark}{pairs if mark else ''}"

    async def do(self, action: Action) -> None:
        """Carry out one action; an optional one whose target is not there is passed over."""
        try:
            await self._do(action, limit_s=action.timeout or ACTION_S)
        except RunError as exc:
            if not (action.optional and exc.code == "ELEMENT_TIMEOUT"):
                raise

    async def _do(self, action: Action, *, limit_s: float) -> None:
        match action:
            case Goto(url=url):
                await self._driver.open(self.absolute(url))
                await self._pages.detect()
            case Fill(at=at, value=template, sensitive=sensitive):
                await self._fill(at, template, sensitive=sensitive, limit_s=limit_s)
            case Select(at=at, value=template):
                value = self.render(template)
                await self._driver.select(await self._find(at, limit_s=limit_s), value)
                self.keyed[at.title] = value
            case Check(at=at):
                await self._driver.check(await self._find(at, limit_s=limit_s))
            case Click(at=at):
                await self._driver.click(await self._find(at, limit_s=limit_s))
            case Press(at=at, key=key):
                await self._driver.press(await self._find(at, limit_s=limit_s), key)
            case Upload():
                await self._upload(action, limit_s=limit_s)
            case Ask():
                await self._pages.answer(action, code=_CODES[action.kind])
            case Dismiss(at=at):
                # Without a browser nothing lies over the page, and a dialog's button belongs to no form.
                if self._driver.browser != NONE and await self._pages.shows(at.rendered(self.render)):
                    await self._driver.click(await self._find(at, limit_s=limit_s))
            case _:
                await self._look(action, limit_s=limit_s)

    async def _look(self, action: Expect | Extract | Wait | Note, *, limit_s: float) -> None:
        match action:
            case Expect(page=page):
                await self._pages.expect(page, limit_s=action.timeout or NAVIGATION_S)
            case Extract():
                await self._extract(action, limit_s=limit_s)
            case Wait(seconds=seconds):
                await self._driver.wait(seconds)
            case Note():
                pass

    async def _fill(self, at: Target, template: str, *, sensitive: bool, limit_s: float) -> None:
        way = await self._find(at, limit_s=limit_s)
        if "secret." in template:
            self._hosts.check(self._driver.url)
        if sensitive:
            await self._driver.conceal(way)
        value = self.render(template)
        await self._driver.fill(way, value)
        if not sensitive:
            self.keyed[at.title] = value

    async def _upload(self, action: Upload, *, limit_s: float) -> None:
        for photo in self._photos:
            mark = Target(css=action.each_done.replace("{name}", quoted(photo.name)))
            if not (action.skip_existing and await self._pages.shows(mark)):
                way = await self._find(action.at, limit_s=limit_s)
                await self._driver.upload(way, photo)
                size = photo.path.stat().st_size
                await self._pages.find(mark, limit_s=_UPLOAD_S + size / _UPLOAD_BYTES_PER_S)
            self.photos.append(KeyedPhoto(name=photo.name, sha256=photo.sha256, accepted=True))

    async def _find(self, at: Target, *, limit_s: float) -> Target:
        return await self._pages.find(at.rendered(self.render), limit_s=limit_s)

    async def _extract(self, action: Extract, *, limit_s: float) -> None:
        """Scripts may put the address or the text there only a moment after the click that led to it."""
        over = self._pages.patience(limit_s)
        while (found := await self._read(action, limit_s=limit_s)) is None:
            if await self._pages.detect():
                continue
            if over() or not await self._driver.wait(_LOOK_S):
                raise RunError("UNKNOWN_PAGE", f"{action.as_} could not be read")
        self.out[action.as_] = found[1]

    async def _read(self, action: Extract, *, limit_s: float) -> re.Match[str] | None:
        if isinstance(action.from_, Target):
            text = await self._driver.text(await self._pages.find(action.from_, limit_s=limit_s))
        else:
            text = self._driver.url
        return re.search(action.pattern, text)


def scope_of(
    *,
    form: Mapping[str, object],
    external_ref: str,
    record_id: str,
    secret: Mapping[str, str],
    photos: tuple[Photo, ...],
    maps: Mapping[str, Mapping[str, str]],
) -> values.Scope:
    """All that a recipe may name about one run, apart from what it reads on the way."""
    return values.Scope(
        form=form,
        job={"external_ref": external_ref, "record_id": record_id},
        secret=secret,
        files={"count": len(photos), "names": ", ".join(photo.name for photo in photos)},
        maps=maps,
    )


_CODES = {
    "otp": "OTP_REQUIRED",
    "captcha": "CAPTCHA",
    "approval": "APPROVAL",
    "choice": "APPROVAL",
    "fix": "PORTAL_REJECTED",
}
