"""The stepper: what it shows at each step, what each command answers, over a pipe and on a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import examples
import numpy as np
import pytest

import numnet
from numnet import nn, optim
from numnet.cli import main
from numnet.inspect import Trace
from numnet.inspect.stepper import Session, keys
from numnet.inspect.stepper.commands import COMMANDS
from numnet.inspect.stepper.examples import EXAMPLES, trace_of
from numnet.inspect.stepper.lines import Span, fold, line, text_of
from numnet.inspect.stepper.screen import Screen
from numnet.inspect.stepper.sizes import size_formulas
from numnet.inspect.words import caption
from numnet.nested import flatten

Transcript = Callable[..., str]


@pytest.fixture
def transcript(capsys: pytest.CaptureFixture[str]) -> Transcript:
    """What a trace's stepper prints for these commands."""

    def run(trace: Trace, *commands: str) -> str:
        capsys.readouterr()
        trace.step(commands)
        return capsys.readouterr().out

    return run


def answer_to(trace: Trace, *commands: str) -> str:
    """What the last of the commands prints."""
    session = Session(trace)
    lines = [session.answer(command) for command in commands][-1]
    return "\n".join(text_of(spans) for spans in lines)


@pytest.fixture(scope="module")
def mlp() -> Trace:
    return trace_of("mlp", 0)


@pytest.fixture(scope="module")
def residual() -> Trace:
    return trace_of("residual", 0)


@pytest.fixture(scope="module")
def lenet() -> Trace:
    return trace_of("lenet", 0)


TINY = """\
Sequential: 8 steps, J = 0.25        h lists the commands, q leaves
── step 1 of 8 ── stage 1 of 4: forward → ──────────────────────────────────────
0  Linear(in_features=2, out_features=1, bias=True)  in training mode
x → [0 Linear] → 1 ReLU → MSELoss

  CAPTION Linear forward

  z = x Wᵀ + b
  numnet/nn/linear.py:LINE    source shows all 5 lines that ran
      return kernels.linear(x, W, b)

  input      x, given by you  (1, 2)  norm 2.236  1 … 2
    1  2
    kept for backward
    this is the array that you gave as x, no copy: write into yours, and other
    numbers stand here

  parameter  W = 0.weight  (1, 2)  norm 0.559  −0.25 … 0.5
     0.5000  −0.2500

  parameter  b = 0.bias  (1,)  norm 0.5  0.5 … 0.5
    0.5000

  output     0.output  (1, 1)  norm 0.5  0.5 … 0.5
    0.5000
> d
── step 4 of 8 ── stage 3 of 4: backward ← ─────────────────────────────────────
MSELoss()  in training mode
x ← 0 Linear ← 1 ReLU ← [MSELoss]

  CAPTION MSELoss backward

  ∂J/∂x = 2 δ (x - y) / n        ∂J/∂y = -∂J/∂x
  numnet/nn/loss.py:LINE    source shows all 2 lines that ran
      CODE

  δ in       δ = MSELoss.delta = 1, for ∂J/∂J is 1: here δ begins

  δ out      ∂J/∂x = 1.delta  (1, 1)  norm 1  −1 … −1
    −1
> e 0.weight.grad 0 1
0.weight.grad[0, 1] = −2        0 (Linear), backward
  formula   ∂J/∂W = δᵀ x        ∂J/∂b = Σₙ δₙ        ∂J/∂x = δ W
  here      ∂J/∂W[0, 1] = Σₙ δ[n, 0] · x[n, 1]
          = −1·2 = −2
  where     δ is 0.delta, x is x
  code      numnet/nn/linear.py:LINE  CODE
> q
"""


def tiny() -> Trace:
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU()).double()
    net[0].weight.data[...], net[0].bias.data[...] = [[0.5, -0.25]], 0.5
    return numnet.trace(net, np.array([[1.0, 2.0]]), np.array([[1.0]]), nn.MSELoss(), optim.SGD(net.parameters(), lr=1))


