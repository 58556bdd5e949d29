"""The reference automation service: declarative recipes keyed into portals by Chromium, or over plain HTTP.

`server`, `site`, `routes`, `refusals`: the contract over HTTP. `runs`, `run`, `journal`, `execution`, `photos`: what a run
is, from its start to its end. `recipe`, `recipe_file`, `values`: what is keyed where. `interpreter`, `pages`, `actions`,
`gate`, `sessions`, `lookup`, `narrator`, `redact`: playing a recipe. `driver`, `drivers`, `forms` with `dom`, `browser` with
`chromium` and `finder`: acting on pages. `portals`: addresses and credentials.
"""

from tasks.runner.execution import Limits
from tasks.runner.server import Service, running, serve

__all__ = ["Limits", "Service", "running", "serve"]
