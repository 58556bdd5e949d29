"""A web process takes as many files as the system allows: a shell's 1,024 are fewer than its streams."""

from __future__ import annotations

import resource
import subprocess
import sys

RAISED = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from app.main import allow_files
allow_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    done = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, text=True, check=True)
    soft, hard = done.stdout.split()
    assert soft == hard == str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


LEFT = """
import resource
for files in (20_000, 4_000, 1_024):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    from app.main import most_streams
    print(most_streams())
"""


def test_streams_leave_files_for_everybody_else() -> None:
    """A process without a file to spare accepts nobody: viewers would have shut the phones out."""
    done = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, check=True)
    assert [int(line) for line in done.stdout.split()] == [10_000, 2_000, 512]
