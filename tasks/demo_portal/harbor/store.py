"""Harbor's tables: rows and statements, nothing that decides."""

from __future__ import annotations

from datetime import datetime

import msgspec

import sql
from tasks.demo_portal.store import AccountRow, PictureRow

_q = sql.load("harbor")


class CrewRow(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session it is."""

    account: str


class CloseoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A close-out on the desk."""

    id: int
    account: str
    keyed: dict[str, str]
    saved_at: datetime

    @property
    def code(self) -> str:
        """`C00001`, as in its address."""
        return f"C{self.id:05d}"


class PhotoRow(msgspec.Struct, frozen=True, kw_only=True):
    """A photo without its bytes."""

    id: int
    name: str
    size: int
    sha256: str


class ReceiptRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a crew gets for a close-out, once."""

    number: str


get_account = _q.opt("get_harbor_account", AccountRow)
sign_in_right = _q.exec("harbor_sign_in_right")
sign_in_wrong = _q.exec("harbor_sign_in_wrong")
open_session = _q.exec("open_harbor_session")
visit_session = _q.opt("visit_harbor_session", CrewRow)
close_session = _q.exec("close_harbor_session")
start_closeout = _q.one("start_closeout", CloseoutRow)
get_closeout = _q.opt("get_closeout", CloseoutRow)
closeout_to_send = _q.opt("closeout_to_send", CloseoutRow)
list_closeouts = _q.many("list_closeouts", CloseoutRow)
save_closeout = _q.opt("save_closeout", CloseoutRow)
put_photo = _q.opt("put_closeout_photo", PhotoRow)
list_photos = _q.many("list_closeout_photos", PhotoRow)
get_photo = _q.opt("get_closeout_photo", PictureRow)
send_closeout = _q.one("send_closeout", ReceiptRow)