def test_a_transcript_word_for_word(transcript: Transcript) -> None:
    printed = transcript(tiny(), "d", "e 0.weight.grad 0 1", "q", "n").splitlines()
    expected = TINY.splitlines()
    k = 0
    for text in expected:
        if text.startswith("  CAPTION"):
            _, kind, stage = text.split()
            for spans in fold([line("  ", caption(kind, stage, "en"))], 80):
                assert printed[k] == text_of(spans)
                k += 1
            k -= 1
        elif "CODE" in text:  # which may be folded
            head = text.partition("LINE")[0].partition("CODE")[0]
            assert printed[k].startswith(head)
            while k + 1 < len(printed) and printed[k + 1].startswith("      "):
                k += 1
        else:
            assert re.sub(r"\.py:\d+", ".py:LINE", printed[k]) == text
        k += 1
    assert k == len(printed)  # nothing after q


@pytest.mark.proves("C206")
def test_the_four_stages(mlp: Trace, transcript: Transcript) -> None:
    said = transcript(mlp, *["n"] * len(mlp.steps))
    stages = re.findall(r"step (\d+) of 12 ── stage (\d) of 4: (\w+)", said)
    assert [int(n) for n, _, _ in stages] == list(range(1, 13))
    order = [("1", "forward")] * 3 + [("2", "loss")] + [("3", "backward")] * 4 + [("4", "update")] * 4
    assert [(n, word) for _, n, word in stages] == order
    assert "this was the last step" in said
    for letter, stage, first in [("f", "forward", 1), ("l", "loss", 4), ("d", "backward", 5), ("u", "update", 9)]:
        assert f"── step {first} of 12 ── stage" in answer_to(mlp, "j 7", letter)
        assert f"of 4: {stage}" in answer_to(mlp, "j 7", letter)


ROLES = "input|parameter|saved|output|δ in|δ out|gradient|sum of all uses|before|after|memory"


def numbers_shown(text: str) -> list[tuple[str, str, list[list[str]]]]:
    """(name, which part, rows) of every array that a transcript shows."""
    found: list[tuple[str, str, list[list[str]]]] = []
    for row in text.splitlines():
        if row.startswith(("──", "> ")):
            found.append(("", "", []))
        elif head := re.match(rf"  (?:{ROLES})\s{{2,}}(?:\S+ = )?([^\s,]+)", row):
            found.append((head[1], "", []))
        elif part := re.match(r"    \[(.*)\] of", row):
            found[-1] = (found[-1][0], part[1], [])
        elif found and not re.search(r"… [−\d]", row) and re.fullmatch(r"    [\s\d.−e+…]*\d[\s\d.−e+…]*", row):
            found[-1][2].append(row.replace("…", "").replace("−", "-").split())
    return [entry for entry in found if entry[0] and entry[2]]


@pytest.mark.parametrize("name", list(EXAMPLES))
@pytest.mark.parametrize("form", ["row", "column"])
def test_every_number_is_the_traces(name: str, form: str, transcript: Transcript) -> None:
    trace = trace_of(name, 1)
    shown = numbers_shown(transcript(trace, f"form {form}", *["n"] * len(trace.steps)))
    assert len(shown) > 2 * len(trace.steps)
    for array, part, rows in shown:
        numbers = trace.array(array.rstrip("ᵀ")).numbers
        if array.endswith("ᵀ"):
            numbers = numbers.T if numbers.ndim == 2 else numbers[:, None]
        if part:
            places = [p.strip() for p in part.split(",")]
            numbers = numbers[
                tuple(slice(*[int(i) if i else None for i in p.split(":")]) if ":" in p else int(p) for p in places)
            ]
        plane = np.atleast_2d(numbers)[: len(rows), : len(rows[0])]
        tolerance = 0.51 * 10.0 ** -len(rows[0][0].partition(".")[2])
        np.testing.assert_allclose(
            np.array(rows, float), plane, atol=tolerance if tolerance < 0.5 else 0, err_msg=array
        )


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_a_transcript_is_plain_narrow_and_the_same_again(name: str, transcript: Transcript) -> None:
    commands = [*["n"] * 40, "list", "source", "budget", "names", "h", "e J", "form column", "t"]
    first, second = (transcript(trace_of(name, 0), *commands) for _ in range(2))
    assert first == second
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", first)
    assert [row for row in first.splitlines() if len(row) > 80] == []


