"""The one exception of the local stack."""

from __future__ import annotations


class LocalStackError(Exception):
    """The local stack cannot go on; the message is a sentence for whoever typed the command, `exit_code` for their shell."""

    def __init__(self, sentence: str, *, exit_code: int = 2) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
