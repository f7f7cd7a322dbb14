"""Explanations: operations, shared parameters, updates, layers of one's own; names, the walk to the loss, the text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from arithmetic import evaluate, scale_of, value_of_terms

import numnet
from numnet import manual_seed, models, nn, optim
from numnet.errors import OptionError
from numnet.inspect import Trace, trace
from numnet.nn import functional

RNG = np.random.default_rng(8)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def check(seen: Trace, tolerance: float = 1e-12) -> set[str]:
    """Every explanation of every element; the names that have no arithmetic though a layer or operation made them."""
    unknown = set()
    for name in seen.names():
        record = seen.array(name)
        for index in np.ndindex(record.shape):
            e = seen.explain(name, index)
            if e.expression is None:
                if "not known" in e.remark or "not written out" in e.remark:
                    unknown.add(name)
                continue
            assert (e.name, e.index) not in e.sources
            scale = max(abs(e.value), scale_of(e.terms))
            assert abs(evaluate(e.arithmetic) - e.value) <= tolerance * scale, str(e)
            assert abs(value_of_terms(e.terms) - e.value) <= tolerance * scale, str(e)
    return unknown


class Run(nn.Module):
    """A function of x and of two parameters, U like x and v of one row."""

    def __init__(self, function) -> None:
        super().__init__()
        self.U = nn.Parameter(0.5 + np.abs(numbers(2, 3)))
        self.v = nn.Parameter(0.5 + np.abs(numbers(3)))
        self.W = nn.Parameter(numbers(3, 2))
        self.function = function

    def forward(self, x):
        return self.function(x, self.U, self.v, self.W)


OPERATIONS = {
    "add": lambda x, U, v, W: x + v + U + 1.0,
    "subtract": lambda x, U, v, W: (2.0 - x) - v - U,
    "multiply": lambda x, U, v, W: x * v * U * 3.0,
    "divide": lambda x, U, v, W: x / v + 1.0 / U,
    "negative": lambda x, U, v, W: -x * -v,
    "matmul": lambda x, U, v, W: x @ W,
    "matmul of a vector": lambda x, U, v, W: x @ v,
    "matmul from a vector": lambda x, U, v, W: v @ W,
    "matmul of two vectors": lambda x, U, v, W: (v @ v) * x,
    "matmul in batches": lambda x, U, v, W: numnet.stack([x, U]) @ W,
    "sum": lambda x, U, v, W: (x * v).sum() * x,
    "sum over an axis": lambda x, U, v, W: (x * v).sum(dim=1),
    "mean": lambda x, U, v, W: (x * v).mean(dim=0, keepdim=True) * U.mean(),
    "functions": lambda x, U, v, W: U.exp() + U.log() + U.sqrt() + x.tanh() + x.sigmoid() + x.relu() + x.abs(),
    "powers": lambda x, U, v, W: U**3 + U**-0.5 + x**2,
    "moves": lambda x, U, v, W: numnet.cat([x.T, U.reshape(3, 2), W], 0)[1:, [0, 1, 1]].unsqueeze(0),
    "parts": lambda x, U, v, W: (
        numnet.split(x * v, [1, 2], 1)[1] * numnet.chunk(W, 3, 1)[0][:2] + numnet.chunk(x, 3, 1)[2]
    ),
    "where": lambda x, U, v, W: numnet.where(x > 0, x, v * 2.0),
    "residual": lambda x, U, v, W: (lambda h: (h @ W) @ W.T + h)(x * v),
    "a parameter with itself": lambda x, U, v, W: U * U + x,
    "the functional linear": lambda x, U, v, W: functional.linear(x, U, U[:, 0]),
    "functional activations": lambda x, U, v, W: functional.softmax(functional.leaky_relu(x * v, 0.2), dim=1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    x = numbers(2, 3)
    net = Run(OPERATIONS[name])
    z = net(x)
    seen = trace(net, x, np.zeros_like(z), nn.MSELoss())
    assert check(seen) == set()


class Attends(nn.Module):
    def __init__(self, **options) -> None:
        super().__init__()
        self.attention = nn.ScaledDotProductAttention(**options)

    def forward(self, q, k, v, *mask):
        return self.attention(q, k, v, *mask)[0]


HIDES_A_ROW = np.array([[True, False, True], [False, False, False], [True, True, True]])


MASKS = [(), (HIDES_A_ROW,), (np.where(HIDES_A_ROW, 0.5, -np.inf),), (numbers(3, 1),)]
CASES = [(options, mask) for options in ({}, {"dropout_p": 0.3, "scale": 0.7}) for mask in MASKS]


@pytest.mark.parametrize("options, mask", [*CASES, ({"is_causal": True}, ())])
def test_attention_behind_masks(options: dict[str, object], mask: tuple[np.ndarray, ...]) -> None:
    inputs = (numbers(2, 3, 2), numbers(2, 3, 2), numbers(2, 3, 2), *mask)
    seen = trace(Attends(**options), inputs, numbers(2, 3, 2), nn.MSELoss())
    assert check(seen) == set()


class AttendsToItself(nn.Module):
    def __init__(self, **options) -> None:
        super().__init__()
        self.heads = nn.MultiheadAttention(4, 2, **options)

    def forward(self, x):
        return self.heads(x, x, x, need_weights=False)[0]


@pytest.mark.parametrize("batch_first", [False, True])
def test_heads(batch_first: bool) -> None:
    x = numbers(3, 2, 4)
    seen = trace(AttendsToItself(batch_first=batch_first).double(), x, np.zeros_like(x), nn.MSELoss())
    assert check(seen) == set()
    assert {"SplitHeads", "MergeHeads"} <= {call.kind for call in seen.calls}


WORDS = RNG.integers(0, 11, (2, 5))
IMAGES = numbers(2, 3, 16, 16)
MODELS = {
    "ResNet": (lambda: models.ResNet(models.BasicBlock, [1, 1, 1], 4, channels=4, shortcut="A"), IMAGES, (2,)),
    "GPT": (lambda: models.GPT(11, 8, 8, 2, 2, dropout=0.1), WORDS, (2, 5)),
    "tagger": (lambda: models.Tagger(11, 4, 3, 3), WORDS, (2, 5)),
    "language model": (lambda: models.RNNLanguageModel(11, 3, cell="gru"), WORDS, (2, 5)),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_at_random_places(name: str) -> None:
    manual_seed(1)
    make, x, labels = MODELS[name]
    seen = trace(make().double(), x, RNG.integers(0, 4, labels), nn.CrossEntropyLoss())
    explained = 0
    for array in seen.names():
        record = seen.array(array)
        index = tuple(RNG.integers(0, n) for n in record.shape)
        e = seen.explain(array, index)
        assert "not known" not in e.remark, str(e)
        if e.expression is not None:
            scale = max(abs(e.value), scale_of(e.terms))
            assert abs(evaluate(e.arithmetic) - e.value) <= 1e-11 * scale, str(e)
            explained += 1
    assert explained > 25


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.out = nn.Linear(3, 3, bias=False)
        self.out.weight = self.fc.weight

    def forward(self, x):
        h = self.fc(x).tanh()
        return self.out(self.fc(h) + h)


def test_a_shared_parameter_is_the_sum_of_the_shares_of_its_uses() -> None:
    seen = trace(Shared().double(), numbers(2, 3), numbers(2, 3), nn.MSELoss())
    assert check(seen) == set()
    e = seen.explain("fc.weight.grad", (1, 2))
    assert e.sources == [("out#1.weight.grad", (1, 2)), ("fc#2.weight.grad", (1, 2)), ("fc#1.weight.grad", (1, 2))]
    assert seen.explain("out.weight.grad", (1, 2)).sources == e.sources  # another name of the same parameter
    assert "3 uses" in str(e)
    assert "2 times" in str(seen.explain("Tanh.delta", (0, 0)))
    again = trace(Shared().double(), numbers(2, 3), numbers(2, 3), nn.MSELoss())
    assert check(again) == set()


def test_a_gradient_that_was_there_is_a_term_of_its_own() -> None:
    net = nn.Linear(3, 2).double()
    trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss())
    seen = trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss())
    assert check(seen) == set()
    assert seen.explain("weight.grad", (0, 0)).sources[0] == ("weight.grad.before", (0, 0))


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD, momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "SGD, Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1),
    "Adam, AMSGrad": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates(name: str) -> None:
    net = nn.Linear(3, 2).double()
    optimizer = OPTIMIZERS[name](net.parameters())
    for _ in range(2):  # the second step has a memory
        seen = trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss(), optimizer)
        assert check(seen) == set()
    assert seen.explain("weight.after", (1, 1)).sources[0] == ("weight", (1, 1))


def test_another_optimizer_says_that_its_arithmetic_is_not_written_out() -> None:
    net = nn.Linear(3, 2).double()
    seen = trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss(), optim.Adagrad(net.parameters()))
    assert check(seen) == {"weight.after", "bias.after", "weight.sum", "bias.sum"}
    text = str(seen.explain("weight.after", (0, 1)))
    assert "Adagrad is not written out" in text
    assert f"W before = {seen.array('weight').numbers[0, 1]:.6g}" in text


class Cube(nn.Layer):
    """A layer of one's own.

    y = x³ w

    ∂J/∂w = Σ δ x³        ∂J/∂x = 3 δ x² w
    """

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.array([2.0]))

    def forward(self, ctx, x):
        ctx.x = x
        return x**3 * self.w.array

    def backward(self, ctx, delta):
        self.w.accumulate((delta * ctx.x**3).sum().reshape(1))
        return 3 * delta * ctx.x**2 * self.w.array


def test_a_layer_of_ones_own_is_shown_with_its_formula_and_operands() -> None:
    seen = trace(nn.Sequential(nn.Linear(3, 3), Cube()).double(), numbers(2, 3), numbers(2, 3), nn.MSELoss())
    assert check(seen) == {"1.output", "0.delta", "1.input_delta", "1.w.grad"}
    text = str(seen.explain("0.delta", (0, 0)))
    assert "arithmetic of Cube is not known here" in text
    assert "∂J/∂x = 3 δ x² w" in text
    assert "parameter w: float64 (1,)" in text
    assert "return 3 * delta * ctx.x**2 * self.w.array" in text
    assert seen.explain("0.delta", (0, 0)).terms == []


def test_the_recursion_of_the_textbooks_stands_in_one_line() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2)).double()
    seen = trace(net, numbers(5, 3), RNG.integers(0, 2, 5), nn.CrossEntropyLoss())
    e = seen.explain("0.delta", (1, 2))
    assert "∂J/∂x[1, 2] = (Σⱼ W[j, 2] · δ[1, j]) · a[1, 2] · (1 − a[1, 2])" in str(e)
    W, delta, a = net[2].weight.data, seen["2"].delta, seen["1"].output
    np.testing.assert_allclose(e.value, (W[:, 2] @ delta[1]) * a[1, 2] * (1 - a[1, 2]), rtol=1e-12)
    assert {name for name, _ in e.sources} == {"2.weight", "2.delta", "1.output"}
    assert [sign for sign, _ in e.terms] == [1, -1, 1, -1]  # multiplied out: Σ W δ a - Σ W δ a²


def test_the_walk_ends_at_the_loss() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    net = net.double()
    seen = trace(net, numbers(3, 1, 6, 6), np.array([0, 2, 1]), nn.CrossEntropyLoss())
    way = seen.walk("0.weight.grad", (1, 0, 2, 2))
    names = [e.name for e in way]
    assert names[:2] == ["0.weight.grad", "0.delta"]
    assert names[-1] == "CrossEntropyLoss.delta"
    for e, following in itertools.pairwise(way):
        assert (following.name, following.index) in e.sources
    forward = seen.walk("J")
    assert forward[0].name == "J"
    assert forward[-1].expression is None  # a number that was given, or a parameter
    step = optim.SGD(net.parameters(), lr=0.1)
    updated = trace(net, numbers(3, 1, 6, 6), np.array([0, 2, 1]), nn.CrossEntropyLoss(), step)
    assert [e.name for e in updated.walk("5.weight.after", (0, 1))][:3] == [
        "5.weight.after",
        "5.weight.grad",
        "5.delta",
    ]


def test_long_sums_show_their_largest_terms_and_are_complete_in_terms() -> None:
    net = nn.Linear(254, 2).double()
    x = numbers(3, 254)
    seen = trace(net, x, numbers(3, 2), nn.MSELoss())
    e = seen.explain("Linear.output", (1, 1))
    assert len(e.terms) == 255
    assert "+ 251 more terms, sum " in str(e)
    products = x[1] * net.weight.data[1]
    shown = sorted(np.abs(products))[-4:]
    for value in shown:
        i = int(np.abs(np.abs(products) - value).argmin())
        assert f"{abs(x[1, i]):.4g}" in str(e)
    assert abs(evaluate(e.arithmetic) - e.value) < 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lenet_in_both_dtypes_at_random_places(dtype: type) -> None:
    manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.BatchNorm1d(120), nn.Tanh(), nn.Dropout(0.3), nn.Linear(120, 10)),
    ).to(dtype)
    seen = trace(
        net, RNG.random((4, 1, 28, 28)).astype(dtype), np.arange(4), nn.CrossEntropyLoss(), optim.Adam(net.parameters())
    )
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    for name in seen.names():
        record = seen.array(name)
        for _ in range(3):
            index = tuple(RNG.integers(0, n) for n in record.shape)
            e = seen.explain(name, index)
            if e.expression is not None:
                scale = max(abs(e.value), scale_of(e.terms))
                assert abs(evaluate(e.arithmetic) - e.value) <= tolerance * scale, str(e)
    assert seen.explain("x.delta", (0, 0, 3, 4)).expression is not None


def test_a_recurrent_weight_is_a_sum_over_time_steps() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(2, 3)
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            output, _ = self.rnn(x)
            return self.fc(output[-1])

    net = Last().double()
    seen = trace(net, numbers(4, 2, 2), np.array([0, 1]), nn.CrossEntropyLoss())
    e = seen.explain("rnn.weight_hh_l0.grad", (7, 1))
    steps = [factors[0].index[0] for _, factors in e.terms]
    assert sorted(set(steps)) == [0, 1, 2, 3]
    per_step = [sum(f[0].value * f[1].value for _, f in e.terms if f[0].index[0] == t) for t in range(4)]
    expected = numnet.inspect.time_shares(net, seen.given["x"].numbers, np.array([0, 1]), nn.CrossEntropyLoss())
    np.testing.assert_allclose(per_step, expected[0].shares["weight_hh_l0"][:, 7, 1], rtol=1e-10, atol=1e-18)
    assert "4 time steps" in str(e)
    assert [x.name for x in seen.walk("rnn.weight_hh_l0.grad", (7, 1))][-1] == "CrossEntropyLoss.delta"


def test_names_and_places_that_are_not_there() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU()).double()
    seen = trace(net, numbers(2, 3), numbers(2, 4), nn.MSELoss())
    with pytest.raises(OptionError, match=r"0\.weight\.grad"):
        seen.explain("0.wieght.grad", (0, 0))
    with pytest.raises(OptionError, match=r"shape \(4, 3\): \(0 … 3, 0 … 2\)"):
        seen.explain("0.weight.grad", (4, 0))
    with pytest.raises(OptionError, match="one integer for each axis"):
        seen.explain("0.weight.grad", 1)
    with pytest.raises(OptionError, match="single number"):
        seen.explain("J", (0,))
    assert seen.explain("0.bias.grad", 2).index == (2,)
    assert seen.explain("0.weight.grad", (-1, -1)).index == (3, 2)
    assert seen.explain("1.input", (0, 1)).name == "0.output"
    assert seen.explain("0#1.weight.grad", (0, 1)).name == "0.weight.grad"


def test_the_text_says_where_each_operand_came_from() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).double()
    seen = trace(net, numbers(4, 3), numbers(4, 2), nn.MSELoss())
    text = str(seen.explain("0.weight.grad", (1, 2)))
    assert "∂J/∂W = δᵀ x" in text
    assert "∂J/∂W[1, 2] = Σₙ δ[n, 1] · x[n, 2]" in text
    assert "δ is 0.delta, x is x" in text
    assert "numnet/nn/linear.py:" in text
    assert "kernels.linear_backward(" in text
    assert "given to the network" in str(seen.explain("x", (0, 0)))
    assert "the recursion starts here" in str(seen.explain("MSELoss.delta"))
    assert max(map(len, text.splitlines())) <= 116