@pytest.mark.proves("C006")
def test_it_says_which_operation_made_an_input(residual: Trace) -> None:
    assert "input      x = block1.fc1.output, made by block1.fc1 (Linear)" in answer_to(residual, "j block1.act")
    assert "input      b = block1.fc2.output, made by block1.fc2 (Linear)" in answer_to(residual, "j Add")
    assert "input      x = Add.output, made by Add" in answer_to(residual, "j block2.fc1")
    tensor = numnet.tensor(np.ones((1, 2)), requires_grad=True) * 2
    assert tensor.grad_fn is not None
    assert tensor.grad_fn.layer is not None
    said = answer_to(residual, "j backward Add")
    assert re.sub(r"\s+", " ", said).count("the sum of what block2.fc1 (Linear) and Add#2 hand back") == 1


@pytest.mark.proves("C021")
def test_it_warns_that_x_is_shared() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2)).double()
    trace = numnet.trace(net, numnet.from_numpy(x), np.array([0, 1]), nn.CrossEntropyLoss())
    session = Session(trace)
    texts = [
        " ".join(text_of(s) for s in lines) for lines in (session.start(), *(session.answer("n") for _ in range(4)))
    ]
    warned = [re.sub(r"\s+", " ", text).count("is the array that you gave as x, no copy") for text in texts]
    assert warned == [1, 0, 0, 0, 0]  # once, where x is
    assert "    3  4" in answer_to(trace, "f")
    x[1, 0] = 7  # and so it is
    assert "    7  4" in answer_to(trace, "f")
    alone = numnet.trace(nn.Linear(2, 2).double(), x, np.array([0, 1]), nn.CrossEntropyLoss())
    assert "no copy" in answer_to(alone, "f")


@pytest.mark.proves("C077")
def test_it_shows_the_mode_that_the_layers_were_in() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2)).double()
    x, y = np.ones((3, 2)), np.array([0, 1, 1])
    train = numnet.trace(net, x, y, nn.CrossEntropyLoss())
    net.eval()
    evaluate = numnet.trace(net, x, y, nn.CrossEntropyLoss())
    for layer in ("Dropout", "BatchNorm1d"):
        number = {"Dropout": 1, "BatchNorm1d": 2}[layer]
        for trace, mode in ((train, "in training mode"), (evaluate, "in evaluation mode")):
            for stage in ("forward", "backward"):
                said = re.sub(r"\s+", " ", answer_to(trace, f"j {stage} {number}").partition("\n\n")[0])
                assert f"{number} {layer}(" in said
                assert mode in said


SIZED = [
    (nn.Conv2d(1, 6, 5, padding=2), (1, 1, 28, 28), ["height and width  (28 + 2·2 − 5)/1 + 1 = 28"]),
    (nn.Conv2d(1, 1, (5, 3)), (1, 1, 28, 20), ["height  (28 − 5)/1 + 1 = 24", "width  (20 − 3)/1 + 1 = 18"]),
    (nn.Conv1d(1, 1, 3, stride=2), (1, 1, 8), ["length  ⌊(8 − 3)/2⌋ + 1 = 3"]),
    (nn.Conv1d(1, 1, 3, dilation=2), (1, 1, 8), ["length  (8 − (2·(3 − 1) + 1))/1 + 1 = 4"]),
    (nn.Conv1d(1, 1, 4, padding="same"), (1, 1, 8), ["length  (8 + 1 + 2 − 4)/1 + 1 = 8"]),
    (nn.MaxPool2d(2), (1, 1, 28, 28), ["height and width  (28 − 2)/2 + 1 = 14"]),
    (nn.AvgPool1d(2, ceil_mode=True), (1, 1, 5), ["length  ⌈(5 − 2)/2⌉ + 1 = 3"]),
    (
        nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1, output_padding=1),
        (1, 1, 4),
        ["length  (4 − 1)·2 − 2·1 + 3 + 1 = 8"],
    ),
    (nn.Linear(4, 2), (3, 4), []),
]


@pytest.mark.proves("C118")
@pytest.mark.parametrize("layer, shape, lines", SIZED, ids=[repr(layer) for layer, _, _ in SIZED])
def test_the_size_formula_has_its_numbers_and_is_right(layer: Any, shape: tuple[int, ...], lines: list[str]) -> None:
    output = layer(np.ones(shape, np.float32)).shape
    assert size_formulas(layer, shape, output) == lines
    for text in lines:
        arithmetic, _, size = text.partition("  ")[2].partition(" = ")
        for sign, python in {"·": "*", "−": "-", "⌊": "int(", "⌋": ")", "⌈": "-int(-", "⌉": " - 0.5)"}.items():
            arithmetic = arithmetic.replace(sign, python)
        assert eval(arithmetic) == int(size)


