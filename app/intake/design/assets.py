"""What a planned asset is, and what is wrong with one that cannot be stored; each flaw names its line.

Columns of a table and properties of a feature mean the same, so both are judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.intake.position import in_range, number
from app.intake.strict_json import Json

KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "asset": "asset",
        "kind": "kind",
        "type": "kind",
        "lat": "lat",
        "latitude": "lat",
        "lon": "lon",
        "lng": "lon",
        "longitude": "lon",
        "tolerance_m": "tolerance_m",
    }
)
"""Names with a meaning of their own, whatever their case. Every other name is a planned value."""

MAX_KEY = 200
"""As long as the `asset` of a record may be."""
MAX_EXPECTED_BYTES = 16_384
"""The planned values are copied into each record of their asset."""
MAX_STEPS = 8
TOLERANCE_M = 50.0
MAX_TOLERANCE_M = 1e6
FLAWS_TOLD = 100
LIST, BETWEEN = "[]", "|"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One planned asset as it is stored; `expected` is a JSON object. `line` is where the file has it."""

    line: int
    asset: str
    kind: str
    lat: float | None
    lon: float | None
    tolerance_m: float
    expected: msgspec.Raw


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line cannot be taken."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class DesignRefused(Exception):
    """The file has flaws: nothing of it is taken. The first `FLAWS_TOLD` are in `flaws`, `count` is of all."""

    def __init__(self, flaws: list[Flaw], count: int) -> None:
        super().__init__(f"{count} flaws")
        self.flaws = flaws
        self.count = count


def gather(found: Iterable[Asset | Flaw]) -> list[Asset]:
    """All assets of a file. Raises `DesignRefused` with every flaw there is, an asset that stands twice among them."""
    assets: list[Asset] = []
    flaws: list[Flaw] = []
    lines: dict[str, int] = {}
    count = 0
    for each in found:
        flaw = each if isinstance(each, Flaw) else _twice(each, lines)
        if flaw is not None:
            count += 1
            flaws += [flaw] if count <= FLAWS_TOLD else []
        elif isinstance(each, Asset):
            assets.append(each)
    if not assets and not flaws:
        flaws, count = [Flaw(line=1, message="the file has no assets")], 1
    if flaws:
        raise DesignRefused(flaws, count)
    return assets


def judge(line: int, known: Mapping[str, Json], expected: dict[str, Json]) -> Iterator[Asset | Flaw]:
    """The asset of one line; or all that is wrong with it. `known` is by the values of `KNOWN`."""
    messages = [*_key(known.get("asset")), *_kind(known.get("kind")), *_place(known.get("lat"), known.get("lon"))]
    tolerance = TOLERANCE_M if known.get("tolerance_m") is None else number(known.get("tolerance_m"))
    if tolerance is None or not 0 <= tolerance <= MAX_TOLERANCE_M:
        messages.append(
            f"tolerance_m is {_said(known['tolerance_m'])}: metres from 0 to {MAX_TOLERANCE_M:,.0f} are allowed"
        )
    planned = msgspec.json.encode(expected)
    if len(planned) > MAX_EXPECTED_BYTES:
        messages.append(f"the planned values are {len(planned)} bytes of JSON; {MAX_EXPECTED_BYTES} are allowed")
    if messages:
        yield from (Flaw(line=line, message=message) for message in messages)
        return
    yield Asset(
        line=line,
        asset=_text(known["asset"]),
        kind=_text(known.get("kind")),
        lat=number(known.get("lat")),
        lon=number(known.get("lon")),
        tolerance_m=TOLERANCE_M if tolerance is None else tolerance,
        expected=msgspec.Raw(planned),
    )


def steps(name: str) -> list[str]:
    """The path that a name of a planned value is, as the rules of forms write it: `model`, `counts/fibres`, `serials[]`.

    Raises `ValueError` for one that is none.
    """
    path = name.removesuffix(LIST).split("/")
    if len(path) > MAX_STEPS or not all(path) or "*" in path:
        raise ValueError(f"{_said(name)} is no path of a planned value")
    return path


def plant(expected: dict[str, Json], path: list[str], value: Json) -> None:
    """Put a value where its path says. Raises `ValueError` where another value stands, or stands in the way."""
    at: Json = expected
    for step in path[:-1]:
        at = at.setdefault(step, {}) if isinstance(at, dict) else None
    if not isinstance(at, dict) or path[-1] in at:
        raise ValueError(f"{'/'.join(path)} is there twice, or as a value and as a group of values")
    at[path[-1]] = value


def _twice(asset: Asset, lines: dict[str, int]) -> Flaw | None:
    first = lines.setdefault(asset.asset, asset.line)
    if first == asset.line:
        return None
    return Flaw(line=asset.line, message=f"the asset {_said(asset.asset)} is on line {first} already")


def _key(raw: Json) -> Iterator[str]:
    key = _text(raw)
    if isinstance(raw, dict | list | bool | float):
        yield f"asset is {_said(raw)}: a text is needed"
    elif not key:
        yield "asset is missing"
    elif len(key) > MAX_KEY:
        yield f"asset is {len(key)} characters long; {MAX_KEY} are allowed"
    elif not key.isprintable():
        # It would look like the key that crews send, and never be found by it.
        yield f"asset is {_said(key)}: it holds characters that cannot be seen"


def _kind(raw: Json) -> Iterator[str]:
    if isinstance(raw, dict | list | bool) or len(_text(raw)) > MAX_KEY:
        yield f"kind is {_said(raw)}: a text of at most {MAX_KEY} characters is needed"


def _place(lat: Json, lon: Json) -> Iterator[str]:
    if lat is None and lon is None:
        return
    read = {"lat": number(lat), "lon": number(lon)}
    wrong = [name for name, raw in (("lat", lat), ("lon", lon)) if read[name] is None]
    for name in wrong:
        raw = lat if name == "lat" else lon
        yield f"{name} is missing" if raw is None else f"{name} is {_said(raw)}: degrees as a number are needed"
    if wrong or in_range(read["lat"], read["lon"]):
        return
    if read["lat"] == read["lon"] == 0:
        yield "lat and lon are 0, 0, which is no place: leave both empty where the place is not known"
    else:
        hint = "; perhaps the two are swapped" if in_range(read["lon"], read["lat"]) else ""
        yield f"lat, lon are {_said(lat)}, {_said(lon)}: degrees within ±90 and ±180 are needed{hint}"


def _text(raw: Json) -> str:
    return "" if raw is None else str(raw).strip()


def _said(raw: Json) -> str:
    text = raw if isinstance(raw, str) else msgspec.json.encode(raw).decode()
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
