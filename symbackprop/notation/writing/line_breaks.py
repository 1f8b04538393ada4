"""Right sides of equations that are too wide for a page, broken before a plus or a minus."""

from __future__ import annotations

import re

WIDTH = 88
"""About what a line of a page holds, in letters."""

TOKEN = re.compile(r"\\(?:left|right|Bigl|Bigr)\s*(?:\\[a-zA-Z]+|\\.|.)|\\[a-zA-Z]+|\\.|.", re.DOTALL)
WIDE = ("sum", "max", "min", "log", "exp", "tanh", "sin", "cos", "operatorname", "mathrm", "text")
CONTINUED = " \\\\\n&\\quad "


def break_right_side(text: str, room: int = WIDTH) -> str:
    r"""The right side, continued on further lines of the same `align` where it is wider than `room`.

    >>> print(break_right_side("a + b + c", 6))
    a + b \\
    &\quad + c
    """
    if estimate_width(text) <= room:
        return text
    pieces = [p for piece in _addends(text) for p in (_opened(piece) if estimate_width(piece) > room else [piece])]
    lines, width = [pieces[0]], estimate_width(pieces[0])
    for piece in pieces[1:]:
        more = estimate_width(piece)
        if width + more > room:
            lines.append(piece.lstrip())
            width = more
        else:
            lines[-1] += piece
            width += more
    return CONTINUED.join(line.rstrip() for line in lines)


def break_note(text: str, note: str, room: int = WIDTH) -> str:
    """A right side, broken, with what is said behind it, on a line of its own where there is no room."""
    broken = break_right_side(text, room)
    last = broken.rsplit(CONTINUED, 1)[-1]
    fits = not note or estimate_width(last) + estimate_width(note) <= room
    return broken + note if fits else broken + CONTINUED + note.removeprefix(r"\quad").lstrip()


def _opened(text: str) -> list[str]:
    """The parts of a piece inside its widest bracket, which then is one of a fixed height, since it is broken."""
    pairs, starts, depth = [], list[tuple[int, str]](), 0
    for match in TOKEN.finditer(text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if match[0] in (r"\left(", "(") and not depth:
            starts.append((match.start(), match[0]))
        elif match[0] in (r"\right)", ")") and not depth and starts:
            start, sign = starts.pop()
            pairs.append((start, sign, match.start(), match[0]))
    if not pairs:
        return [text]
    first, left, last, right = max(pairs, key=lambda pair: pair[2] - pair[0])
    pieces = _addends(text[first + len(left) : last])
    if len(pieces) == 1:
        return [text]
    opening, closing = (r"\Bigl(", r"\Bigr)") if left != "(" else (left, right)
    pieces[0] = text[:first] + opening + pieces[0]
    pieces[-1] += closing + text[last + len(right) :]
    return pieces


def estimate_width(text: str) -> float:
    r"""About how many letters wide a formula is; what is below or above counts less, a fraction as its wider part.

    >>> estimate_width("x_{ij}") < estimate_width("xij") == 3
    True
    """
    return _width([m[0] for m in TOKEN.finditer(text)])


def _width(tokens: list[str]) -> float:
    total, at = 0.0, 0
    while at < len(tokens):
        token = tokens[at]
        if token in ("_", "^"):
            group, at = _group(tokens, at + 1)
            below = _width(group)
            if at < len(tokens) and tokens[at] in ("_", "^"):
                group, at = _group(tokens, at + 1)
                below = max(below, _width(group))
            total += 0.7 * below
        elif token == r"\frac":
            over, at = _group(tokens, at + 1)
            under, at = _group(tokens, at)
            total += max(_width(over), _width(under))
        else:
            at += 1
            total += _letters(token)
    return total


def _letters(token: str) -> float:
    if token in "{} " or token in (r"\,", r"\quad"):
        return 0.5 if token in (r"\,", r"\quad") else 0
    if token in "+-=<>" or token in (r"\le", r"\ge", r"\cdot", r"\otimes", r"\odot"):
        return 2
    if token.startswith(("\\left", "\\right", "\\Big")):
        return 1
    if token.startswith("\\"):
        return 2 if token[1:] in WIDE else 0 if token[1:] in ("bar", "hat", "tilde", "dot", "substack", "mathit") else 1
    return 1


def _group(tokens: list[str], at: int) -> tuple[list[str], int]:
    """The tokens of an argument and where it ends."""
    while at < len(tokens) and tokens[at] == " ":
        at += 1
    if at >= len(tokens) or tokens[at] != "{":
        return tokens[at : at + 1], at + 1
    depth, start = 1, at + 1
    at = start
    while at < len(tokens) and depth:
        depth += {"{": 1, "}": -1}.get(tokens[at], 0)
        at += 1
    return tokens[start : at - 1], at


def _addends(text: str) -> list[str]:
    """The text cut before each plus and minus that stands outside of all brackets."""
    pieces, depth, start = [], 0, 0
    for match in TOKEN.finditer(text):
        token = match[0]
        if token in ("{", "(", "[") or token.startswith((r"\left", r"\begin")) and token != r"\le":
            depth += 1
        elif token in ("}", ")", "]") or token.startswith((r"\right", r"\end")):
            depth -= 1
        elif token in "+-" and depth == 0 and match.start() > start and text[match.start() - 1] == " ":
            pieces.append(text[start : match.start()])
            start = match.start()
    return [*pieces, text[start:]]
