"""docs/recipes.md says what the code does: its reference is that of the structs, and its example is sound."""

from __future__ import annotations

import re
import tomllib

from tasks.runner import values
from tasks.runner.checking import check
from tests.recipe_reference import MARK, PAGE, reference


def test_the_reference_is_that_of_the_structs() -> None:
    _, mark, written = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert mark
    assert written == reference(), "write it again: python -m tests.recipe_reference"


def test_the_example_is_a_sound_recipe_in_both_spellings() -> None:
    found = re.search(r"<!-- example -->\n```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert check(found[1], source="example.toml").findings == ()
    assert tomllib.loads(found[1])["recipe"] == "county-closeout"


def test_every_filter_and_space_is_described() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{space}` |" in text for space in values.SPACES)
    assert all(re.search(rf"\| `{name}[:`]", text) for name in values.FILTERS)
