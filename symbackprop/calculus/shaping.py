"""From a polynomial to the form that takes the fewest symbols: factored, collected, with means and with few sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

from symbackprop.calculus.atoms import (
    GUARDS,
    SUMS,
    Atom,
    IndexMap,
    Kind,
    Monomial,
    Number,
    Poly,
    atoms_of,
    make_monomial,
    poly_key,
)
from symbackprop.calculus.combinations import add, constant, scale
from symbackprop.calculus.contents import common_exponents, divide_by, number_content
from symbackprop.calculus.forms import (
    ONE,
    ZERO,
    Call,
    Choice,
    Condition,
    Form,
    Leaf,
    Product,
    Sigma,
    Total,
    is_negative,
    leaves,
    make_call,
    make_choice,
    make_number,
    make_product,
    make_sigma,
    make_total,
)
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.rewriting import Algebra
from symbackprop.calculus.variants import with_logistic, with_means, with_tangent

NUMBERS = (Kind.SIZE, Kind.PRIME)
COLLECTED_TERMS = 6


@dataclass(slots=True)
class Shaper:
    """Writes polynomials of one algebra.

    `rank` orders tensors as they are to be read, `leaf_cost` says what a tensor costs to write, and `finite` whether
    its entries are finite wherever the data are.
    """

    algebra: Algebra
    rank: Callable[[str], int]
    leaf_cost: Callable[[str], int]
    finite: Callable[[str], bool]
    _made: dict[frozenset[tuple[Monomial, Number]], Form] = field(default_factory=dict, repr=False)

    def shape(self, poly: Poly) -> Form:
        """The cheapest form found."""
        key = frozenset(poly.items())
        if key not in self._made:
            self._made[key] = self._shape(poly)
        return self._made[key]

    def _shape(self, poly: Poly) -> Form:
        if not poly:
            return ZERO
        masks = {poly_key(a.body): a for a in atoms_of(poly) if a.kind is Kind.MASK}
        if masks:
            return min((self._choose(poly, mask) for mask in masks.values()), key=lambda form: form.cost)
        best = self._factored(poly, True)
        others = (with_means(self.algebra, poly), with_logistic(self.algebra, poly), with_tangent(self.algebra, poly))
        return min([best, *(self._factored(p, True) for p in others if p is not None)], key=lambda form: form.cost)

    # Conditions

    def _choose(self, poly: Poly, mask: Atom) -> Form:
        """A polynomial with a condition in it, cell by cell; bounded common factors of the cells stay outside."""
        above, equal, below = self._cells(poly, mask)
        left = self.shape({m: c for m, c in mask.body.items() if c > 0})
        right = self.shape({m: -c for m, c in mask.body.items() if c < 0})
        if self._rank(right) < self._rank(left) and right != ZERO:
            above, below, left, right = below, above, right, left
        if above == equal == below:
            return self.shape(above)
        branches: list[tuple[Poly, Condition | None]]
        if equal == below:
            branches = [(above, Condition(left, ">", right)), (below, None)]
        elif equal == above:
            branches = [(above, Condition(left, ">=", right)), (below, None)]
        elif above == below:
            branches = [(equal, Condition(left, "==", right)), (below, None)]
        else:
            branches = [(above, Condition(left, ">", right)), (equal, Condition(left, "==", right)), (below, None)]
        values = [b for b, _ in branches if b]
        if len(values) == 1 and self._is_finite(values[0]):
            return self._times(self.shape(values[0]), make_choice([(ONE if b else ZERO, c) for b, c in branches]))
        common = self._common([m for b in values for m in b])
        inverse: Poly = {make_monomial((a, -e) for a, e in common.items()): 1}
        choice = make_choice([(self.shape(self.algebra.multiply(b, inverse)), c) for b, c in branches])
        return self._monomial(1, common, [(choice, 1)])

    def _cells(self, poly: Poly, mask: Atom) -> tuple[Poly, Poly, Poly]:
        """The polynomial where the body of the mask is positive, where it is zero, and where it is negative."""
        zero = self.algebra.table.intern(Kind.MASK, "=", (), (), mask.body)
        above, rest = self.algebra.split_cells(poly, self.algebra.table.intern(Kind.MASK, ">", (), (), mask.body))
        equal, below = self.algebra.split_cells(rest, zero)
        reduced = self.algebra.multiply(self.algebra.single(zero), equal)
        return above, self.algebra.split_cells(reduced, zero)[0], below

    def _common(self, monomials: list[Monomial]) -> dict[Atom, Number]:
        """The finite atoms that all monomials share."""
        factors = [dict(m) for m in monomials]
        common = {}
        for atom, _ in monomials[0]:
            lowest = min(f.get(atom, 0) for f in factors)
            if lowest and atom.kind is not Kind.MASK and self._is_finite({((atom, lowest),): 1}):
                common[atom] = lowest
        return common

    def _times(self, form: Form, factor: Form) -> Form:
        """The product of a form and one more factor."""
        if form == ONE:
            return factor
        if isinstance(form, Leaf | Total | Sigma | Call | Choice):
            return make_product(1, self._ordered([(form, 1), (factor, 1)]))
        return make_product(form.number, self._ordered([*form.factors, (factor, 1)]))

    def _is_finite(self, poly: Poly) -> bool:
        """Whether the polynomial is finite wherever the data are."""
        for monomial in poly:
            for atom, exponent in monomial:
                if atom.kind in (Kind.SIZE, Kind.INDEX, Kind.PRIME, Kind.DELTA, Kind.RANGE):
                    continue
                if exponent < 0 or not isinstance(exponent, int):
                    return False
                if atom.kind is Kind.SUM:
                    if not self._is_finite(atom.body):
                        return False
                elif atom.kind not in (Kind.TENSOR, Kind.CONSTANT) or not self.finite(atom.name):
                    return False
        return True

    # Products

    def _monomial(self, number: Number, factors: dict[Atom, Number], extra: list[tuple[Form, Number]]) -> Form:
        """number * atoms * further forms."""
        self.algebra.budget.spend()
        parts: list[tuple[Form, Number]] = list(extra)
        exponents: Poly = {}
        for atom, exponent in factors.items():
            if atom.kind is Kind.EXP:
                exponents = add(exponents, scale(atom.body, exponent))
            else:
                parts.append((self._atom(atom), exponent))
        if exponents:
            parts.append((make_call("exp", self.shape(exponents)), 1))
        return make_product(number, self._ordered(parts))

    def _atom(self, atom: Atom) -> Form:
        """The form of one atom."""
        if atom.kind in SUMS:
            return make_sigma(atom.bound, self.shape(atom.body), atom.kind is Kind.MEAN)
        if atom.kind is Kind.POWER:
            return self.shape(atom.body)
        if atom.kind in (Kind.FUNCTION, Kind.EXP):
            return make_call(atom.name or "exp", self.shape(atom.body))
        if atom.kind is Kind.PRIME:
            return make_number(int(atom.name))
        extra = self.leaf_cost(atom.name) if atom.kind is Kind.TENSOR else 1
        return Leaf(atom, extra + sum(len(form.terms) or 1 for form in atom.at))

    def _rank(self, form: Form) -> int:
        """The place in reading order of the first tensor that a form reads."""
        return min((self._leaf_rank(leaf.atom) for leaf in leaves(form)), default=0)

    def _leaf_rank(self, atom: Atom) -> int:
        if atom.kind in (Kind.TENSOR, Kind.CONSTANT):
            return self.rank(atom.name)
        return 1_000_000 + self.rank(size_name(atom.name)) if atom.kind is Kind.SIZE else 1_000_000

    def _ordered(self, parts: list[tuple[Form, Number]]) -> list[tuple[Form, Number]]:
        """Factors in reading order: names, then brackets, then sums; what is divided by stands last."""
        return sorted(
            parts,
            key=lambda p: (
                p[1] < 0,
                isinstance(p[0], Sigma),
                self._rank(p[0]),
                not isinstance(p[0], Leaf),
                p[0].cost,
                str(p[0].atom.key) if isinstance(p[0], Leaf) else "",
            ),
        )

    def _total(self, terms: list[Form]) -> Form:
        """Terms in reading order: what is added before what is taken away, numbers first, short before long."""
        return make_total(
            sorted(terms, key=lambda t: (is_negative(t), any(True for _ in leaves(t)), t.cost, self._rank(t)))
        )

    def _plain(self, poly: Poly) -> Form:
        """Every monomial by itself."""
        return self._total([self._monomial(c, dict(m), []) for m, c in poly.items()])

    # Factoring

    def _factored(self, poly: Poly, deep: bool) -> Form:
        """Common factors out and the rest factored, over one fraction bar or several: whatever is shortest."""
        if len(poly) == 1:
            ((monomial, c),) = poly.items()
            return self._monomial(c, dict(monomial), [])
        lowest, shared = common_exponents(poly)
        options = [self._over_one_bar(poly, lowest, deep)]
        if shared and shared != lowest:
            rest = divide_by(poly, shared)
            number = number_content(rest)
            options.append(self._monomial(number, shared, [(self._plain(scale(rest, 1 / Fraction(number))), 1)]))
        options.append(self._plain(poly))
        if any(e < 0 for e in lowest.values()):
            options.append(self._merged(poly, deep))
        if deep:
            options += self._over_several_bars(poly)
        return min(options, key=lambda form: form.cost)

    def _over_several_bars(self, poly: Poly) -> list[Form]:
        """The terms over each denominator by themselves, where there are several and one has more than one term."""
        parts: dict[Monomial, Poly] = {}
        for monomial, c in poly.items():
            below = tuple((atom, e) for atom, e in monomial if e < 0 and atom.kind not in NUMBERS)
            parts.setdefault(below, {})[monomial] = c
        if len(parts) < 2 or len(parts) == len(poly):
            return []
        return [self._total([self._factored(part, False) for part in parts.values()])]

    def _over_one_bar(self, poly: Poly, common: dict[Atom, Number], deep: bool) -> Form:
        """number * common * factors, where `common` are the least exponents of all atoms."""
        rest = divide_by(poly, common)
        if any(a.kind is Kind.POWER and e < 0 for a, e in common.items()):
            raised = add(*(self.algebra.product(c, dict(m)) for m, c in rest.items()))
            if raised != rest:
                return self._factored(divide_by(raised, {a: -e for a, e in common.items()}), deep)
        number, more, primitive = self.algebra.content(rest, True)
        factors = dict(common)
        for atom, e in more.items():
            factors[atom] = factors.get(atom, 0) + e
        number, parts = self._signed(number, self.algebra.factors(primitive))
        forms = [(self._merged(f, deep), k) for f, k in self._joined(parts)]
        return self._monomial(number, factors, list(forms))

    def _signed(self, number: Number, parts: list[tuple[Poly, int]]) -> tuple[Number, list[tuple[Poly, int]]]:
        """Signs as they are written: 1 - a, p - y, and in even powers whatever is read first is positive."""
        signed = list(parts)
        for n, (poly, k) in enumerate(signed):
            if () in poly:
                turn = poly[()] < 0
            else:
                first = min(poly, key=lambda m: (self._monomial_rank(m), len(m)))
                turn = k % 2 == 0 and poly[first] < 0
            if turn:
                signed[n] = (scale(poly, -1), k)
                number = -number if k % 2 else number
        for n, (poly, k) in enumerate(signed):
            if number < 0 and k % 2 and () not in poly:
                signed[n] = (scale(poly, -1), k)
                number = -number
        return number, signed

    def _monomial_rank(self, monomial: Monomial) -> int:
        return min((self._leaf_rank(a) if not a.body else 500_000 for a, _ in monomial), default=0)

    def _joined(self, parts: list[tuple[Poly, int]]) -> list[tuple[Poly, int]]:
        """Two factors multiplied out where that is shorter: (1 - a) * (1 + a) is 1 - a^2."""
        parts = list(parts)
        while True:
            for (f, k), (g, n) in combinations(parts, 2):
                if k != 1 or n != 1 or len(f) < 2 or len(g) < 2:
                    continue
                both = self.algebra.multiply(f, g)
                if self._plain(both).cost < self._plain(f).cost + self._plain(g).cost + 1:
                    parts = [p for p in parts if p[0] is not f and p[0] is not g] + [(both, 1)]
                    break
            else:
                return parts

    def _merged(self, poly: Poly, deep: bool) -> Form:
        """The sum of terms with few sums, or collected by the powers of one name: whatever is shortest."""
        best = self._one_sum(poly)
        if deep and 2 < len(poly) <= COLLECTED_TERMS:
            for atom in atoms_of(poly):
                if len(poly) > 4 and sum(any(a is atom for a, _ in m) for m in poly) < 2:
                    continue
                other = self._collected(poly, atom)
                if other is not None and other.cost < best.cost:
                    best = other
        return best

    def _collected(self, poly: Poly, atom: Atom) -> Form | None:
        """By powers of one atom, each coefficient factored."""
        parts: dict[Number, Poly] = {}
        for monomial, c in poly.items():
            exponent = dict(monomial).get(atom, 0)
            parts.setdefault(exponent, {})[tuple(f for f in monomial if f[0] is not atom)] = c
        if len(parts) < 2:
            return None
        terms = []
        for exponent, coefficient in parts.items():
            form = self._factored(coefficient, False)
            if exponent:
                power = make_product(1, [(self._atom(atom), exponent)])
                if isinstance(form, Total):
                    form = make_product(1, self._ordered([(form, 1), (self._atom(atom), exponent)]))
                else:
                    form = self._times(form, power) if form != make_number(-1) else make_product(-1, [(power, 1)])
            terms.append(form)
        return self._total(terms)

    # Sums

    def _one_sum(self, poly: Poly) -> Form:
        """All terms under one sum, where every term is such a sum, or a mean; else as few sums as there can be."""
        split = self._few_sums(poly)
        sums = [next(((a, e) for a, e in m if a.kind in SUMS), None) for m in poly]
        found = [s for s in sums if s is not None]
        single = [sum(a.kind in SUMS for a, _ in m) <= 1 for m in poly]
        if len(poly) < 2 or not found or not all(single) or any(e != 1 or len(a.bound) != 1 for a, e in found):
            return split
        first = found[0][0]
        if any(a.kind is not first.kind or a.bound[0].size != first.bound[0].size for a, _ in found):
            return split
        if first.kind is not Kind.MEAN and len(found) < len(poly):
            return split
        # A sum must not take in an index that none of the sums had: that would cost a whole axis more.
        widest = max((a.free for a, _ in found), key=len)
        if not frozenset().union(*(a.free for m in poly for a, _ in m)) <= widest:
            return split
        index = self.algebra.table.fresh(first.bound[0])
        parts = []
        for (monomial, c), taken in zip(poly.items(), sums, strict=True):
            inner = self._body(taken[0], index) if taken else constant(1)
            outer = {tuple(f for f in monomial if taken is None or f[0] is not taken[0]): c}
            parts.append(self.algebra.multiply(outer, inner))
        joined = make_sigma((index,), self.shape(add(*parts)), first.kind is Kind.MEAN)
        return joined if joined.cost < split.cost else split

    def _few_sums(self, poly: Poly) -> Form:
        """Sums over the same range with the same cofactor and the same free indices as one sum."""
        groups: dict[object, list[tuple[Monomial, Number, Atom | None]]] = {}
        for monomial, c in poly.items():
            found = [a for a, e in monomial if a.kind in SUMS and e == 1 and len(a.bound) == 1]
            taken = found[0] if len(found) == 1 else None
            rest = monomial if taken is None else tuple(f for f in monomial if f[0] is not taken)
            key = rest if taken is None else (rest, taken.kind, taken.bound[0].size)
            groups.setdefault(key, []).append((rest, c, taken))
        terms = []
        for group in groups.values():
            rest, c, taken = group[0]
            widest = max((t.free for _, _, t in group if t is not None), key=len, default=frozenset())
            if len(group) == 1 or taken is None or any(t is not None and not t.free <= widest for _, _, t in group):
                terms += [self._monomial(n, dict(r if t is None else (*r, (t, 1))), []) for r, n, t in group]
                continue
            index = self.algebra.table.fresh(taken.bound[0])
            body = add(*(scale(self._body(t, index), n) for _, n, t in group if t is not None))
            sigma = make_sigma((index,), self.shape(body), taken.kind is Kind.MEAN)
            sign, inner = (-1, sigma.factors[0][0]) if isinstance(sigma, Product) else (1, sigma)
            terms.append(self._monomial(sign, dict(rest), [(inner, 1)]))
        return self._total(terms)

    def _body(self, atom: Atom, index: Index) -> Poly:
        """What a sum atom sums, with its index called `index`."""
        values: IndexMap = {atom.bound[0]: Affine.of(index)}
        return self.algebra.rename(atom.body, values)


def split_guards(poly: Poly) -> list[tuple[tuple[Atom, ...], Poly]]:
    """The polynomial by the deltas of its monomials, first what has none."""
    groups: dict[tuple[Atom, ...], Poly] = {}
    for monomial, c in poly.items():
        deltas = tuple(a for a, _ in monomial if a.kind in GUARDS)
        rest = tuple(f for f in monomial if f[0].kind not in GUARDS)
        groups[deltas] = add(groups.get(deltas, {}), {rest: c})
    return sorted(groups.items(), key=lambda g: (len(g[0]), [a.place for a in g[0]]))


def size_name(name: str) -> str:
    """What the reading order calls a size, so that no tensor is mistaken for it."""
    return f"|{name}"
