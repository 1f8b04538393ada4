"""What a decision hands back: a verdict of three values, the witness of a refutation, and rigorous intervals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NoReturn

import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.language.writer import round_number
from symbackprop.proof.wording import join_words, say

Status = Literal["proved", "refuted", "undecided"]

_LONGEST_SIDE, _LONGEST_NUMBER = 120, 40
_MOST_NAMES = 6
_DIGITS = (7, 10, 13, 16, 19, 22)  # of rounded values, more where two look the same
_MOST_BITS = 300  # of a number that is written out
_SMALLEST_FLOAT = Fraction(1, 2**1074)
FLOAT_ROUNDING = Fraction(1, 10**13)


def _write_number(value: Fraction) -> str:
    """A fraction as a terminating decimal where it is a short one, else as p/q or in scientific notation."""
    small = max(value.numerator.bit_length(), value.denominator.bit_length()) <= _MOST_BITS
    text = str(value) if small else f"about {round_number(value)}"
    if small and len(text) <= 14:
        return text
    exponent = (Decimal(value.numerator) / Decimal(value.denominator)).adjusted()
    if abs(value) < Fraction(10) ** exponent:
        exponent -= 1
    scaled = value / Fraction(10) ** exponent
    for digits in range(1, 60):
        if (scaled * 10**digits).denominator == 1:
            mantissa = f"{int(scaled * 10**digits):+d}"
            sign, figures = mantissa[0].replace("+", ""), mantissa[1:].rjust(digits + 1, "0")
            decimal = f"{sign}{figures[:-digits]}.{figures[-digits:]}"
            if -4 <= exponent < 0:
                return f"{sign}0.{'0' * (-exponent - 1)}{figures}"
            return decimal if exponent == 0 else f"{decimal}e{exponent}"
    return text


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval with rational ends that certainly contains a value; one point if the value is rational.

    >>> from fractions import Fraction
    >>> str(Interval(Fraction(3, 2), Fraction(3, 2)))
    '3/2'
    """

    lower: Fraction
    upper: Fraction

    @property
    def exact(self) -> bool:
        """Whether the interval is a single rational number."""
        return self.lower == self.upper

    def __str__(self) -> str:
        """The number, or what both ends round to, or how far from 0 it may be."""
        return self.write(_DIGITS[0])

    def write(self, digits: int) -> str:
        """The same to so many significant digits."""
        if self.exact:
            return _write_number(self.lower)
        for fewer in range(digits, 1, -1):
            lower, upper = round_number(self.lower, fewer), round_number(self.upper, fewer)
            if Decimal(lower) == Decimal(upper):
                return f"about {lower}"
        if self.lower <= 0 <= self.upper:
            return f"at most {round_number(max(-self.lower, self.upper), 2)} away from 0"
        return f"between {round_number(self.lower, 3)} and {round_number(self.upper, 3)}"


