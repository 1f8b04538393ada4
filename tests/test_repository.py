"""What holds for the repository as a whole: its two commands, its packaging, and what its source may not contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import symbackprop

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(symbackprop.__file__).parent
COMMANDS = ("pip install . && symbackprop tour", "pip install '.[test]' && pytest")
# `evaluate`, `re.compile` and the like are fine: these are calls of the bare names, or of SymPy's readers of text.
FORBIDDEN_CALLS = ("eval", "exec", "sympify", "parse_expr", "__import__")
FORBIDDEN_MODULES = ("pickle", "dill", "cloudpickle", "shelve", "marshal")


def fenced_blocks(markdown: str, language: str) -> list[str]:
    """Return the bodies of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)


def readme_commands(markdown: str) -> list[str]:
    """Return the lines of the first shell block of the README, without their comments."""
    return [line.split(" #")[0].strip() for line in fenced_blocks(markdown, "sh")[0].splitlines() if line.strip()]


def ci_commands(script: str) -> list[str]:
    """Return the commands that `.ci/run` runs, in order."""
    return re.findall(r'^ *step "(.*)"$', script, flags=re.MULTILINE)


def source_faults(source: str) -> list[str]:
    """Say where a module reads text as code, unpickles, or leaves something for later."""
    faults = [
        f"line {number}: {mark}"
        for number, line in enumerate(source.splitlines(), 1)
        for mark in re.findall(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b", line)
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in FORBIDDEN_CALLS:
                faults.append(f"line {node.lineno}: {name}")
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    faults.append(f"line {node.lineno}: allow_pickle")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            faults += [f"line {node.lineno}: {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
    return faults


def repeated_tests(source: str) -> list[str]:
    """Return the names of the tests that a file defines twice in one scope; the second would hide the first."""
    scopes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef)]
    return [
        name
        for scope in scopes
        for name, count in Counter(node.name for node in scope.body if isinstance(node, ast.FunctionDef)).items()
        if count > 1
    ]


def files_of_tests() -> list[Path]:
    """Return the files of the tests."""
    return sorted((ROOT / "tests").rglob("*.py"))


def test_readme_starts_with_the_two_commands_that_ci_runs() -> None:
    """README's two commands are, letter for letter, the first that `.ci/run` runs."""
    readme = readme_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    script = ci_commands((ROOT / ".ci" / "run").read_text(encoding="utf-8"))

    assert tuple(readme) == COMMANDS
    assert tuple(script[:2]) == COMMANDS
    assert script[-1] == "pip install '.[torch]' && pytest tests/torch"


def test_a_changed_command_is_seen() -> None:
    """The comparison reads the commands, not the file: another command gives another list."""
    readme = "# a\n```sh\npip install . && x   # why\n\npytest\n```\n"

    assert readme_commands(readme) == ["pip install . && x", "pytest"]
    assert ci_commands('step() {\n}\nstep "a && b"\n    step "python $e"\n') == ["a && b", "python $e"]


def shown_outputs(markdown: str) -> list[tuple[str, str | None]]:
    """Return each Python block with the text or LaTeX block that follows it before any other block, or None."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)
    followers = [*fences, ("", "")][1:]
    return [
        (body, after if kind in ("text", "latex") else None)
        for (language, body), (kind, after) in zip(fences, followers, strict=True)
        if language == "python"
    ]


def run_blocks(blocks: list[str]) -> list[str]:
    """Run blocks of Python one after the other in one process and return what each prints."""
    mark = "--- end of block ---"
    script = "".join(f"{block}\nprint({mark!r})\n" for block in blocks)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(mark + "\n")[:-1]


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_documents_print_what_they_say(path: Path) -> None:
    """Each Python block of a document runs, in order and in one process, and prints the block below it."""
    pairs = shown_outputs(path.read_text(encoding="utf-8"))
    outputs = run_blocks([block for block, _ in pairs])

    for output, (_, shown) in zip(outputs, pairs, strict=True):
        assert shown is None or output == shown


def test_a_wrong_output_would_be_seen() -> None:
    """A block is compared with the text that follows it, and with nothing else."""
    pairs = shown_outputs("```python\nprint(1)\n```\nso\n```text\n2\n```\n```sh\nls\n```\n```python\nx = 1\n```\n")

    assert pairs == [("print(1)\n", "2\n"), ("x = 1\n", None)]
    assert run_blocks([block for block, _ in pairs]) == ["1\n", ""]


def test_source_reads_no_text_as_code_and_leaves_nothing_for_later() -> None:
    """The package has no eval, exec, sympify of text, pickle, or mark of unfinished work."""
    faults = {
        str(path.relative_to(PACKAGE)): faults
        for path in sorted(PACKAGE.rglob("*.py"))
        if (faults := source_faults(path.read_text(encoding="utf-8")))
    }

    assert faults == {}


def test_planted_source_faults_are_seen() -> None:
    """Each forbidden thing is found."""
    for source in (
        "eval('1')",
        "sympy.sympify(text)",
        "import pickle",
        "from pickle import loads",
        "numpy.load(path, allow_pickle=True)",
        "x = 1  # TO" + "DO later",
    ):
        assert len(source_faults(source)) == 1
    assert source_faults("numpy.load(path, allow_pickle=False)") == []


def test_no_test_hides_another() -> None:
    """No file defines two tests of one name, and no two test files share their name."""
    repeated = {path.name: repeated_tests(path.read_text(encoding="utf-8")) for path in files_of_tests()}
    names = Counter(path.name for path in files_of_tests() if path.name.startswith("test_"))

    assert [name for name, tests in repeated.items() if tests] == []
    assert [name for name, count in names.items() if count > 1] == []
    assert repeated_tests("def test_a(): pass\ndef test_a(): pass") == ["test_a"]


def test_tests_say_what_they_show() -> None:
    """Each test has a docstring, and none skips or is expected to fail."""
    silent = [
        f"{path.name}: {node.name}"
        for path in files_of_tests()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    skip = re.compile(r"pytest\.(?:skip|xfail)\b|mark\.(?:skip|xfail)|importor" + "skip")
    skipping = [path.name for path in files_of_tests() if skip.search(path.read_text(encoding="utf-8"))]

    assert silent == []
    assert skipping == []


def test_version_is_stated_once() -> None:
    """The distribution takes its version from the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["tool"]["hatch"]["version"]["path"] == "symbackprop/__init__.py"
    assert "version" in project["project"]["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", symbackprop.__version__)


def test_package_says_that_it_is_typed() -> None:
    """The marker of PEP 561 is installed with the package."""
    assert (PACKAGE / "py.typed").is_file()
