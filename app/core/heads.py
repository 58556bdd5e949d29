"""HEAD wherever GET is: the same handler, of whose answer the server sends the head (RFC 9110, section 9.3.2).

Streams are left out: a head without an end promises what only a GET keeps, so they answer 405.
"""

from __future__ import annotations

from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

STREAM = "text/event-stream"


class Heads(ReceiveRoutePlugin):
    """Gives each route that has GET and no HEAD of its own the one for the other."""

    def receive_route(self, route: BaseRoute) -> None:
        if not isinstance(route, HTTPRoute) or "HEAD" in route.route_handler_map or "GET" not in route.methods:
            return
        reader = route.route_handler_map["GET"]
        if STREAM not in reader[0].opt.get("media", ()):
            route.route_handler_map["HEAD"] = reader
            # What OPTIONS tells.
            route.methods.add("HEAD")


def implied(route: HTTPRoute, method: str) -> bool:
    """Whether this is the HEAD of a GET, which a description of the API does not name."""
    handlers = route.route_handler_map
    return method == "HEAD" and "GET" in handlers and handlers["HEAD"] == handlers["GET"]