@pytest.mark.proves("C118")
def test_a_convolution_and_a_pooling_show_it(lenet: Trace) -> None:
    assert "height and width  (28 + 2·2 − 5)/1 + 1 = 28" in answer_to(lenet, "f")
    assert "height and width  (28 − 2)/2 + 1 = 14" in answer_to(lenet, "j features.2")
    assert "height and width  (14 − 5)/1 + 1 = 10" in answer_to(lenet, "j forward features.3")


@pytest.mark.proves("C197")
def test_the_column_form_is_the_row_form_transposed(mlp: Trace) -> None:
    forward = answer_to(mlp, "form column", "j forward 2")
    assert "rows     z = x Wᵀ + b              (4, 2) = (4, 3)(3, 2) + (2,)" in forward
    assert "columns  zˡ = Wˡ aˡ⁻¹ + bˡ         (2, 4) = (2, 3)(3, 4) + (2, 1)" in forward
    shown = {name: np.array(rows, float) for name, _, rows in numbers_shown(forward)}
    z = shown["2.weight"] @ shown["1.outputᵀ"] + shown["2.biasᵀ"]
    np.testing.assert_allclose(shown["2.outputᵀ"], z, atol=3e-4)
    np.testing.assert_allclose(shown["2.outputᵀ"], mlp["2"].output.T, atol=1e-4)
    backward = answer_to(mlp, "form column", "j backward 2")
    shown = {name: np.array(rows, float) for name, _, rows in numbers_shown(backward)}
    delta, a = shown["2.deltaᵀ"], shown["1.outputᵀ"]
    for formula, left, right in [
        ("∂J/∂Wˡ = δˡ (aˡ⁻¹)ᵀ", shown["2.weight.grad"], delta @ a.T),
        ("∂J/∂bˡ = Σₙ δˡₙ", shown["2.bias.gradᵀ"], delta.sum(axis=1, keepdims=True)),
        ("∂J/∂aˡ⁻¹ = (Wˡ)ᵀ δˡ", shown["1.deltaᵀ"], shown["2.weight"].T @ delta),
    ]:
        assert formula in backward
        np.testing.assert_allclose(left, right, atol=1e-3)
    assert "rows" not in answer_to(mlp, "form column", "form row", "j forward 2")
    assert "samples are columns now" in answer_to(mlp, "form")


def test_into_and_over_containers(residual: Trace) -> None:
    session = Session(residual)

    def go(command: str) -> str:
        session.answer(command)
        return residual.steps[session.here].title

    assert go("f") == "forward through block1.fc1 (Linear)"
    assert "in block1, step 1 of 3; o block1 goes over it, to step 4" in answer_to(residual, "f")
    assert go("o") == "forward through Add"
    assert go("i") == "forward through block2.fc1 (Linear)"
    assert go("n") == "forward through block2.act (Tanh)"
    assert go("over block2") == "forward through Add#2"
    assert go("over") == "forward through head (Linear)"
    assert go("j backward block2.act") == "backward through block2.act (Tanh)"
    assert go("o") == "backward through Add"
    assert go("into block1") == "backward through block1.fc2 (Linear)"
    assert go("i") == "update of block1.fc1.weight by SGD"
    assert go("o") == "update of block2.fc1.weight by SGD"
    assert "no step comes after it" in answer_to(residual, "j head.bias.after", "o", "n") or go("j update") != ""
    assert "a container that this step is in" in answer_to(residual, "f", "o block2")
    assert "perhaps block1" in answer_to(residual, "into blok1")


