"""Generated records for the demo: plausible jobs around Northfield, each complete and without defects, with drawn photos."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import TypeAlias
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from PIL import Image

from app.local import fibre_scenes, pole_scenes
from app.local.drawing import Taken, by_hand, dice, jpeg
from app.local.fibre_scenes import FIBRE_COLOURS, Closure
from app.local.pole_scenes import Pole

Scene: TypeAlias = Callable[[], Image.Image]

# (street, district, latitude, longitude), all within the demo project's site.
_SITES: tuple[tuple[str, str, float, float], ...] = (
    ("Division Street", "Harbor", 44.4561, -93.1603),
    ("Water Street", "Harbor", 44.4578, -93.1622),
    ("Bridge Square", "Harbor", 44.4572, -93.1611),
    ("Maple Street", "South", 44.4419, -93.1563),
    ("Jefferson Parkway", "South", 44.4352, -93.1630),
    ("Woodley Street", "South", 44.4465, -93.1521),
    ("Prairie Street", "South", 44.4437, -93.1459),
    ("Wall Street Road", "North", 44.4672, -93.1342),
    ("Cannon Road", "North", 44.4799, -93.1518),
    ("Highland Avenue", "North", 44.4712, -93.1700),
    ("Greenvale Avenue", "North", 44.4679, -93.1763),
    ("Ames Street", "Valley", 44.4602, -93.1668),
    ("Armstrong Road", "Valley", 44.4506, -93.1907),
    ("Cedar Avenue", "Valley", 44.4633, -93.1984),
    ("Thye Parkway", "Valley", 44.4689, -93.1891),
)
_LEADS = ("Ana Ruiz", "Tom Lindqvist", "Grace Okafor", "Miguel Santos", "Hanna Berg", "Pete Kowalski")
_PHONES = (("Fairphone", "FP5"), ("Samsung", "SM-G525F"), ("Apple", "iPhone 14"), ("Google", "Pixel 8"))
_POLE_NOTES = (
    "Old pole cut at ground line and left for the recycler.",
    "Moved 0.4 m towards the kerb to clear the water main.",
    "Rock at 1.6 m, drilled. Backfill compacted in three lifts.",
    "Down guy replaced as well. Customers off 09:10 to 10:35.",
    "",
)
_FIBRE_NOTES = (
    "Express fibres left uncut. Seal tested at 40 kPa.",
    "Slack of 12 m coiled on the snowshoe west of the pole.",
    "Averaged over both directions at 1310 and 1550 nm.",
    "",
)


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn photo, ready to be sent."""

    name: str
    shot: str
    data: bytes


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One record as the phone sends it, with its photos; `title` is for the person who watches."""

    title: str
    form: str
    work_order: str
    record: bytes
    photos: tuple[Photo, ...]


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """What both forms share."""

    work_order: str
    street: str
    district: str
    lead: str
    taken: Taken
    seed: int


def samples(
    count: int, *, project: str, now: datetime, seed: int | None = None, sketch: bool = False
) -> Iterator[Sample]:
    """Records one by one, since drawing takes a while; work orders differ within a run, ids always.

    `sketch`: small photos, each scene drawn for its first record only, for when many are wanted soon.
    """
    rng = Random(seed)  # noqa: S311 nothing here is secret
    zone = _zone()
    album = _Album() if sketch else None
    for index, number in enumerate(rng.sample(range(10_000, 100_000), count)):
        job = _job(f"WO-{number}", rng, now.astimezone(zone))
        yield (_pole if index % 2 == 0 else _fibre)(job, project, rng, album)


class _Album:
    """Small pictures of scenes, by shot, drawn once; EXIF makes a photo of its own of each use."""

    def __init__(self) -> None:
        self._pictures: dict[str, Image.Image] = {}

    def picture(self, shot: str, scene: Scene) -> Image.Image:
        if shot not in self._pictures:
            self._pictures[shot] = scene().resize((1024, 768))
        return self._pictures[shot]


def _zone() -> tzinfo:
    try:
        return ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError:
        return UTC


def _job(work_order: str, rng: Random, now: datetime) -> _Job:
    street, district, lat, lon = rng.choice(_SITES)
    make, model = rng.choice(_PHONES)
    taken = Taken(
        at=(now - timedelta(minutes=rng.randrange(20, 1500))).replace(microsecond=0),
        lat=round(lat + rng.uniform(-0.0015, 0.0015), 7),
        lon=round(lon + rng.uniform(-0.0015, 0.0015), 7),
        accuracy_m=round(rng.uniform(2.5, 9.0), 1),
        make=make,
        model=model,
    )
    lead = rng.choice(_LEADS)
    return _Job(
        work_order=work_order, street=street, district=district, lead=lead, taken=taken, seed=rng.randrange(10**6)
    )


def _pole(job: _Job, project: str, rng: Random, album: _Album | None) -> Sample:
    pole = Pole(
        tag=f"NP-{rng.randrange(10_000, 100_000)}",
        street=job.street,
        height_ft=rng.choice((35, 40, 45, 50, 55)),
        pole_class=rng.choice(("2", "3", "4", "5")),
        material=rng.choice(("Southern pine", "Douglas fir", "Western red cedar", "Steel")),
        earth_ohm=round(rng.uniform(4, 24), 1),
        seed=job.seed,
    )
    fields: dict[str, object] = {
        # A tenth of the height and two feet, as setting depths are commonly chosen.
        "depth_m": round((pole.height_ft * 0.1 + 2) * 0.3048 + rng.uniform(0, 0.15), 2),
        "pole_height_ft": pole.height_ft,
        "pole_class": pole.pole_class,
        "pole_material": pole.material,
        "earth_resistance_ohm": pole.earth_ohm,
        "notes": rng.choice(_POLE_NOTES),
    }
    scenes: dict[str, Scene] = {
        "full_pole": lambda: pole_scenes.full_pole(pole),
        "tag": lambda: pole_scenes.tag(pole),
        "base": lambda: pole_scenes.base(pole),
    }
    if rng.random() < 0.5:
        scenes["earth"] = lambda: pole_scenes.earth(pole)
    return _sample(job, "pole-replacement", project, pole.tag, fields, scenes, rng, album)


def _fibre(job: _Job, project: str, rng: Random, album: _Album | None) -> Sample:
    count = 12
    losses = tuple(round(min(0.24, max(0.01, rng.gauss(0.06, 0.03))), 2) for _ in range(count))
    closure = Closure(
        label=f"NFC-{rng.randrange(1_000, 10_000)}",
        model=rng.choice(("FC-96 dome", "FC-48 inline", "FC-144 dome")),
        street=job.street,
        work_order=job.work_order,
        fibres=count,
        losses=losses,
        seed=job.seed,
    )
    fields: dict[str, object] = {
        "closure_model": closure.model,
        "fibre_count": count,
        "splices": [
            {"tube": tube, "fibre": number, "loss_db": loss}
            for number, (tube, loss) in enumerate(zip(FIBRE_COLOURS, losses, strict=True), start=1)
        ],
        "max_splice_loss_db": max(losses),
        "notes": rng.choice(_FIBRE_NOTES),
    }
    scenes: dict[str, Scene] = {
        "closure_closed": lambda: fibre_scenes.closure_closed(closure),
        "tray": lambda: fibre_scenes.tray(closure),
        "label": lambda: fibre_scenes.label(closure),
    }
    return _sample(job, "fibre-splice-closure", project, closure.label, fields, scenes, rng, album)


def _sample(
    job: _Job,
    form: str,
    project: str,
    asset: str,
    fields: dict[str, object],
    scenes: dict[str, Scene],
    rng: Random,
    album: _Album | None,
) -> Sample:
    photos: list[Photo] = []
    manifest: list[dict[str, object]] = []
    for order, (shot, scene) in enumerate(scenes.items()):
        taken = msgspec.structs.replace(
            job.taken,
            at=job.taken.at + timedelta(seconds=40 * order + rng.randrange(30)),
            lat=round(job.taken.lat + rng.uniform(-0.0001, 0.0001), 7),
            lon=round(job.taken.lon + rng.uniform(-0.0001, 0.0001), 7),
        )
        picture = by_hand(album.picture(shot, scene) if album else scene(), dice(job.seed + order))
        photo = Photo(name=f"{shot}.jpg", shot=shot, data=jpeg(picture, taken))
        photos.append(photo)
        manifest.append(
            {
                "name": photo.name,
                "shot": shot,
                "kind": "photo",
                "sha256": hashlib.sha256(photo.data).hexdigest(),
                "size": len(photo.data),
                "type": "image/jpeg",
                "taken_at": taken.at,
                "lat": taken.lat,
                "lon": taken.lon,
            }
        )
    finished = job.taken.at + timedelta(minutes=4)
    record = {
        "id": uuid4(),
        "project": project,
        "form": form,
        "form_version": 1,
        "asset": asset,
        "crew": f"{job.lead.split()[-1]} crew",
        "fields": {
            "work_order": job.work_order,
            "district": job.district,
            "crew_lead": job.lead,
            "date_completed": finished.date(),
        }
        | fields,
        "position": {
            "lat": job.taken.lat,
            "lon": job.taken.lon,
            "h_accuracy_m": job.taken.accuracy_m,
            "fix_type": "gps",
            "source": "integrated",
        },
        "captured_at": finished,
        "created_at": finished,
        "photos": manifest,
    }
    return Sample(
        title=f"{asset}, {job.street}",
        form=form,
        work_order=job.work_order,
        record=msgspec.json.encode(record),
        photos=tuple(photos),
    )