@dataclass(frozen=True, slots=True)
class Witness:
    """A rational point at which two sides differ, with both values as disjoint rigorous intervals.

    >>> from fractions import Fraction
    >>> one, two = Interval(Fraction(1), Fraction(1)), Interval(Fraction(2), Fraction(2))
    >>> str(Witness((("x", Fraction(1, 2)),), one, two))
    'at x = 1/2 the left side is 1 and the right side is 2'
    """

    point: tuple[tuple[str, Fraction], ...]
    left: Interval
    right: Interval

    def __str__(self) -> str:
        """The point and the two values, as a clause."""
        shown = [f"{name} = {_write_number(value)}" for name, value in self.point[:_MOST_NAMES]]
        hidden = len(self.point) - len(shown)
        where = ", ".join(shown) + (f" and {hidden} more values" if hidden else "")
        for digits in _DIGITS:
            left, right = self.left.write(digits), self.right.write(digits)
            if left.removeprefix("about ") != right.removeprefix("about ") and self._apart() * 10**digits > 1:
                break
        else:
            left, right = self.left.write(_DIGITS[0]), f"{self.right.write(_DIGITS[0])}, {self._tell_apart()}"
        return f"{f'at {where} ' if where else ''}the left side is {left} and the right side is {right}"

    @property
    def is_rounding(self) -> bool:
        """Whether the values are as close as the rounding of floats may bring them."""
        return self.is_within(FLOAT_ROUNDING)

    def is_within(self, relative: Fraction) -> bool:
        """Whether the values are as close as this, relative to the larger one."""
        left, right = self.left.lower, self.right.lower
        return abs(left - right) <= relative * max(abs(left), abs(right))

    @property
    def is_underflow(self) -> bool:
        """Whether the values are closer than the smallest float is to 0."""
        ends = (self.left.lower, self.left.upper, self.right.lower, self.right.upper)
        return max(ends) - min(ends) < _SMALLEST_FLOAT

    def _gap(self) -> Fraction:
        """How far apart the values are at least."""
        return max(self.right.lower - self.left.upper, self.left.lower - self.right.upper)

    def _apart(self) -> Fraction:
        """A bound below on how far apart the values are, relative to the larger one."""
        return self._gap() / max(abs(end) for side in (self.left, self.right) for end in (side.lower, side.upper))

    def _tell_apart(self) -> str:
        """How far apart the values are at least, as a clause."""
        below = self.left.upper < self.right.lower
        return f"which is {'more' if below else 'less'} by at least {round_number(self._gap(), 2)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is left equal to right?": proved, refuted or undecided. Undecided is never equal.

    `scope` says for what it was decided, `hypotheses` under which conditions (what was assumed, and where the sides are
    defined), `witness` is the counterexample of a refutation, `diagnosis` what a wrong claim lacks (itself proven),
    `reason` why nothing could be decided, `notes` how the text was read, `claim` what was asked as it was read, where
    that is known. `left`, `right`, which SymPy may have simplified on construction, and `formulas` (the hypotheses
    as SymPy relations) serve the printers. A verdict has no truth value: ask `.proved`.

    >>> verdict = Verdict("proved", hypotheses=("x != 0",))
    >>> verdict.proved, verdict.for_all_sizes, str(verdict)
    (True, True, 'Proved for all real values, where x != 0.')
    """

    status: Status
    scope: str = "all real values"
    for_all_sizes: bool = True
    hypotheses: tuple[str, ...] = ()
    witness: Witness | None = None
    diagnosis: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    left: sp.Expr | None = None
    right: sp.Expr | None = None
    relation: str = "="
    formulas: tuple[sp.Basic, ...] = ()
    claim: str = ""

    @property
    def proved(self) -> bool:
        """Whether the equality was proved."""
        return self.status == "proved"

    @property
    def refuted(self) -> bool:
        """Whether a counterexample was found."""
        return self.status == "refuted"

    @property
    def undecided(self) -> bool:
        """Whether neither a proof nor a counterexample was found."""
        return self.status == "undecided"

    def __bool__(self) -> NoReturn:
        """A verdict has three values, so it is never used as a condition."""
        raise TypeError("a Verdict has three values and no truth value; ask verdict.proved, .refuted or .undecided")

    def _statement(self) -> str:
        """The claim as it was read, else `left = right`, unless that would be too long to read."""
        if self.claim:
            return self.claim if len(self.claim) <= 2 * _LONGEST_SIDE else ""
        if self.left is None or self.right is None:
            return ""
        if is_longer(self.left, _LONGEST_SIDE) or is_longer(self.right, _LONGEST_SIDE):
            return ""  # to write it out takes minutes
        sides = (say(self.left), say(self.right))
        short = all(
            len(text) <= (_LONGEST_NUMBER if side.is_Rational else _LONGEST_SIDE)
            for side, text in zip((self.left, self.right), sides, strict=True)
        )
        return f"{sides[0]} {self.relation} {sides[1]}" if short else ""

    def __str__(self) -> str:
        """The verdict as a sentence or two."""
        statement = self._statement()
        lead = self.status.capitalize() + (f": {statement}" if statement else "")
        if self.proved:
            # A fixed number has no values to range over, so its proof has no scope to name.
            lead += f"{',' if statement else ''} for {self.scope}" if self.scope else ""
            lead += f", where {join_words(self.hypotheses)}" if self.hypotheses else ""
        elif self.refuted:
            lead += f" for {self.scope}" if not self.for_all_sizes and self.scope else ""
            lead += f"; {self.witness}" if self.witness is not None else ""
        else:
            lead += f"; {self.reason}" if self.reason else ""
        return _write_sentences(lead, self.diagnosis, *self.notes)

    def latex(self) -> str:
        """The verdict set in LaTeX (text with its formulas between dollar signs)."""
        parts = [rf"\textbf{{{self.status.capitalize()}}}"]
        if self.left is not None and self.right is not None:
            parts.append(f": ${sp.latex(self.left)} {_TEX_RELATIONS[self.relation]} {sp.latex(self.right)}$")
        if self.proved and self.scope:
            parts.append(f", for {_escape(self.scope)}")
        if self.proved and self.hypotheses:
            formulas = [f"${sp.latex(formula)}$" for formula in self.formulas]
            texts = formulas + [_escape(text) for text in self.hypotheses[len(formulas) :]]
            parts.append(f", where {join_words(texts)}")
        if self.witness is not None:
            point = ", ".join(f"{sp.latex(sp.Symbol(name))} = {_tex_number(each)}" for name, each in self.witness.point)
            parts.append(f"; at ${point}$" if point else ";")
            parts.append(f" the left side is ${_tex_interval(self.witness.left)}$")
            parts.append(f" and the right side is ${_tex_interval(self.witness.right)}$")
        if self.undecided and self.reason:
            parts.append(f"; {_escape(self.reason)}")
        return _write_sentences("".join(parts), *(_escape(text) for text in (self.diagnosis, *self.notes)))


_TEX_RELATIONS = {"=": "=", "~": r"\approx"}

_TEX_SPECIALS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def _escape(text: str) -> str:
    """Plain text as LaTeX text."""
    return "".join(_TEX_SPECIALS.get(character, character) for character in text)


def _tex_number(value: Fraction) -> str:
    """A rational number in LaTeX mathematics."""
    text = _write_number(value)
    if "/" in text:
        sign = "-" if value < 0 else ""
        return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa


def _tex_interval(interval: Interval) -> str:
    """An interval in LaTeX mathematics."""
    if interval.exact:
        return _tex_number(interval.lower)
    lower, upper = round_number(interval.lower), round_number(interval.upper)
    if lower == upper:
        mantissa, _, exponent = lower.partition("e")
        return rf"{mantissa}" + (rf" \cdot 10^{{{int(exponent)}}}" if exponent else "")
    return f"[{_tex_number(interval.lower)}, {_tex_number(interval.upper)}]"


def _write_sentences(*texts: str) -> str:
    """The texts that are not empty, each as a sentence."""
    ended = (text if text.endswith("?") else text.rstrip(".") + "." for text in texts if text)
    return " ".join(text[:1].upper() + text[1:] for text in ended)
