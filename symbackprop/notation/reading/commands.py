r"""The commands of LaTeX that formulas may hold: which are letters, signs, brackets, accents or fonts."""

from __future__ import annotations

ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde",
    "dot": "dot", "vec": "vec",
}  # fmt: skip
FONTS = frozenset(
    {"mathbf", "mathbb", "mathcal", "mathscr", "mathfrak", "boldsymbol", "bm", "bf", "mathsf", "mathit", "mathrm",
     "text", "textrm", "textit", "textbf", "operatorname", "mbox"}
)  # fmt: skip
UPRIGHT = frozenset({"mathrm", "text", "textrm", "textit", "operatorname", "mbox", "mathit", "mathsf"})
SPACES = frozenset(
    {",", ";", ":", "!", " ", "quad", "qquad", "displaystyle", "textstyle", "limits", "nolimits", "nonumber", "notag",
     "thinspace", "enspace", "hfill", "left", "right"}
    | {size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
)  # fmt: skip
GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho varrho sigma "
    "tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell "
    "partial nabla infty top intercal prime star".split()
)
FUNCTIONS = frozenset(
    "log ln exp sin cos tan tanh sinh cosh max min det arg argmax argmin tr sum prod erf sign".split()
)
MULTIPLIED = {
    "*": "*", "/": "/", "cdot": r"\cdot", "times": r"\times", "odot": r"\odot", "circ": r"\circ", "oslash": r"\oslash",
    "ast": r"\ast", "otimes": r"\otimes", "div": "/", "bmod": r"\bmod",
}  # fmt: skip
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
    "ne": "!=", "neq": "!=", "approx": r"\approx", "leftarrow": ":=", "gets": ":=", "coloneqq": ":=", "lt": "<",
    "gt": ">", "triangleq": "=", "equiv": "=",
}  # fmt: skip
OPENING = {"(": "(", "[": "[", "{": r"\{", "lbrace": r"\{", "lbrack": "[", "lfloor": r"\lfloor"}
CLOSING = {")": "(", "]": "[", "}": r"\{", "rbrace": r"\{", "rbrack": "[", "rfloor": r"\lfloor"}
SHOWN = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", "|": "|", "||": r"\rVert", r"\lfloor": r"\rfloor", ".": r"\right|",
         "cases": r"\end{cases}"}  # fmt: skip
CONNECTIVES = {
    "if": "IF", "for": "IF", "when": "IF", "where": "IF", "otherwise": "OTHERWISE", "else": "OTHERWISE", "and": "AND",
}  # fmt: skip


def hint(word: str) -> str:
    match word:
        case "Rightarrow" | "implies" | "iff" | "Longrightarrow":
            return "write each equation by itself"
        case "arctan" | "arcsin" | "arccos" | "cot" | "sec":
            return "the formula language does not have this function"
        case "propto" | "sim":
            return "only = can be proved; say what the factor is"
        case "pm" | "mp":
            return "write both formulas"
        case "ldots" | "dots" | "cdots":
            return "write the sum with its bounds"
    return "it is never skipped; write the formula without it"
