"""A client's backlog: bounded, the newest progress of a job wins, and a gap is remembered until it is mended."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.core.errors import MalformedRequest
from app.live.cursor import JobCursor, ManyCursor, job_cursor, many_cursor
from app.live.schemas import Notice
from app.live.subscription import Rights, Scope, Subscription, Told

EPOCH = uuid4()


def subscription(backlog: int = 3) -> Subscription:
    sub = Subscription(Scope("all"), Rights(()), caller=uuid4(), backlog=backlog)
    sub.resume()
    return sub


def told(job: UUID, seq: int) -> Told:
    notice = Notice(job=job, record=uuid4(), project=uuid4(), device=uuid4(), seq=seq)
    return Told(notice, ManyCursor(EPOCH, seq))


def test_a_full_backlog_is_dropped_whole_and_stays_dropped() -> None:
    sub, job = subscription(), uuid4()
    for seq in range(1, 6):
        sub.offer(told(job, seq), running=True)
    assert sub.gap == "gap"
    assert sub.take_told() == []
    sub.resume()
    sub.offer(told(job, 6), running=True)
    assert [t.seq for t in sub.take_told()] == [6]


def test_the_newest_progress_of_a_job_wins_and_ends_with_its_attempt() -> None:
    sub, one, two = subscription(), uuid4(), uuid4()
    for number in (b"1", b"2", b"3"):
        sub.offer_progress(one, number)
    sub.offer_progress(two, b"4")
    sub.offer(told(two, 1), running=False)
    assert sub.take_rest() == [b"3"]
    for _ in range(9):
        sub.offer_progress(uuid4(), b"x")
    assert len(sub.take_rest()) == 3


def test_an_epoch_outdoes_a_gap() -> None:
    sub = subscription()
    sub.lose("gap")
    sub.lose("epoch")
    sub.lose("gap")
    assert sub.gap == "epoch"


@pytest.mark.parametrize("device", [None, uuid4()])
def test_rights_are_projects_or_the_own_device(device: UUID | None) -> None:
    project, own = uuid4(), device or uuid4()
    rights = Rights((project,), device)
    assert rights.allow(project=project, device=uuid4())
    assert rights.allow(project=uuid4(), device=own) is (device is not None)
    assert not rights.allow(project=uuid4(), device=uuid4())


def test_cursors_read_what_they_write_and_nothing_else() -> None:
    of_job, of_many = JobCursor(EPOCH, 7), ManyCursor(EPOCH, 2**40)
    assert job_cursor(str(of_job)) == of_job
    assert many_cursor(str(of_many)) == of_many
    assert job_cursor("") is None
    assert many_cursor("") is None
    for text in (str(of_many), f"{EPOCH}-", f"{EPOCH}-١", f"{EPOCH}-2147483648", f" {EPOCH}-1"):
        with pytest.raises(MalformedRequest):
            job_cursor(text)
    with pytest.raises(MalformedRequest):
        many_cursor(str(of_job))
