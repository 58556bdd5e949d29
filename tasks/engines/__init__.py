"""Clients of automation services behind one interface.

`contract` has the words and the `Engine` protocol, `codes` the failure codes and their classes, `errors` what a call
can raise, `asbuilt` the client of the Asbuilt HTTP contract, version 1.
"""

from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.contract import Engine

__all__ = ["AsbuiltEngine", "Engine"]
