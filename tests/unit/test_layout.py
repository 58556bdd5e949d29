"""How the house is built. Each check tells what once went wrong without it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TOP = {"app", "tasks", "sql", "tests", "docs", "pyproject.toml", "compose.yaml", "README.md", "LICENSE", "CHANGELOG.md"}
MAX_LINES = 400
SQL_WORDS = re.compile(
    r"\s*(select|insert into|update \w+ set|delete from|with \w+ as|create (table|index)|alter table)\b", re.IGNORECASE
)
SOURCES = (".py", ".sql", ".js", ".css")


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.exists() and (not suffixes or path.suffix in suffixes)]


def product() -> list[Path]:
    return [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in {"app", "tasks", "sql"}]


def strings(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_top_level_is_the_agreed_one() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP


def test_no_file_grows_past_what_one_reader_holds() -> None:
    """The one file over a thousand lines is the ugliest in every code base of this field."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked(*SOURCES)
        if path.name != "schema.sql" and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


def test_sql_lives_in_sql() -> None:
    """A query in a Python string is one that no test prepares and no DBA finds."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in product()
        for line, text in strings(path)
        if SQL_WORDS.match(text) and text.strip().lower() not in {"select 1", "select"}
    ]
    assert found == []


def test_no_placeholder_stands_inside_quotes() -> None:
    """psycopg turns interval '%(ttl)s seconds' into a wrong constant, without an error: 600 became 3 seconds."""
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in tracked(".sql")
        for line in path.read_text(encoding="utf-8").splitlines()
        if any("%(" in quoted for quoted in line.split("'")[1::2])
    ]
    assert found == []


def test_the_environment_is_read_in_one_place() -> None:
    """A setting that is read where it is used is one that nobody can list, scale in a test, or check at the start."""
    found = [
        str(path.relative_to(ROOT))
        for path in product()
        if path != ROOT / "app" / "core" / "settings.py"
        and re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_packages_hold_a_docstring_and_reexports_only() -> None:
    """Code in an __init__ is code that a reader of the folder does not see."""
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
    lazy = ROOT / "tasks" / "__init__.py"  # makes the App when it is asked for
    for path in product():
        if path.name == "__init__.py" and path != lazy:
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert body, f"{path} does not say what the package is"
            assert all(isinstance(node, allowed) for node in body), path


def test_every_module_says_what_it_owns() -> None:
    silent = [str(p.relative_to(ROOT)) for p in product() if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert silent == []


def test_no_room_is_named_after_nothing() -> None:
    vague = {"utils", "helpers", "manager", "base", "common", "misc"}
    assert [path for path in product() if path.stem in vague] == []


def test_paths_named_in_the_docs_exist() -> None:
    """Docs that send a reader to a file that moved, or promise by a test that is gone, are worse than none."""
    named = re.compile(r"`((?:app|tasks|sql|tests|docs)/[\w./-]+)(?:::(\w+))?`")
    missing = []
    for page in [ROOT / "README.md", *(path for path in tracked(".md") if "docs" in path.parts)]:
        for name, test in named.findall(page.read_text(encoding="utf-8")):
            where = [ROOT / name, page.parent / name, *(ROOT / f"{name}{suffix}" for suffix in (".py", ".sql"))]
            found = next((path for path in where if path.exists()), None)
            if found is None or (test and f"def {test}(" not in found.read_text(encoding="utf-8")):
                missing.append(f"{page.name}: {name} {test}")
    assert missing == []


def test_the_repository_names_no_registry_and_no_machine() -> None:
    hosts = re.compile(r"pypi\.o[r]g|pythonhosted\.o[r]g|npmjs\.(o[r]g|com)|deb\.debian\.o[r]g|/roo[t]/|/wor[k]/")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".svg", ".jpg"}
        and hosts.search(path.read_text(encoding="utf-8"))
        and path != Path(__file__)
    ]
    assert found == []


def test_each_migration_has_a_number_of_its_own() -> None:
    """Two of one number run in the order of their names, which is nobody's decision; gaps hide a lost one."""
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "sql" / "migrations").glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