class Nested(nn.Module):
    """A container in a container, and a layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.Tanh()), nn.ReLU())
        self.fc = nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        return self.fc(self.fc(self.encoder(x)))


def test_nested_containers_and_shared_layers() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3))
    trace = numnet.trace(Nested().double(), x, np.zeros((2, 3)), nn.MSELoss())
    first = answer_to(trace, "f")
    assert "in encoder, step 1 of 3; o encoder goes over it, to step 4" in first
    assert "in encoder.0, step 1 of 2; o encoder.0 goes over it, to step 3" in first
    assert "encoder.1  ReLU()" in answer_to(trace, "f", "o encoder.0")
    assert "\nfc  Linear" in answer_to(trace, "f", "o")
    assert "\nfc#2  Linear" in answer_to(trace, "f", "j fc#2")
    assert "\nfc#2  Linear" in answer_to(trace, "f", "o", "n")
    back = answer_to(trace, "j backward fc")
    assert "∂J/∂W = fc#1.weight.grad" in back
    assert "sum of all uses" in back
    assert "∂J/∂W = fc.weight.grad" in back


def test_print_explain_and_walk_are_the_traces(mlp: Trace) -> None:
    value = float(mlp.array("0.delta").numbers[0, 2])
    for index in ("0 2", "[0, 2]", "(0,2)", "-4 −1"):
        assert answer_to(mlp, f"p 0.delta {index}").partition(" = ")[2] == repr(value), index
    part = answer_to(mlp, "p 0.delta[1:3, :]")
    assert "0.delta[1:3, :]  (2, 3)" in part
    assert len(part.splitlines()) == 3
    said = " ".join(answer_to(mlp, "e 0.delta 0 2").split())
    assert said == " ".join(" ".join(mlp.explain("0.delta", (0, 2)).lines).split())
    walked = answer_to(mlp, "walk 0.weight.after 1 1")
    for e in mlp.walk("0.weight.after", (1, 1)):
        index = f"[{', '.join(map(str, e.index))}]" if e.index else ""
        assert f"{e.name}{index} = " in walked
    assert answer_to(mlp, "p J") == f"J = {mlp.loss!r}"
    assert answer_to(mlp, "j 2", "p output 0 0").startswith("1.output[0, 0] = ")  # of the layer that it stands at


def test_map_draws_the_sign_and_the_size() -> None:
    net = nn.Linear(3, 1).double()
    net.weight.data[...] = [[1.0, 0.0, -0.5]]
    trace = numnet.trace(net, np.ones((1, 3)), np.zeros((1, 1)), nn.MSELoss())
    assert answer_to(trace, "m weight").splitlines()[-1] == "    ##  --"


def test_looking_around(mlp: Trace) -> None:
    listed = answer_to(mlp, "j 6", "list").splitlines()
    assert [row[0] for row in listed] == [" "] * 5 + [">"] + [" "] * 6
    assert [row[7:] for row in listed] == [step.title for step in mlp.steps]
    assert "backward through 1 (Sigmoid)" in answer_to(mlp, "s sigmoid")
    assert "2.weight.grad" in answer_to(mlp, "search weight.grad")
    assert "nothing here has" in answer_to(mlp, "search zebra")
    assert [row.split()[0] for row in answer_to(mlp, "names").splitlines()] == mlp.names()
    assert answer_to(mlp, "names 2.bias").splitlines()[0].split() == ["2.bias", "(2,)"]
    code = answer_to(mlp, "j 2", "source")
    assert "numnet/nn/activation/elementwise.py" in code
    assert re.search(r"\d+ >\s+a = ctx\.a = self\.kernel\(x\)", code)
    assert answer_to(mlp, "budget").splitlines()[0] == str(mlp.budget()).splitlines()[0]
    assert "backward" in answer_to(mlp, "j 1", "t")
    assert "step 1 of" in answer_to(mlp, "j 1", "t", "t")
    assert "no other pass" in answer_to(mlp, "u", "t")
    for word in ("next", "walk", "form"):
        assert word in answer_to(mlp, "help")
        assert answer_to(mlp, f"help {word}").count("\n") <= 1
    assert "step 4 of 12" in answer_to(mlp, "j CrossEntropyLoss")
    assert "step 8 of 12" in answer_to(mlp, "j 0.bias.grad")
    assert "step 11 of 12" in answer_to(mlp, "j 2.weight.after")
    assert "step 11 of 12" in answer_to(mlp, "j update 2.weight")


@pytest.mark.parametrize(
    "command, complaint",
    [
        ("xyz", "a command"),
        ("fo", "perhaps forward, form"),
        ("j 0", "layer 0 is at: jump forward 0"),
        ("j −1", "a step from 1 to 12"),
        ("j --5", "there are 0, 1, 2"),
        ("j ²", "there are 0, 1, 2"),
        ("j 13", "a step from 1 to 12"),
        ("j nowhere", "there are 0, 1, 2, CrossEntropyLoss"),
        ("j backward 9", "a stage and a layer"),
        ("j", "jump STEP"),
        ("n 3", "next alone"),
        ("p 2.wait.grad", "perhaps 2.weight.grad"),
        ("e 0.delta 9 9", "a place in 0.delta, of shape (4, 3): (0 … 3, 0 … 2)"),
        ("e 0.delta", "a place in 0.delta"),
        ("e 0.delta 0 :", "the index of one number"),
        ("p 0.delta 0 0 0", "at most 2 indices"),
        ("p 0.delta 17", "a place in 0.delta"),
        ("p x a b", "indices"),
        ("p x ::0", "indices"),
        ("p x[::-00]", "indices"),
        ("p x[1:2:1:1]", "indices"),
        ("m J", "an array, or a part of one, to draw"),
        ("w nothing 0", "the name of an array of the trace"),
        ("names zebra", "the name of an array of the trace"),
        ("into zebra", "a container"),
        ("form zebra", "form column or form row"),
        ("help zebra", "a command"),
    ],
)
def test_a_mistake_is_answered_and_the_session_goes_on(mlp: Trace, command: str, complaint: str) -> None:
    session = Session(mlp)
    session.answer("n")
    said = " ".join(" ".join(text_of(spans) for spans in session.answer(command)).split())
    assert "expected: " in said
    assert complaint in said
    assert session.here == 1
    session.answer("")  # the latest that worked
    assert session.here == 2


def test_parts_that_are_empty_and_the_minus_that_is_printed(mlp: Trace) -> None:
    for command in ("p x[0:0]", "p x[9:]"):
        assert answer_to(mlp, command).splitlines() == [f"  {command[2:]}  (0, 2)", "    empty"]
    assert answer_to(mlp, "p x[−2:, −1]") == answer_to(mlp, "p x[-2:, -1]")


def test_an_empty_line_begins_as_next_and_then_repeats(mlp: Trace) -> None:
    session = Session(mlp)
    session.start()
    session.answer("")
    session.answer("")
    assert session.here == 2
    session.answer("b")
    session.answer("  ")
    assert session.here == 0
    assert "this is the first step" in answer_to(mlp, "b")


def test_arrays_that_were_not_kept_and_odd_numbers() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU()).double()
    x, y = np.ones((2, 4)), np.zeros((2, 4))
    small = numnet.trace(net, x, y, nn.MSELoss(), keep=200)
    assert "not kept: no room" in answer_to(small, "n", "b")
    assert "an array of shape" in answer_to(small, "p 1.output")
    assert answer_to(numnet.trace(net, x * 1e9, y, nn.MSELoss()), "f").count("e+0") > 8
    broken = numnet.trace(net, x, y, nn.MSELoss())
    x[0, 0], x[1, 3] = np.nan, np.inf
    said = answer_to(broken, "f")
    assert "25% NaN or infinite" in said
    assert "    nan    1    1    1" in said
    empty = numnet.trace(net, np.ones((0, 4)), np.zeros((0, 4)), nn.MSELoss(reduction="sum"))
    assert "empty" in answer_to(empty, "f")


class Flat(nn.Module):
    """A layer; all of its outputs that have a gradient in one row."""

    def __init__(self, layer: nn.Layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Any) -> Any:
        return numnet.cat([y.reshape(-1) for y in flatten(self.layer(*inputs)) if y.dtype.kind == "f"])


def test_every_kind_of_layer_can_be_stepped_through() -> None:
    stepped = 0
    for cls, found in examples.collect().items():
        if issubclass(cls, nn.Loss):
            continue
        net = Flat(found[0].make()).double()
        x = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in found[0].inputs)
        trace = numnet.trace(net, x, np.zeros(net(*x).size), nn.MSELoss())
        session = Session(trace)
        lines = [*session.start(), *(spans for _ in trace.steps for spans in session.answer("n"))]
        assert f"{cls.__name__}(" in "".join(map(text_of, lines))
        assert [row for row in map(text_of, lines) if len(row) > 80] == []
        stepped += 1
    assert stepped > 100


def test_long_lines_are_broken_at_blanks_below_the_second_column() -> None:
    words = "formula   " + "word " * 10
    folded = [text_of(spans) for spans in fold([line(words, Span("and (1, 2, 3) 4 … 5", "quiet"))], 40)]
    assert folded[1].startswith(" " * 10 + "word")
    assert max(map(len, folded)) <= 40
    assert any("(1, 2, 3)" in row for row in folded)
    assert any("4 … 5" in row for row in folded)


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colours_where_there_are_a_terminal_and_rich(mlp: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich", reason='rich is not installed: pip install ".[demos]"')
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    lines = Session(mlp).answer("n")
    plain = "".join(f"{text_of(spans)}\n" for spans in lines)

    def shown(out: io.StringIO, **settings: bool) -> str:
        Screen(out, **settings).show(lines)
        return out.getvalue()

    coloured = shown(Tty())
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain  # one content
    assert shown(io.StringIO()) == shown(Tty(), plain=True) == plain
    monkeypatch.setenv("TERM", "dumb")
    assert shown(Tty()) == plain
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(Tty()) == plain
    monkeypatch.delenv("NO_COLOR")
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", newline="\n")  # which has no δ
    latin.isatty = lambda: True  # type: ignore[method-assign]
    Screen(latin).show(lines)
    written = latin.buffer.getvalue().decode("latin-1")  # type: ignore[attr-defined]
    assert re.sub(r"\x1b\[[\d;]*m", "", written) == plain.encode("latin-1", "replace").decode("latin-1")
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert shown(Tty()) == plain


# ---------------------------------------------------------------------- the command line


def test_a_stream_without_greek_and_lines_that_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    trace_of("mlp", 0).step(["q"])
    typed = io.TextIOWrapper(io.BytesIO(b"\xff\nn\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", typed)
    assert main(["step", "mlp"]) == 0
    printed = out.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert "got:      '?'" in printed
    assert "step 2 of 12" in printed


@pytest.mark.parametrize("columns, width", [("20", 40), ("60", 59), ("500", 140)])
def test_how_wide_a_line_may_be(columns: str, width: int, mlp: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Screen(Tty()).width == width
    assert Screen(io.StringIO()).width == 80
    assert max(len(text_of(spans)) for spans in Session(mlp, width).answer("n")) <= width


def numnet_step(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "numnet", "step", *arguments]
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, input=typed, capture_output=True, text=True, encoding="utf-8", env=settings)


def test_over_a_pipe_it_is_the_transcript(mlp: Trace, transcript: Transcript) -> None:
    commands = ["n", "", "e 0.delta 0 2", "what?", "q"]
    run = numnet_step("mlp", typed="\n".join(commands) + "\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == transcript(mlp, *commands)
    assert "\x1b" not in run.stdout
    assert numnet_step(typed="n\n").stdout.endswith("> \n")  # the input's end is as good as q


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's pipe")
def test_a_reader_that_leaves_early() -> None:
    shell = f"printf 'n\\nn\\nn\\n' | {sys.executable} -P -m numnet step mlp | head -1"
    run = subprocess.run(shell, shell=True, capture_output=True, text=True, encoding="utf-8")
    assert run.stdout.startswith("Sequential: 12 steps")
    assert run.stderr == ""


def test_the_page_lists_every_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "step.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| `")]
    for command in COMMANDS.values():
        assert any(f"`{command.word}`" in row and f"`{command.letter}`" in row for row in rows), command.word


def test_a_file_with_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text("size = 2\n")
    (tmp_path / "mine.py").write_text(
        "import numpy as np, numnet\nfrom numnet import nn\nfrom beside import size\n"
        "net = nn.Linear(size, 1)\nx, y = np.ones((1, size), 'f'), np.ones((1, 1), 'f')\n"
        "other = numnet.trace(net, x, y, nn.MSELoss())\n"
    )
    monkeypatch.setattr("builtins.input", lambda prompt="": "q")
    before = sys.argv[:], sys.path[:]
    assert main(["step", f"{tmp_path / 'mine.py'}:other"]) == 0
    assert "Linear: " in capsys.readouterr().out
    for what, complaint in [
        (str(tmp_path / "mine.py"), "mine.py:other"),
        (f"{tmp_path / 'mine.py'}:", "no trace"),
        (f"{tmp_path / 'mine.py'}:net", "net is a Linear"),
        (str(tmp_path / "no.py"), "there is no file"),
        ("alexnet", "an example, mlp, lenet"),
    ]:
        assert main(["step", what]) == 1
        assert complaint in capsys.readouterr().err
    assert (sys.argv, sys.path) == before
    with pytest.raises(SystemExit):
        main(["step", "--seed", "-1"])
    assert "at least 0" in capsys.readouterr().err


# ---------------------------------------------------------------------- a terminal


class Terminal:
    """A program on a pseudo-terminal of 100 columns."""

    def __init__(self, *command: str, **environment: str) -> None:
        import fcntl
        import struct
        import termios

        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        settings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        settings |= {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment}
        streams = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        own = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # noqa: E731  Ctrl-C comes to the program by its terminal
        self.process = subprocess.Popen(command, env=settings, start_new_session=True, preexec_fn=own, **streams)
        self.printed = b""

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """What it printed up to ``text``; that is taken away."""
        end = time.monotonic() + seconds
        while (place := self.printed.find(text.encode())) < 0:
            assert time.monotonic() < end, f"no {text!r} in {self.printed.decode(errors='replace')[-2000:]}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.printed += os.read(self.master, 65536)
        place += len(text.encode())
        found, self.printed = self.printed[:place].decode(errors="replace"), self.printed[place:]
        return found

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        """Its exit status; the terminal's settings have to be what they were."""
        import termios

        status = self.process.wait(20)
        assert termios.tcgetattr(self.slave) == self.before
        return status

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Starts a program on a terminal."""
    started: list[Terminal] = []

    def start(*command: str, **environment: str) -> Terminal:
        started.append(Terminal(*command, **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


STEP = (sys.executable, "-P", "-m", "numnet", "step", "mlp")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
def test_keys_on_a_terminal(terminal: Callable[..., Terminal]) -> None:
    pytest.importorskip("rich", reason='rich is not installed: pip install ".[demos]"')
    on = terminal(*STEP)
    start = on.wait_for("> ")
    assert "\x1b[" in start  # in colour
    assert "─" * 45 in start  # and as wide as the terminal
    on.press("n")
    assert "step 2 of 12" in re.sub(r"\x1b\[[\d;]*m", "", on.wait_for("\n> "))
    for pressed, step in [
        ("\x1b[C", 3),
        ("\x1b[D", 2),
        ("\x1b[A", 7),
        ("\x1bOB", 2),
        ("d", 5),
        ("\r", 5),
        (" ", 6),
        ("b", 5),
        ("o", 6),
        ("b", 5),
    ]:
        on.press(pressed)
        assert f"step {step} of 12" in re.sub(r"\x1b\[[\d;]*m", "", on.wait_for("\n> ")), pressed
    on.press("p")
    on.wait_for("print ")
    on.press("0.delta 0 2\r")
    assert "0.delta[0, 2] = 0.0344" in on.wait_for("\n> ")
    on.press(":")
    on.press("list\r")
    assert "update of 2.bias" in on.wait_for("\n> ")
    on.press("z")
    assert "a command" in on.wait_for("\n> ")
    on.press("q")
    assert on.ended() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_leaving_by_ctrl(terminal: Callable[..., Terminal], key: str) -> None:
    on = terminal(*STEP, NO_COLOR="1")
    assert "\x1b" not in on.wait_for("> ")
    on.press(key)
    assert on.ended() == 0
    assert b"Traceback" not in on.printed


def test_ctrl_c_takes_back_half_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    pressed = iter(["e", "n", "\x04"])
    monkeypatch.setattr(keys, "has_keys", lambda: True)
    monkeypatch.setattr(keys, "single_keys", contextlib.nullcontext)
    monkeypatch.setattr(keys, "_key", lambda: next(pressed))
    monkeypatch.setattr("builtins.input", interrupted)
    assert list(keys.commands_typed(Screen(io.StringIO()))) == ["n"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
def test_an_exception_leaves_the_terminal_as_it_was(terminal: Callable[..., Terminal]) -> None:
    code = (
        "from numnet.inspect.stepper import run, keys\n"
        "from numnet.inspect.stepper.examples import trace_of\n"
        "def broken():\n    import termios, sys\n"
        "    assert not termios.tcgetattr(sys.stdin.fileno())[3] & termios.ICANON\n    raise RuntimeError('no key')\n"
        "keys._key = broken\n"
        "trace_of('mlp', 0).step()\n"
    )
    on = terminal(sys.executable, "-P", "-c", code)
    on.wait_for("RuntimeError: no key")
    assert on.ended() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
def test_a_dumb_terminal_has_lines(terminal: Callable[..., Terminal]) -> None:
    on = terminal(*STEP, TERM="dumb")
    assert "\x1b" not in on.wait_for("\r\n> ")
    on.press("next\r")
    assert "step 2 of 12" in on.wait_for("\r\n> ")
    on.press("q\r")
    assert on.ended() == 0
