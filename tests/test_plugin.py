"""The pytest plugin and the assertion helper, run by pytest itself on files of a reader."""

from __future__ import annotations

import subprocess
import sys

import pytest

import symbackprop as sb

pytest_plugins = ("pytester",)

RIGHT = "```symbackprop\nparam w\nf = w^2\nclaim d f / d w = 2*w\n```\n"
WRONG = RIGHT.replace("= 2*w", "= w")


def test_derivations_are_collected_and_judged(pytester: pytest.Pytester) -> None:
    """Each claim of a *.derivation.md file is a test; other Markdown files are left alone."""
    (pytester.path / "right.derivation.md").write_text(RIGHT, encoding="utf-8")
    (pytester.path / "other.md").write_text(WRONG, encoding="utf-8")

    pytester.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("way", ["option", "ini"])
def test_any_markdown_is_collected_when_asked_for(pytester: pytest.Pytester, way: str) -> None:
    """`--symbackprop-md`, or the line of the same name in the configuration, adds every Markdown file."""
    (pytester.path / "other.md").write_text(WRONG, encoding="utf-8")
    (pytester.path / "words.md").write_text("no claims", encoding="utf-8")
    if way == "ini":
        pytester.makeini("[pytest]\nsymbackprop_md = true\n")
    done = pytester.runpytest(*(["--symbackprop-md"] if way == "option" else []))

    done.assert_outcomes(failed=1)


def test_a_failure_says_what_was_claimed_derived_and_missed(pytester: pytest.Pytester) -> None:
    """The claim, what was derived, the witness and the diagnosis, without a traceback."""
    (pytester.path / "wrong.derivation.md").write_text(WRONG, encoding="utf-8")
    done = pytester.runpytest()

    done.stdout.fnmatch_lines(
        [
            "*line 4: d f / d w = w*",
            "line 4: refuted, expected proved",
            "claimed:   d f / d w = w",
            "derived:   2*w",
            "witness:   at w = 4 the left side is 8 and the right side is 4",
            "diagnosis: the claim lacks the factor 2",
        ]
    )
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*plugin.py*")


def test_what_is_expected_to_be_refuted_passes(pytester: pytest.Pytester) -> None:
    """A document about mistakes passes, and fails where its mistake is none."""
    (pytester.path / "a.derivation.md").write_text(WRONG.replace("= w\n`", "= w expect refuted\n`"), encoding="utf-8")
    (pytester.path / "b.derivation.md").write_text(RIGHT.replace("2*w\n`", "2*w expect refuted\n`"), encoding="utf-8")

    pytester.runpytest().assert_outcomes(passed=1, failed=1)


def test_what_cannot_be_understood_is_an_error_with_its_line(pytester: pytest.Pytester) -> None:
    """A program that is none is an error of collection, a claim about nothing a failure."""
    (pytester.path / "a.derivation.md").write_text("```symbackprop\nparam w\nf = 2w\n```\n", encoding="utf-8")
    (pytester.path / "b.derivation.md").write_text(RIGHT.replace("d f", "d g"), encoding="utf-8")
    done = pytester.runpytest("--continue-on-collection-errors")

    done.assert_outcomes(failed=1, errors=1)
    done.stdout.fnmatch_lines(["FormulaError: line 3, column 6: found `w`*", "DocumentError: line 4: There is no*'g'*"])


def test_the_helper_takes_verdicts_and_the_arguments_of_both_verifications() -> None:
    """Proved: nothing happens; else the claim and its verdict are in the message."""
    program = sb.parse("input x, y\nparam w\nloss = (w*x - y)^2")

    sb.testing.assert_proved(sb.verify("x + x", "2*x"))
    sb.testing.assert_proved("sqrt(x^2)", "x", assume=("x > 0",))
    sb.testing.assert_proved(program, "w", "2*x*(w*x - y)")
    sb.testing.assert_proved(lambda x: (x**2, x), lambda dout, x: 2 * dout * x, shapes={"x": (2,)})
    with pytest.raises(AssertionError, match="lacks the factor 2/3"):
        sb.testing.assert_proved(lambda x: (x**2, x), lambda dout, x: 3 * dout * x, shapes={"x": (2,)})
    sb.testing.assert_proved(sb.mlp([2, 2]), "b1[i]", "sum(n, adj(z1[n,i]))", of="loss")
    with pytest.raises(AssertionError, match=r"d loss / d w = x\*\(w\*x - y\)\nRefuted.*lacks the factor 2"):
        sb.testing.assert_proved(program, "w", "x*(w*x - y)")
    with pytest.raises(AssertionError, match="Undecided"):
        sb.testing.assert_proved("log(x*y)", "log(x) + log(y)")
    with pytest.raises(AssertionError, match="Refuted"):
        sb.testing.assert_proved(sb.verify("x", "2*x"))


def test_wrong_uses_of_the_helper_are_named() -> None:
    """One side alone, or a verdict with more, is a TypeError."""
    with pytest.raises(TypeError, match="two sides"):
        sb.testing.assert_proved("x")
    with pytest.raises(TypeError, match="nothing else"):
        sb.testing.assert_proved(sb.verify("x", "x"), "x")


def test_importing_the_package_does_not_import_pytest() -> None:
    """The helper needs no test framework; only the plugin does."""
    code = "import sys, symbackprop; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
