"""Finds the line of every key and array item in a TOML or JSON text that has been parsed already; it judges nothing."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""[\s\S]*?(?<!\\)"{3,5}|\'\'\'[\s\S]*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')
_SCALAR = re.compile(r"[^,\]}#\n]+")


def toml_lines(text: str) -> dict[Path, int]:
    """Path to line, both of tables (`("steps", 0)`) and of what stands in them."""
    return _Scanner(text, separator="=").document()


def json_lines(text: str) -> dict[Path, int]:
    """The same for JSON."""
    scanner = _Scanner(text, separator=":")
    scanner.skip()
    scanner.value(())
    return scanner.lines


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """The line of a path, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    """Walks sound text only: the parser proper has refused everything else."""

    def __init__(self, text: str, *, separator: str) -> None:
        self._text = text
        self._separator = separator
        self._at = 0
        self._tables: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        table: Path = ()
        self.skip()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self.skip()
        return self.lines

    def skip(self) -> None:
        self._at = _match(_BLANK, self._text, self._at).end()

    def value(self, path: Path) -> None:
        """Past one value, noting what is in it."""
        match self._text[self._at]:
            case "[":
                self._items(path)
            case "{":
                self._table(path)
            case '"' | "'":
                self._at = _match(_STRING, self._text, self._at).end()
            case _:
                self._at = _match(_SCALAR, self._text, self._at).end()

    def _note(self, path: Path, at: int) -> None:
        self.lines.setdefault(path, self._text.count("\n", 0, at) + 1)

    def _header(self) -> Path:
        start = self._at
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: Path = ()
        keys = self._keys()
        for position, key in enumerate(keys):
            path = (*path, key)
            if many and position == len(keys) - 1:
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:
                path = (*path, self._tables[path])
        self._at = self._text.index("]", self._at) + (2 if many else 1)
        self._note(path, start)
        return path

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._at = _match(_SPACE, self._text, self._at).end()
            quoted = self._text[self._at] in "\"'"
            found = _match(_STRING if quoted else _BARE, self._text, self._at)
            keys.append(found[0][1:-1] if quoted else found[0])
            self._at = _match(_SPACE, self._text, found.end()).end()
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _pair(self, path: Path) -> None:
        start = self._at
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self._at = self._text.index(self._separator, self._at) + 1
        self.skip()
        self.value(path)

    def _items(self, path: Path) -> None:
        self._at += 1
        index = 0
        self.skip()
        while self._text[self._at] != "]":
            self._note((*path, index), self._at)
            self.value((*path, index))
            index += 1
            self._comma()
        self._at += 1

    def _table(self, path: Path) -> None:
        self._at += 1
        self.skip()
        while self._text[self._at] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self.skip()
        if self._text[self._at] == ",":
            self._at += 1
            self.skip()


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = pattern.match(text, at)
    if found is None:
        raise ValueError(f"no sound text at offset {at}")
    return found
