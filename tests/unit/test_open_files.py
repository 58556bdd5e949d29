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
