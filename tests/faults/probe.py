"""Asks an address again and again from a process of its own, so that nobody else's work is in the figures.

Run: `python -m tests.faults.probe HOST PORT SECONDS`; prints a JSON list of seconds, -1 for whatever is not 200.
"""

from __future__ import annotations

import http.client
import json
import sys
import time


def main(host: str, port: int, seconds: float) -> None:
    took: list[float] = []
    until = time.monotonic() + seconds
    line = http.client.HTTPConnection(host, port, timeout=5)
    while time.monotonic() < until:
        began = time.monotonic()
        line.request("GET", "/health/live")
        answer = line.getresponse()
        answer.read()
        took.append(time.monotonic() - began if answer.status == 200 else -1.0)
        time.sleep(0.05)
    print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
