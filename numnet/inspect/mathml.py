"""MathML: a formula line of a docstring as a browser sets it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

__all__ = ["mathml"]

_FUNCTIONS = frozenset(["log", "ln", "exp", "sin", "cos", "tanh", "sign", "max", "min", "argmax", "argmin", "mean"])
_UNDER = frozenset(["max", "min", "argmax", "argmin", "mean"])
_SUMS = {"Σ": "∑", "Π": "∏", "∫": "∫"}
_CLOSING = {"(": ")", "[": "]", "⌊": "⌋", "|": "|", "‖": "‖"}
_ACCENTS = {"\u0302": "^", "\u0304": "¯"}
_TIGHT = ' lspace="0" rspace="0"'
_SPACING = {
    ":": ' lspace="0" rspace=".3em"',
    "|": ' stretchy="false" lspace=".2em" rspace=".2em"',
    "…": ' lspace=".2em" rspace=".2em"',
    "/": _TIGHT,
    ".": _TIGHT,
}
_TOKEN = re.compile(
    r"(?P<markup>:[a-z]+:(?=`)|`)"
    r"|(?P<sub>[₀-₉₊₋ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ﹤﹥]+|(?<=[^\W\d])∞)"
    r"|(?P<super>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᴴᴸᵃᵇʰⁱˡᵐⁿᵖʳˢᵗˣʸᵞ′]+|(?<=[^\W\d])'+)"
    r"|(?P<number>\d+(?:\.\d+)?…?|½)"
    r"|(?P<name>(?!(?:max|min|mean)_)[A-Za-z][A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|[A-Za-z][A-Za-z0-9]*|[\u0391-\u03c9∞∇])"
    r"|(?P<accent>[\u0302\u0304])"
    r"|(?P<sign>[<>=!]=|\*\*|->|\S)"
)


def mathml(line: str) -> str:
    """One formula line as a ``<math>`` element of MathML Core.

    A quotient written with spaces, ``a / b``, becomes a fraction and loses its outer brackets; ``c/2`` stays on the
    line. Words stay words, and what is not understood stays as it is, in its place.

    >>> mathml("a = x²")
    '<math display="block"><mrow><mi>a</mi><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    equations = [_Reader(part).row("") for part in re.split(r"\s{3,}", line.strip())]
    apart = '<mspace width="2em"></mspace>'
    return f'<math display="block">{apart.join(equations)}</math>'


class _Token(NamedTuple):
    kind: str
    text: str
    spaces: int  # in front of it
    tight: bool  # something stands right behind it


class _Item(NamedTuple):
    """A part of a row.

    Attributes:
        kind: ``"factor"``, ``"sum"`` (a Σ), ``"word"``, ``"sign"`` or ``"slash"``.
        spaces: how many stood in front of it.
        names: the names in it; of a sum, those of its index.
        inside: of a pair of round brackets, what is between them.
        plain: whether it is one name or number, without an index.
        over: of a fraction, what is above and below its bar.
    """

    kind: str
    xml: str
    spaces: int
    names: frozenset[str] = frozenset()
    inside: str = ""
    plain: bool = False
    over: tuple[tuple[_Item, ...], tuple[_Item, ...]] | None = None


