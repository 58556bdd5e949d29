"""`python -m tests.reference` writes every made part of the docs anew, and names the pages that changed."""

from __future__ import annotations

from tests.reference.pages import MADE, render
from tests.reference.places import DOCS


def main() -> None:
    for name in MADE:
        page = DOCS / name
        before = page.read_text(encoding="utf-8")
        after = render(name, before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
