"""What runs behind the queue: the automation job, its engines, the reference runner and the demo portal.

`tasks.app` is the Procrastinate App; it is made when somebody asks for it, so that the runner and the portal need no queue.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from procrastinate import App


@cache
def _app() -> App:
    from tasks.worker import load_app  # noqa: PLC0415 - only a worker reads a worker's settings

    return load_app()


def __getattr__(name: str) -> App:
    if name == "app":
        return _app()
    raise AttributeError(name)
