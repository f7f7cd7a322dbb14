"""Formula lines as MathML: every line of every class, letter by letter, and some of them element by element."""

from __future__ import annotations

import inspect
import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from numnet import nn, operations, optim
from numnet.inspect import formulas
from numnet.inspect.mathml import mathml

CLASSES = [
    cls for module in (nn, optim, operations) for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__doc__
]


def letters(text: str) -> str:
    """What must survive: all but spaces, signs that became an element, and the brackets that these make idle."""
    text = unicodedata.normalize("NFKC", re.sub(r":[a-z]+:(?=`)|`", "", text))
    text = text.translate(str.maketrans("∑∏-", "ΣΠ−", "/√(){}_^¯\u2044\u0302\u0304"))
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("cls", CLASSES)
def test_keeps_every_letter_of_every_line(cls: type) -> None:
    for line in [line for block in formulas(cls) for line in block]:
        tree = ElementTree.fromstring(mathml(line))
        assert letters("".join(tree.itertext())) == letters(line)


def shape(line: str) -> str:
    """MathML in short: ``frac(∂J; ∂W)``, a row as its parts side by side, spaces and attributes left out."""

    def short(e: ElementTree.Element) -> str:
        parts = [short(part) for part in e]
        if e.tag in ("math", "mrow"):
            return "".join(parts)
        return f"{e.tag[1:]}({'; '.join(parts)})" if parts else (e.text or "")

    return short(ElementTree.fromstring(mathml(line)))


SHAPES = {
    "z = x Wᵀ + b": "z=xsup(W; T)+b",
    "∂J/∂W = δᵀ x        ∂J/∂b = Σₙ δₙ": "frac(∂J; ∂W)=sup(δ; T)xfrac(∂J; ∂b)=under(∑; n)sub(δ; n)",
    "∂J/∂x[n, c] = -δ": "frac(∂J; ∂x[n,c])=−δ",
    "x̂ = (x - μ) / √(σ² + ε)": "over(x; ^)=frac(x−μ; sqrt(sup(σ; 2)+ε))",
    "a = 1 / (1 + e⁻ˣ)": "a=frac(1; 1+sup(e; −x))",
    "∂J/∂x = δ w (x - y) / (x (1 - x)) / n": "frac(∂J; ∂x)=frac(δw(x−y); (x(1−x))n)",
    "J = Σ (x - y)² / n": "J=frac(∑sup((x−y); 2); n)",
    "J = -Σₙ log pₙ / max(Lₙ, 1) / N": "J=−under(∑; n)frac(logsub(p; n); max(sub(L; n),1)N)",
    "aᵢ = e^xᵢ / Σⱼ e^xⱼ": "sub(a; i)=frac(sup(e; sub(x; i)); under(∑; j)sup(e; sub(x; j)))",
    "W ← W - η m̂ / (√v̂ + ε)": "W←W−frac(ηover(m; ^); sqrt(over(v; ^))+ε)",
    "z = W_hhᵀ hₜ₋₁": "z=subsup(W; hh; T)sub(h; t−1)",
    "δˡ = layerˡ⁺¹.backward(δˡ⁺¹)": "sup(δ; l)=sup(layer; l+1).backward(sup(δ; l+1))",
    "a = log(1 + e^(βx)) / β where βx ≤ t": "a=frac(log(1+sup(e; βx)); β)whereβx≤t",
    "Σ_{c ≠ yₙ} w[yₙ] / C N": "frac(under(∑; c≠sub(y; n))w[sub(y; n)]; CN)",
    "s_c^β = |r| - c/2": "subsup(s; c; β)=|r|−c/2",
    "2 α β / n x_j Σ_c x_c / s_c": "frac(2αβ; n)sub(x; j)under(∑; c)frac(sub(x; c); sub(s; c))",
    "s = x₁·x₂ / q": "s=frac(sub(x; 1)·sub(x; 2); q)",
    "μ over the M values of a feature": "μover\u00a0theMvalues\u00a0of\u00a0a\u00a0feature",
    "y = a where c, b elsewhere": "y=awherec,belsewhere",
    "y = f'(x) ** 2 <= 3": "y=sup(f; ')(x)**2<=3",
    "y = Πⱼ﹤ᵢ xⱼ": "y=under(∏; j<i)sub(x; j)",
}


@pytest.mark.parametrize("line", SHAPES)
def test_shape(line: str) -> None:
    assert shape(line) == SHAPES[line]


PARTS = [*"abxδWΣΠ√∂/()[]{}|‖_^ ₙᵢ²ᵀ′-+·⊙=<>&.,:;'`…½∞⌊⌋12", "log ", "max", "mean_k", " / ", "∂J/∂W", "x̂", "the ", "中"]


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
@example("∂J/∂")
@example("x_{")
@example("a / ")
def test_what_it_does_not_understand_stays_in_its_place(line: str) -> None:
    tree = ElementTree.fromstring(mathml(line))
    assert letters("".join(tree.itertext())) == letters(line)


def test_a_quotient_in_an_exponent_or_without_spaces_stays_on_the_line() -> None:
    assert shape("e^(x / 2) + C/g") == "sup(e; x/2)+C/g"