class _Reader:
    """Reads one equation from left to right: rows of items, and items with their scripts, indices and arguments."""

    def __init__(self, text: str) -> None:
        self.tokens: list[_Token] = []
        self.at = 0
        self.in_script = 0
        spaces = 0
        end = 0
        for found in _TOKEN.finditer(text):
            spaces += found.start() - end
            end = found.end()
            if found.lastgroup != "markup":
                tight = text[end : end + 1].strip() != ""
                self.tokens.append(_Token(str(found.lastgroup), found.group(), spaces, tight))
                spaces = 0

    def next(self, ahead: int = 0) -> _Token | None:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def follows(self, text: str, ahead: int = 0) -> bool:
        """Whether this sign stands right behind what was read."""
        token = self.next(ahead)
        return token is not None and token.text == text and token.spaces == 0

    def opens(self, at: int) -> bool:
        """Whether a bracket opens there; a bar does in front of something, and not right behind something."""
        token = self.tokens[at]
        if token.text not in "|‖":
            return token.text in _CLOSING
        return token.tight and (at == 0 or token.spaces > 0 or self.tokens[at - 1].text in "([⌊√-Σ")

    def begins(self, ahead: int = 0) -> bool:
        """Whether a name, number, root, derivative or bracket begins here."""
        token = self.next(ahead)
        return token is not None and (
            token.kind in ("name", "number") or token.text in "√∂" or self.opens(self.at + ahead)
        )

    def row(self, closing: str) -> str:
        """Everything up to the closing bracket, which is left, or to the end."""
        items: list[_Item] = []
        while (token := self.next()) is not None:
            if token.text == closing and not self.opens(self.at):
                break
            items.append(self.item(items))
        return f"<mrow>{_set(items if self.in_script else _with_fractions(items))}</mrow>"

    def item(self, before: Sequence[_Item]) -> _Item:
        token = self.tokens[self.at]
        if self.is_word(token, before):
            return _Item("word", f"<mtext>{escape(self.take().text)}</mtext>", token.spaces)
        if token.text in _SUMS:
            return self.sum()
        if self.begins():
            return self.factor()
        self.take()
        if token.text == "/" and token.spaces and not token.tight:
            return _Item("slash", _operator("/"), token.spaces)
        if token.kind in ("sub", "super"):  # of nothing
            return _Item("sign", _script(token.text), token.spaces)
        if token.text in "+-" and (not before or before[-1].kind in ("sign", "slash")):
            return _Item("sign", _operator(token.text, ' form="prefix"'), token.spaces)
        attributes = _TIGHT if self.in_script else _SPACING.get(token.text, "")
        return _Item("sign", _operator(token.text, attributes), token.spaces)

    def is_word(self, token: _Token, before: Sequence[_Item]) -> bool:
        """A word of English: of several letters, without anything that only a name of mathematics has."""
        behind = self.next(1)
        if token.kind != "name" or not token.text.isascii() or token.text in _FUNCTIONS:
            return False
        if len(token.text) > 1:
            return not (
                token.tight and behind is not None and (behind.kind in ("sub", "super") or behind.text in "([._")
            )
        article = token.text == "a" and behind is not None and not token.tight and len(behind.text) > 1
        in_prose = not before or before[-1].kind == "word"
        return article and in_prose and behind is not None and behind.kind == "name" and behind.text.isascii()

    def sum(self) -> _Item:
        start, token = self.at, self.take()
        letter = _operator(_SUMS[token.text], ' movablelimits="false"')
        index = self.sub()
        xml = f"<munder>{letter}{index}</munder>" if index else letter
        return _Item("sum", xml, token.spaces, self.names(start + 1))

    def factor(self) -> _Item:
        """A name, number, root, derivative or bracket, and what belongs to it."""
        start, token, inside = self.at, self.take(), ""
        if token.text == "√":
            xml = self.root()
        elif token.text == "∂":
            xml = self.derivative()
        elif token.kind == "number":
            xml = f"<mn>{token.text}</mn>"
        elif token.kind == "name":
            xml = self.name(token)
        else:
            inside, xml = self.bracket(token.text)
        scripted = self.scripts(xml, under=token.text in _UNDER)
        if token.kind == "name":
            scripted = self.arguments(scripted)
        inside = inside if scripted == xml and token.text == "(" else ""
        plain = self.at == start + 1
        return _Item("factor", scripted, token.spaces, self.names(start), inside, plain)

    def name(self, token: _Token) -> str:
        xml = f"<mi>{token.text}</mi>"
        accent = self.next()
        if accent is not None and accent.kind == "accent":
            xml = f'<mover accent="true">{xml}<mo stretchy="false">{_ACCENTS[self.take().text]}</mo></mover>'
        return xml

    def bracket(self, opening: str) -> tuple[str, str]:
        """What is inside, and all of it."""
        inside = self.row(_CLOSING[opening])
        closing = _operator(self.take().text) if self.next() is not None else ""
        return inside, f"<mrow>{_operator(opening)}{inside}{closing}</mrow>"

    def root(self) -> str:
        if self.follows("("):
            inside, _ = self.bracket(self.take().text)
        else:
            inside = self.factor().xml if self.begins() else ""
        return f"<msqrt>{inside}</msqrt>"

    def derivative(self) -> str:
        """∂J/∂W, whose bar is always one of a fraction."""
        top = self.factor().xml if self.begins() else ""
        if not (self.follows("/") and self.follows("∂", 1) and self.begins(2)):
            return f"<mi>∂</mi>{top}"
        self.at += 2
        bottom = self.factor().xml
        return f"<mfrac><mrow><mi>∂</mi>{top}</mrow><mrow><mi>∂</mi>{bottom}</mrow></mfrac>"

    def scripts(self, xml: str, under: bool = False) -> str:
        """Index and power."""
        while True:
            sub, power = self.sub(), self.power()
            if not sub and not power:
                return xml
            tag = "msubsup" if sub and power else "msup" if power else "munder" if under else "msub"
            xml = f"<{tag}>{xml}{sub}{power}</{tag}>"

    def arguments(self, xml: str) -> str:
        """``[n, c]``, ``(x)``, ``.backward``, and the power of all that."""
        while (token := self.next()) is not None and token.spaces == 0:
            if token.text in "([":
                xml = self.scripts(f"<mrow>{xml}{self.bracket(self.take().text)[1]}</mrow>")
            elif token.text == "." and (behind := self.next(1)) is not None and behind.kind == "name" and token.tight:
                self.take()
                xml = f"{xml}{_operator('.', _TIGHT)}<mi>{self.take().text}</mi>"
            else:
                break
        return xml

    def sub(self) -> str:
        token = self.next()
        if token is None or token.spaces:
            return ""
        if token.kind == "sub":
            return _script(self.take().text)
        behind = self.next(1)
        if token.text == "_" and behind is not None and behind.spaces == 0 and behind.text.isalnum():
            self.take()
            return f"<mi>{self.take().text}</mi>"
        if token.text == "_" and behind is not None and behind.text == "{":
            self.at += 2
            return self.small(lambda: self.row("}"), dropped="}")
        return ""

    def power(self) -> str:
        token = self.next()
        if token is None or token.spaces:
            return ""
        if token.kind == "super":
            return _script(self.take().text)
        signed = self.follows("-", 1)
        if token.text != "^" or not token.tight or not self.begins(2 if signed else 1):
            return ""
        self.take()
        if self.follows("("):
            self.take()
            return self.small(lambda: self.row(")"), dropped=")")
        sign = _operator(self.take().text, ' form="prefix"') if signed else ""
        return f"<mrow>{sign}{self.small(lambda: self.factor().xml)}</mrow>"

    def small(self, read: Callable[[], str], dropped: str = "") -> str:
        """Read a script, where quotients stay on the line, and drop the bracket behind it."""
        self.in_script += 1
        xml = read() if self.next() is not None else ""
        self.in_script -= 1
        if dropped and self.next() is not None:
            self.take()
        return xml

    def names(self, start: int) -> frozenset[str]:
        tokens = self.tokens[start : self.at]
        letters = {letter for t in tokens if t.kind == "sub" for letter in unicodedata.normalize("NFKC", t.text)}
        return frozenset(letters | {t.text for t in tokens if t.kind == "name"})


