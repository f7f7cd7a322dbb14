"""The views' words: every text that explanations and steps say has its Chinese; every class its caption."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import get_args

import examples
import numpy as np
import pytest
from traces import some, traced

import numnet
from numnet import nn, operations, optim
from numnet.inspect import Trace, formulas, trace
from numnet.inspect.explain import RULES, pattern_of
from numnet.inspect.step import Stage
from numnet.inspect.words import both, caption, chinese

EXAMPLES = examples.collect()
PLAIN = [nn.Upsample, nn.Bilinear, nn.CosineSimilarity]  # without rules: explained by their operands
CLASSES = {
    name: cls
    for module in (nn, optim, operations)
    for name, cls in inspect.getmembers(module, inspect.isclass)
    if formulas(cls).forward or formulas(cls).backward
}
COMPOSITES = {  # their parts are the steps, or they are abstract
    *(nn.Call, nn.Layer, nn.Loss, nn.Sequential, nn.Branches, nn.Residual, nn.Transformer),
    *(nn.TransformerEncoder, nn.TransformerDecoder, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer),
}
FUNCTIONS = ("tanh", "exp", "log", "pow", "max", "min", "sign", "softmax", "onehot")
LETTERS = ("stride", "padding", "dilation", "count", "next", "first", "bool")  # of formulas, and a dtype
STAYS = {*FUNCTIONS, *LETTERS, *CLASSES}


def untranslated(text: str, names: str = "") -> list[str]:
    """The English words in a text, but for those in the names of arrays."""
    text = re.sub(r"⟦.*?⟧|[\w()]*[.#_=][\w.#]*|[\w.]+ \([A-Z]\w+\)", " ", text, flags=re.ASCII)
    words = re.findall(r"(?<![A-Za-z0-9])[A-Za-z]{3,}(?![A-Za-z0-9])", text)
    return [word for word in words if word not in STAYS and word not in names]


def texts(seen: Trace, most: int = 12) -> Iterator[str]:
    """All that the trace says in English."""
    yield from (step.title for step in seen.steps)
    for name in seen.names():
        record, pattern = seen.array(name), pattern_of(seen, name)
        yield from ("", "") if pattern is None else (pattern.symbols, pattern.note)
        for index in some(record.shape, most):
            e = seen.explain(name, index)
            yield from (e.place, e.remark, *e.beside)
            yield from ("", "") if e.rule is None else (e.rule.symbols, e.rule.note)


def networks() -> Iterator[Trace]:
    """What the examples of single layers do not say: updates, shared layers, residuals, gradients from before."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 3)), rng.integers(0, 2, 4)
    for make in (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
        lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
        lambda p: optim.Adagrad(p, lr=0.1),
    ):
        shared = nn.Linear(3, 3)
        block = nn.Residual(nn.Sequential(shared, nn.Tanh()))
        net = nn.Sequential(block, shared, nn.Dropout(0.5), nn.GELU(), nn.Linear(3, 2)).double()
        optimizer = make(net.parameters())
        yield trace(net, x, y, nn.CrossEntropyLoss(), optimizer)
        yield trace(net, x, y, nn.CrossEntropyLoss(label_smoothing=0.1), optimizer)
        yield trace(net.eval(), x, y, nn.CrossEntropyLoss(), optimizer)
    ignored = nn.CrossEntropyLoss(ignore_index=1)
    yield trace(nn.Linear(3, 2).double(), x, y, ignored)
    yield trace(nn.Sequential(nn.Linear(3, 2), nn.LogSoftmax(-1)).double(), x, y, nn.NLLLoss())

    class Arithmetic(nn.Module):
        def forward(self, x):
            return numnet.where(x > 0.5, x * x.mean(), -x.sum(0) / -2).sqrt().exp()

    yield trace(Arithmetic(), np.abs(x), x, nn.MSELoss())

    twice = nn.Linear(3, 3).double()
    for _ in range(2):  # the second time on top of the gradients of the first
        yield trace(nn.Sequential(twice, twice), x, x + 1, nn.MSELoss())


def check(seen: Trace) -> None:
    names = " ".join([*seen.names(), *(part for call in seen.calls for part in call.inputs)])
    for text in set(texts(seen)):
        assert not untranslated(chinese(text), names), f"{text!r} is {chinese(text)!r}"


@pytest.mark.parametrize("cls", [cls for cls in [*RULES, *PLAIN] if cls in EXAMPLES])
def test_every_text_of_an_explanation_has_its_chinese(cls: type) -> None:
    for example in EXAMPLES[cls]:
        check(traced(example))


def test_every_text_of_networks_and_updates_has_its_chinese() -> None:
    for seen in networks():
        check(seen)


def test_why_an_array_is_not_kept_has_its_chinese() -> None:
    class Overwriting(nn.Module):
        def forward(self, x):
            return (x * 2).mul_(3)

    for net, keep in ((nn.Linear(3, 3).double(), 100), (Overwriting(), 10_000)):
        seen = trace(net, np.ones((4, 3)), np.ones((4, 3)), nn.MSELoss(), keep=keep)
        found = [why for name in seen.names() if (why := seen.array(name).why_not)]
        assert found
        assert [chinese(why) for why in found if chinese(why) == why] == []


def test_texts_that_no_example_says() -> None:
    known = [
        "the last step: what arrives at c from outside",
        "the mask hides key 2 from query 1",
        "no δ came to y",
        "with running statistics μ and σ² are constants: one path",
        "mul_ has written into it since\n            in a.py, line 3: x.mul_(2)",
        "not in this page, which would be too large: see trace.array(…)",
    ]
    assert [text for text in known if untranslated(chinese(text))] == []


def test_indices_to_be_filled_in_and_unknown_texts_stay() -> None:
    assert both("time step ⟦0⟧") == ["time step ⟦0⟧", "时间步 ⟦0⟧"]
    assert both("a note of your own") == ["a note of your own"] * 2
    assert chinese("time step 1; a note of your own") == "time step 1; a note of your own"
    assert chinese("") == ""


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_with_a_formula_has_its_captions(name: str) -> None:
    stages = ["update"] if issubclass(CLASSES[name], optim.Optimizer) else ["forward", "backward"]
    for stage in stages:
        english, translated = caption(name, stage, "en"), caption(name, stage, "zh")
        if CLASSES[name] not in COMPOSITES:
            assert english != caption("?", stage, "en"), f"{name} has no caption of its own"
        assert re.search("[一-鿿]", translated)
        assert not re.search("[一-鿿]", english)
        assert english.endswith(".")
        assert translated.endswith("。")
        assert not (set(re.findall(MATHEMATICS, english)) ^ set(re.findall(MATHEMATICS, translated)))


MATHEMATICS = r"[α-ωΦΣ√∂⊙ᵀ²ˣ⁻₁₂]"


def test_captions_of_all_stages() -> None:
    for stage in get_args(Stage):
        assert caption("?", stage, "zh") != caption("?", stage, "en")
    assert caption("MSELoss", "loss", "en") == caption("MSELoss", "forward", "en")
    assert caption("Conv2d", "backward", "zh") == caption("Conv1d", "backward", "zh")
    assert caption("Linear", "update", "en") == caption("?", "update", "en")
