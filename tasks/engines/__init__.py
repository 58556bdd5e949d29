"""Clients of automation services behind one interface.

`contract` has the words and the `Engine` protocol, `codes` the failure codes and their classes, `errors` what a call
can raise, `asbuilt` the client of the Asbuilt HTTP contract, version 1. Third parties' APIs: `skyvern` and `browser_use`,
each beside its `…_story`, which tells its runs as our events; `proof` says what is believed of them, and `choice` which
engine keys a portal.
"""

from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.choice import Engines
from tasks.engines.contract import Engine

__all__ = ["AsbuiltEngine", "Engine", "Engines"]
