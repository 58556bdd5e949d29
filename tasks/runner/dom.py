"""A page as a tree, from the standard library's HTML parser, with the few selectors that recipes use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_CLOSES_ITSELF = {"li": {"li"}, "option": {"option"}, "tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}}
_HIDDEN = frozenset({"script", "style", "template"})
_SIMPLE = re.compile(
    r"""(?P<tag>[a-zA-Z][\w-]*|\*)|\#(?P<id>[\w-]+)|\.(?P<cls>[\w-]+)|\[(?P<attr>[\w-]+)(?:=(?P<q>["']?)(?P<val>(?:\\.|[^\\])*?)(?P=q))?\]"""
)


class Node:
    """An element: its attributes, children and text."""

    def __init__(self, tag: str, attrs: dict[str, str], parent: Node | None) -> None:
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.children: list[Node | str] = []

    def walk(self) -> Iterator[Node]:
        """All elements below, in document order."""
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    @property
    def text(self) -> str:
        """The visible text with white space collapsed."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in _HIDDEN:
                yield " "
                yield from child._texts()

    def closest(self, tag: str) -> Node | None:
        node: Node | None = self
        while node is not None and node.tag != tag:
            node = node.parent
        return node

    def select(self, css: str) -> list[Node]:
        """Elements below that match a selector of tags, ids, classes, attributes and descendants."""
        chain = [_compile(part) for part in _split(css)]
        return [node for node in self.walk() if node._matches(chain)]

    def _matches(self, chain: list[list[tuple[str, str | None]]]) -> bool:
        *above, own = chain
        if not all(self._has(name, value) for name, value in own):
            return False
        node = self.parent
        for part in reversed(above):
            while node is not None and not all(node._has(name, value) for name, value in part):
                node = node.parent
            if node is None:
                return False
            node = node.parent
        return True

    def _has(self, name: str, value: str | None) -> bool:
        if name == "":
            return value in {"*", self.tag}
        if name == ".":
            return value in self.attrs.get("class", "").split()
        return name in self.attrs and (value is None or self.attrs[name] == value)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {}, None)
        self._at = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._at.tag in _CLOSES_ITSELF.get(tag, ()):
            self._at = self._at.parent or self.root
        node = Node(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.children.append(node)
        if tag not in _VOID:
            self._at = node

    def handle_endtag(self, tag: str) -> None:
        node = self._at.closest(tag)
        if node is not None and node.parent is not None:
            self._at = node.parent

    def handle_data(self, data: str) -> None:
        self._at.children.append(data)


def parse(html: str) -> Node:
    """The document; broken markup gives a tree too."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


def quoted(value: str) -> str:
    """A value made safe inside a quoted attribute selector."""
    return re.sub(r"""(["'\\])""", r"\\\1", value)


def understands(css: str) -> None:
    """Raises `ValueError` for a selector beyond tags, ids, classes, attributes and descendants."""
    for part in _split(css):
        _compile(part)


def _split(css: str) -> list[str]:
    """The parts of a descendant selector; spaces inside brackets do not separate."""
    return re.findall(r"(?:\[[^\]]*\]|[^\s\[])+", css)


def _compile(part: str) -> list[tuple[str, str | None]]:
    tests: list[tuple[str, str | None]] = []
    at = 0
    while at < len(part):
        match = _SIMPLE.match(part, at)
        if match is None:
            raise ValueError(f"{part!r} is not a selector this driver knows")
        at = match.end()
        if match["tag"]:
            tests.append(("", match["tag"].lower() if match["tag"] != "*" else "*"))
        elif match["id"]:
            tests.append(("id", match["id"]))
        elif match["cls"]:
            tests.append((".", match["cls"]))
        else:
            value = match["val"]
            tests.append((match["attr"], None if value is None else re.sub(r"\\(.)", r"\1", value)))
    return tests