# ---------------------------------------------------------------------------------------------- fractions


def _with_fractions(items: list[_Item]) -> list[_Item]:
    """``a / b``: the product in front of the slash over the one factor behind it; ``a / b / c`` over both."""
    done: list[_Item] = []
    left = list(items)
    while left:
        item = left.pop(0)
        bottom = _bottom(left) if item.kind == "slash" else []
        if not bottom:
            done.append(item)
            continue
        if done and done[-1].over is not None:
            above, below = done[-1].over
            done[-1] = _fraction(done[-1].spaces, above, (*below, *bottom))
        elif top := _top(done, bottom):
            del done[len(done) - len(top) :]
            done.append(_fraction(top[0].spaces, tuple(top), tuple(bottom)))
        else:
            done.append(item)
            continue
        del left[: len(bottom)]
    return done


def _bottom(items: list[_Item]) -> list[_Item]:
    """The factor behind a slash: with what stands right behind it (2n), and a sum with its term; C N are one."""
    end = 1 if items and items[0].kind == "sum" else 0
    if end >= len(items) or items[end].kind not in ("factor", "word"):
        return []
    end += 1
    while end < len(items) and items[end].kind == "factor":
        capitals = all(item.plain and _CAPITAL.fullmatch(item.xml) for item in items[end - 1 : end + 1])
        if items[end].spaces and not capitals:
            break
        end += 1
    return items[:end]


