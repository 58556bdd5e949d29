"""Recipes: the shipped one is sound, and each way of being unsound is refused when it is loaded."""

from __future__ import annotations

import pytest

from tasks.runner.driver import commit_pattern, matches
from tasks.runner.recipe import CommitRule, describe
from tasks.runner.recipe_file import RecipeProblem, Recipes, parse, shipped

SOUND = """
recipe = "toy"
version = 3
portal = "toy"
detect = [{code = "PORTAL_ERROR", when = {status = "500-599"}}]
lookup = "none"
[maps.kinds]
a = "A"
[[steps]]
id = "page"
label = "Page"
actions = [{do = "goto", url = "/new"}, {do = "fill", at = {label = "Name"}, value = "{{form.name|map:kinds}}"}]
done = {url = "**/review"}
[[steps]]
id = "submit"
label = "Submit"
open = "/review"
verify = [{at = {css = "#name"}, equals = "{{form.name}}"}]
commits = {url = "**/submit"}
actions = [{do = "click", at = {role = "button", name = "Send"}}]
done = {at = {testid = "number"}, as = "confirmation_number", matches = 'N-\\d+'}
"""


def test_the_shipped_recipe_is_sound_and_ends_with_the_submission() -> None:
    recipe = shipped().get("npl-asbuilt")
    assert recipe is not None
    assert [step.id for step in recipe.steps] == ["sign_in", "job", "details", "photos", "submit"]
    assert [step.id for step in recipe.steps if step.commits] == ["submit"]
    assert all(describe(action) for step in recipe.steps for action in step.actions)
    assert shipped().for_portal("npl") is not None
    assert shipped().names == {"harbor-closeout": (1,), "npl-asbuilt": (1, 2)}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('{do = "goto", url = "/new"}', '{do = "jump", url = "/new"}', "jump"),
        ("/new", "/new?p={{secret.password}}", "secrets may only be filled in"),
        ('value = "{{form.name|map:kinds}}"', 'value = "{{secret.password}}"', "sensitive = true"),
        ("map:kinds", "map:sorts", "there is no map 'sorts'"),
        ('{label = "Name"}', '{label = "Name", css = "#n"}', "exactly one of label"),
        ('{label = "Name"}', '{role = "button"}', "role and name go together"),
        ('id = "page"', 'id = "submit"', "step 'submit' is there twice"),
        ('commits = {url = "**/submit"}', "", "exactly one step commits"),
        ('as = "confirmation_number", ', "", "must keep its number"),
        ('[{do = "click", at', '[{do = "upload", at = {css = "#f"}, each_done = "b"}, {do = "click", at', "an upload"),
        ('{do = "goto", url = "/new"}', '{do = "extract", pattern = "D", as = "draft"}', "exactly one group"),
        ('code = "PORTAL_ERROR"', 'code = "ODD"', "needs a class of its own"),
        ("version = 3", "version = 3\nspeed = 1", "speed"),
        ('recipe = "toy"', "recipe =", "Invalid value"),
    ],
)
def test_an_unsound_recipe_is_refused_with_its_reason(old: str, new: str, sentence: str) -> None:
    parse(SOUND, source="toy.toml")
    assert old in SOUND
    with pytest.raises(RecipeProblem, match=r"toy\.toml") as refused:
        parse(SOUND.replace(old, new, 1), source="toy.toml")
    assert sentence in " ".join(refused.value.problems)


def test_the_newest_version_is_taken_unless_one_is_named() -> None:
    versions = [parse(SOUND.replace("version = 3", f"version = {n}"), source="toy") for n in (3, 12, 1)]
    recipes = Recipes(versions)
    newest, third = recipes.get("toy"), recipes.get("toy", 3)
    assert newest is not None
    assert newest.version == 12
    assert third is not None
    assert third.version == 3
    assert recipes.get("toy", 4) is None


@pytest.mark.parametrize(
    ("pattern", "url", "hit"),
    [
        ("**/asbuilt/*/submit", "http://p/asbuilt/D00001/submit", True),
        ("**/asbuilt/*/submit", "http://p/asbuilt/D1/x/submit", False),
        ("**/login?expired=**", "http://p/login?expired=1&next=/a/b", True),
        ("**/login?expired=*", "http://p/login?expired=1&next=/a/b", False),
        ("**/login?expired=*", "http://p/loginXexpired=1", False),
        ("**/details", "http://p/asbuilt/D1/details?refused=1", False),
    ],
)
def test_url_patterns(pattern: str, url: str, hit: bool) -> None:
    assert matches(pattern, url) is hit


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("http://p/asbuilt/D00001/submit", True),
        ("http://p/asbuilt/D00001/submit?anyway=yes", True),
        ("http://p/x/asbuilt/D00001/submit#top", True),
        ("http://p/asbuilt/D00001/submitted", False),
        ("http://p/asbuilt/D00001/job", False),
    ],
)
def test_no_query_carries_a_submission_past_the_gate(url: str, held: bool) -> None:
    assert bool(commit_pattern(CommitRule(url="**/asbuilt/*/submit")).fullmatch(url)) is held
