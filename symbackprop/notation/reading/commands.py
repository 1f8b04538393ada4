r"""The commands of LaTeX that formulas may hold: which are letters, signs, brackets, accents or fonts."""

from __future__ import annotations

ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "vec": "vec",
}  # fmt: skip
FONTS = frozenset(
    {"mathbf", "mathbb", "mathcal", "mathscr", "mathfrak", "boldsymbol", "bm", "mathsf", "mathit", "mathrm",
     "text", "textrm", "textit", "textbf", "operatorname", "mbox"}
)  # fmt: skip
SWITCHES = {"rm": "mathrm", "it": "mathit", "sf": "mathsf", "bf": "mathbf", "cal": "mathcal"}
"""Fonts of old LaTeX, which stand first in their braces: {\\rm new}."""
UPRIGHT = frozenset({"mathrm", "text", "textrm", "textit", "operatorname", "mbox", "mathit", "mathsf"})
SPACES = frozenset(
    {",", ";", ":", "!", " ", "quad", "qquad", "displaystyle", "textstyle", "limits", "nolimits", "nonumber", "notag",
     "thinspace", "enspace", "hfill", "left", "right"}
    | {size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
)  # fmt: skip
GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi pi "
    "varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma "
    "Upsilon Phi Psi Omega ell partial nabla infty top intercal prime star".split()
)
FUNCTIONS = frozenset(
    "log ln exp sin cos tan cot sec csc tanh sinh cosh coth max min det arg argmax argmin tr sum prod erf sign".split()
)
TRANSPOSED = ("T", r"\top", r"\intercal", r"\mathrm{T}", r"\mathsf{T}", r"\mathbf{T}")
LABELLED = {"underbrace": "_", "overbrace": "^"}
"""Braces drawn around a formula, and the mark before the label that they carry."""
MULTIPLIED = {
    "*": "*", "/": "/", "cdot": r"\cdot", "times": r"\times", "odot": r"\odot", "circ": r"\circ", "oslash": r"\oslash",
    "ast": "*", "otimes": r"\otimes", "div": "/", "bmod": r"\bmod",
}  # fmt: skip
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
    "ne": "!=", "neq": "!=", "approx": r"\approx", "leftarrow": ":=", "gets": ":=", "coloneqq": ":=", "lt": "<",
    "gt": ">", "triangleq": "=", "equiv": "=", "in": r"\in",
}  # fmt: skip
OPENING = {"(": "(", "[": "[", "{": r"\{", "lbrace": r"\{", "lbrack": "[", "lfloor": r"\lfloor",
           "langle": r"\langle"}  # fmt: skip
CLOSING = {")": "(", "]": "[", "}": r"\{", "rbrace": r"\{", "rbrack": "[", "rfloor": r"\lfloor",
           "rangle": r"\langle"}  # fmt: skip
MATRICES = {
    "pmatrix": "(", "bmatrix": "[", "vmatrix": "|", "Vmatrix": "||", "matrix": "", "smallmatrix": "", "array": "",
}  # fmt: skip
SHOWN = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", "|": "|", "||": r"\rVert", r"\lfloor": r"\rfloor", ".": r"\right|",
         r"\langle": r"\rangle", r"\in (": ") or ]", r"\in [": ") or ]"}  # fmt: skip
SHOWN |= {name: rf"\end{{{name}}}" for name in ("cases", *MATRICES)} | {"brace": r"\end{array}"}
CONNECTIVES = {
    "if": "IF", "for": "IF", "when": "IF", "where": "IF", "otherwise": "OTHERWISE", "else": "OTHERWISE", "and": "AND",
    "or": "OR", "not": "NOT",
}  # fmt: skip
LOGIC = {"land": "AND", "wedge": "AND", "lor": "OR", "vee": "OR", "neg": "NOT", "lnot": "NOT"}


def hint(word: str) -> str:
    """What to do instead of a command that is not read."""
    match word:
        case "Rightarrow" | "implies" | "iff" | "Longrightarrow":
            return "write each equation by itself"
        case "arctan" | "arcsin" | "arccos":
            return "no program has this function; claim its derivative as a formula, such as 1/(1+x^2)"
        case "propto" | "sim":
            return "only = can be proved; say what the factor is"
        case "pm" | "mp":
            return "write both formulas"
        case "ldots" | "dots" | "cdots":
            return "write the sum with its bounds, and every entry of a matrix"
        case "vdots" | "ddots":
            return "write every entry of the matrix"
        case "hline" | "cline":
            return "write the matrix without lines"
        case "oplus":
            return "it is the direct sum, the Kronecker sum or addition modulo 2; write the matrix out"
        case "forall":
            return r"what holds for all indices is said at the end of an equation: ..., \quad \forall n"
        case "over" | "atop" | "nicefrac" | "sfrac":
            return r"write \frac"
        case "int" | "iint" | "oint":
            return "integrals are not read"
    if word in SWITCHES:
        return rf"write \{SWITCHES[word]}{{...}}, or {{\{word} ...}} in braces of its own"
    return "it is never skipped; write the formula without it"