_CAPITAL = re.compile("<mi>[A-Z]</mi>")


def _top(items: list[_Item], bottom: list[_Item]) -> list[_Item]:
    """The product in front of a slash; with its Σ only where what it is divided by does not depend on the index."""
    start = len(items)
    if items and items[-1].kind == "word":
        return items[-1:]
    names = frozenset().union(*(item.names for item in bottom))
    constant = all(item.plain for item in bottom)
    while start and (items[start - 1].kind in ("factor", "sum") or _dot(items, start - 1)):
        index = items[start - 1]
        if index.kind == "sum":
            outside = not index.names & names if index.names else constant
            if start == len(items) or not (outside or bottom[0].kind == "sum"):
                break
        start -= 1
    return items[start:]


def _dot(items: list[_Item], at: int) -> bool:
    """Whether it is the dot of a product written tight: x·y / z is (x·y) / z."""
    tight = 0 < at < len(items) - 1 and not items[at].spaces and not items[at + 1].spaces
    return tight and items[at].xml == _operator("·")


def _fraction(spaces: int, top: tuple[_Item, ...], bottom: tuple[_Item, ...]) -> _Item:
    above, below = (
        part[0].inside if len(part) == 1 and part[0].inside else f"<mrow>{_set(part)}</mrow>" for part in (top, bottom)
    )
    names = frozenset().union(*(item.names for item in (*top, *bottom)))
    return _Item("factor", f"<mfrac>{above}{below}</mfrac>", spaces, names, over=(top, bottom))


# ---------------------------------------------------------------------------------------------- letters and spaces


def _set(items: Iterable[_Item]) -> str:
    """Items side by side, with the spaces that MathML does not make by itself."""
    xml = ""
    before: _Item | None = None
    for item in items:
        if before is not None:
            xml += _space(before, item)
        xml += item.xml
        before = item
    return xml.replace("</mtext><mtext>", "\u00a0")


def _space(before: _Item, item: _Item) -> str:
    kinds = before.kind, item.kind
    if before.xml == _operator(",") and item.kind == "word":
        return '<mspace width=".2em"></mspace>'
    if item.spaces > 1:
        return '<mspace width="1em"></mspace>'
    if kinds == ("word", "word") or "sign" in kinds or not item.spaces:
        return ""
    if "word" in kinds:
        return '<mspace width=".35em"></mspace>'
    return '<mspace width=".2em"></mspace>' if kinds[0] == "factor" and kinds[1] in ("factor", "sum") else ""


def _operator(text: str, attributes: str = "") -> str:
    return f"<mo{attributes}>{escape({'-': '−'}.get(text, text), quote=False)}</mo>"


def _script(run: str) -> str:
    """Raised or lowered letters and digits, in full size: the element around them makes them small."""
    parts = re.findall(r"\d+|.", unicodedata.normalize("NFKC", run))
    if parts == ["T"]:
        return '<mi mathvariant="normal">T</mi>'
    found = [
        f"<mn>{p}</mn>" if p.isdigit() else f"<mi>{p}</mi>" if p.isalpha() or p == "∞" else _operator(p, _TIGHT)
        for p in parts
    ]
    return found[0] if len(found) == 1 else f"<mrow>{''.join(found)}</mrow>"
