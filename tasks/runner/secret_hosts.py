"""Where the secrets of a portal may be typed: its own host, and those that its configuration allows."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from tasks.runner.driver import RunError


class SecretHosts:
    """`hosts` are `host` (its default port) or `host:port`; where the portal is https nothing is typed on plain http."""

    def __init__(self, base_url: str, hosts: Iterable[str] = ()) -> None:
        self._secure = urlsplit(base_url).scheme == "https"
        self._hosts = frozenset({urlsplit(base_url).netloc.lower(), *(host.lower() for host in hosts)})

    def check(self, url: str) -> None:
        """Raises `SECRET_HOST`: a redirect must never carry credentials to somebody else."""
        page = urlsplit(url)
        host = page.netloc.lower().rpartition("@")[2]
        if host not in self._hosts or (self._secure and page.scheme != "https"):
            raise RunError(
                "SECRET_HOST", f"the page is on {host or 'no host'}, where this portal's secrets are not typed"
            )
