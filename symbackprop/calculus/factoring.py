"""Factors of integers and of polynomials, by flint."""

from __future__ import annotations

from fractions import Fraction

import flint

from symbackprop.calculus.atoms import Atom, Poly, make_monomial, plain_number


def prime_factors(value: int) -> list[tuple[int, int]]:
    """The primes of a positive integer; a very large one stays whole."""
    if value == 1:
        return []
    if value.bit_length() > 64:
        return [(value, 1)]
    return [(int(p), int(k)) for p, k in flint.fmpz(value).factor()]


def factor(polynomial: flint.fmpz_mpoly) -> tuple[flint.fmpz, list[tuple[flint.fmpz_mpoly, int]]]:
    """The content and the factors by flint; a polynomial stays whole where a factor has a coefficient of more than a
    machine word, by which python-flint cannot order factors.
    """
    try:
        number, parts = polynomial.factor()
    except OverflowError:
        return flint.fmpz(1), [(polynomial, 1)]
    return number, list(parts)


def factor_polynomial(poly: Poly, roots: dict[Atom, int]) -> list[tuple[Poly, int]]:
    """The factors by flint in the given roots of the atoms; their signs multiply to one."""
    context = flint.fmpz_mpoly_ctx.get([f"g{k}" for k in range(len(roots))], "lex")
    powers = {tuple(int(dict(m).get(a, 0) * q) for a, q in roots.items()): int(c) for m, c in poly.items()}
    number, parts = factor(context.from_dict(powers))
    found: list[tuple[Poly, int]] = [
        (
            {
                make_monomial(
                    (a, plain_number(Fraction(int(k), q))) for (a, q), k in zip(roots.items(), exponents, strict=True)
                ): int(c)
                for exponents, c in part.to_dict().items()
            },
            int(multiplicity),
        )
        for part, multiplicity in parts
    ]
    if number == -1:
        odd = next((k for k, (_, multiplicity) in enumerate(found) if multiplicity % 2), None)
        if odd is None:
            return [(poly, 1)]
        found[odd] = ({m: -c for m, c in found[odd][0].items()}, found[odd][1])
    return found if abs(number) == 1 else [(poly, 1)]
