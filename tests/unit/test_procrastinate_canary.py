"""Procrastinate's private methods are as they were when `tasks/hardening.py` was written on top of them.

A failure here is no bug: read what changed, mend the hardening if its story does not hold any more, then note the new hash.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import procrastinate
import pytest
from procrastinate import App, PsycopgConnector
from procrastinate.manager import JobManager, get_channel_for_queues
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from tasks.listening import CHANNEL, CHANNELS
from tasks.worker import CHECKS, QUEUE

RELIED_ON: list[tuple[Callable[..., Any], str, str]] = [
    (
        Worker.__init__,
        "3d3b1c8f6b42",
        "HardenedWorker replaces _new_job_event and reads _stop_event, _running_jobs; they must be made here",
    ),
    (
        Worker.run,
        "9a7c6a1ab830",
        "it must clear the stop event before its first await, register the worker, and shield the loop from being cancelled",
    ),
    (
        Worker.stop,
        "c7dd113d406f",
        "it only sets _stop_event; a second call must do nothing",
    ),
    (
        Worker._run_loop,
        "c92ccad5fa07",
        "it must wait for _new_job_event, the poll or the stop, take no signals when told so, and end in _shutdown",
    ),
    (
        Worker._fetch_and_process_jobs,
        "2963aa354dfd",
        "it clears _new_job_event after the fetch, which loses wake-ups; Wakeup.clear does nothing, and the fetch takes the event first. No await may stand between fetch_job's return and _running_jobs, by which places are counted, nor before the callback that frees the place: ours must come after it",
    ),
    (
        Worker._process_job,
        "55a67c0ff525",
        "it must be a task's whole work, run every job inside worker_middleware, end JobAborted as aborted, and wait for the finish even when cancelled",
    ),
    (
        Worker._persist_job_status,
        "821921c86130",
        "it must finish through job_manager.finish_job, which ours repeats until it lands",
    ),
    (
        Worker._shutdown,
        "7e40cbd5efe3",
        "it ends the side tasks before it waits for jobs, so ours waits first; then it must unregister the worker",
    ),
    (
        Worker._start_side_tasks,
        "2623df64cb23",
        "heartbeat, abort polling and listener must be started here; ours adds the loops of the house",
    ),
    (
        Worker._monitor_side_tasks,
        "4e56a4772719",
        "a side task that fails stops the worker, so none of ours may",
    ),
    (
        Worker._update_heartbeat,
        "a45b4b3b030e",
        "ours replaces it: the first failed heartbeat ended it in silence",
    ),
    (
        Worker._poll_jobs_to_abort,
        "73ddd46a1428",
        "it must survive a failed query: it runs through the drain",
    ),
    (
        Worker._handle_notification,
        "3f1ca288aafc",
        "a job_inserted must set _new_job_event",
    ),
    (
        Worker._abort_job,
        "8c2aff094165",
        "it must cancel the job's task and note the reason: this is how an attempt is told to detach",
    ),
    (
        JobManager.__init__,
        "d6cd5903716b",
        "HardenedManager is made beside it, with a connector",
    ),
    (
        JobManager.fetch_job,
        "eb92906b55c1",
        "it must be one statement; ours repeats it, and reads task_name and id of what it answers",
    ),
    (
        JobManager.finish_job,
        "eeb7dbb92f90",
        "it must end in finish_job_by_id_async",
    ),
    (
        JobManager.finish_job_by_id_async,
        "37c39de96933",
        "ours repeats it, and takes RaiseException for 'the row is not ours any more'",
    ),
    (
        JobManager.listen_for_jobs,
        "357ae708778f",
        "it must call the connector's listen_notify, which ours replaces, with the channels of the named queues",
    ),
    (
        JobManager.register_worker,
        "611f376fe38f",
        "ours calls it again when the worker's row was pruned",
    ),
    (
        JobManager.unregister_worker,
        "087d3ab9c74a",
        "ours lets it fail: a worker whose database is away must end all the same",
    ),
    (
        JobManager.update_heartbeat,
        "91a7b7aa717e",
        "ours calls it from its own loop",
    ),
    (
        PsycopgConnector.__init__,
        "da4fc8b0a284",
        "pool_factory must get the arguments as they are",
    ),
    (
        PsycopgConnector._create_pool,
        "33693de57a73",
        "it must pass `check`, which ours takes out: it would wait for a frozen server without a deadline",
    ),
    (
        PsycopgConnector.open_async,
        "74980314ce17",
        "it must open the pool that pool_factory made",
    ),
    (
        PsycopgConnector._get_cursor,
        "81a1d5f11139",
        "it must take connections by pool.connection(), where our deadline is",
    ),
    (
        App.__init__,
        "304b46afec7e",
        "it must make job_manager an attribute, which ours replaces, before tasks are added",
    ),
    (
        App._worker,
        "7be8c4b62e17",
        "it must be what run_worker_async makes its worker with",
    ),
    (
        App.run_worker_async,
        "9ebb37af7a7c",
        "it must run the worker that _worker makes, with nothing around it",
    ),
]


def fingerprint(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:12]


@pytest.mark.parametrize(("method", "known", "story"), RELIED_ON, ids=lambda value: getattr(value, "__qualname__", ""))
def test_a_method_relied_on_is_as_it_was(method: Callable[..., Any], known: str, story: str) -> None:
    found = fingerprint(inspect.getsource(method))
    assert found == known, (
        f"{method.__qualname__} of Procrastinate {procrastinate.__version__} is not the one that the hardening was written"
        f" for (its hash is {found}). What is relied on: {story}."
    )


def test_the_version_is_the_pinned_one() -> None:
    assert procrastinate.__version__.startswith("3.10.")


def test_finish_refuses_a_row_that_is_spent_with_an_exception_of_its_own() -> None:
    """Else every finish of a superseded row would be repeated for ever."""
    schema = SchemaManager.get_schema()
    finish = schema.partition("FUNCTION procrastinate_finish_job_v1")[2].partition("$$;")[0]
    assert "RAISE 'Job was not found" in finish
    assert "status IN ('todo', 'doing')" in finish


def test_workers_listen_where_the_queue_notifies() -> None:
    assert list(get_channel_for_queues([QUEUE])) == [CHANNEL]
    assert set(get_channel_for_queues([QUEUE, CHECKS])) == CHANNELS
