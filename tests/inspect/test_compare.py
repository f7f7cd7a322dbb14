"""The parity microscope: every injected difference is found where it is, and correct code is never called wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, StateDictError
from numnet.inspect import compare_with_torch

EQUAL, ORDER, DIFFERENT = "equal", "same formula in another order", "different formula"
RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 3, 8, 8)).astype(np.float32)
Y = np.array([0, 1, 2, 1])


@pytest.fixture(autouse=True)
def _seeded(torch: ModuleType) -> None:
    torch.manual_seed(0)


def build(m: Any, **changes: Any) -> Any:
    """The same network of numnet's or of PyTorch's, with some settings otherwise."""
    eps, momentum, approximate = (changes.get(k, v) for k, v in (("eps", 1e-5), ("momentum", 0.1), ("gelu", "none")))
    return m.Sequential(
        m.Conv2d(3, 6, 3, padding=changes.get("padding", 1), padding_mode=changes.get("mode", "zeros")),
        m.BatchNorm2d(6, eps=eps, momentum=momentum),
        m.GELU(approximate=approximate),
        m.AdaptiveAvgPool2d(3),
        m.Flatten(),
        m.Linear(54, 5, bias=changes.get("bias", True)),
        m.LeakyReLU(changes.get("slope", 0.01)),
        m.Linear(5, 3),
    )


def test_numbers_without_rounding_are_equal(torch: ModuleType) -> None:
    """Powers of two, and few of them."""

    def net(m: Any) -> Any:
        return m.Sequential(m.Linear(4, 3), m.ReLU(), m.Linear(3, 2))

    theirs = net(torch.nn)
    for p in theirs.parameters():
        p.data = torch.from_numpy(RNG.choice([-2.0, -1.0, 0.5, 1.0], tuple(p.shape)).astype(np.float32))
    x, y = RNG.choice([-1.0, 0.25, 2.0], (4, 4)).astype(np.float32), np.zeros((4, 2), np.float32)
    found = compare_with_torch(net(nn), theirs, x, y)
    assert found.verdict == EQUAL
    assert found.first is None
    assert {part.ulp for part in found.arrays} == {0.0}
    assert ("0", "∂J/∂weight") in {(part.path, part.what) for part in found.arrays}
    assert str(found).endswith("verdict: equal")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_network_is_never_called_another(torch: ModuleType, dtype: Any) -> None:
    ours, theirs = build(nn).to(dtype), build(torch.nn).to(torch.from_numpy(np.zeros(1, dtype)).dtype)
    found = compare_with_torch(ours, theirs, X.astype(dtype), Y)
    assert found.verdict == ORDER
    assert found.why == ""
    assert max(part.ulp for part in found.arrays) < 100
    assert found["0", "output"].ulp <= 4  # close by at first, growing slowly
    assert found.only_numnet == found.only_torch == ()


@pytest.mark.parametrize(
    "changes, path, what, why",
    [
        ({"eps": 1e-3}, "1", "output", "eps=0.001 in PyTorch, eps=1e-05 here"),
        ({"momentum": 0.9}, "1", "running_mean", "momentum=0.9 in PyTorch, momentum=0.1 here"),
        ({"gelu": "tanh"}, "2", "output", "approximate='tanh' in PyTorch"),
        ({"mode": "reflect"}, "0", "output", "padding_mode='reflect' in PyTorch"),
        ({"padding": 0}, "0", "output", r"padding=(\(0, 0\)|0) in PyTorch"),
        ({"bias": False}, "5", "output", "bias=False in PyTorch"),
        ({"slope": 0.2}, "6", "output", "negative_slope=0.2 in PyTorch"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_injected_difference_is_found_where_it_is(
    torch: ModuleType, changes: dict[str, Any], path: str, what: str, why: str
) -> None:
    found = compare_with_torch(build(nn), build(torch.nn, **changes), X, Y)
    assert found.verdict == DIFFERENT
    assert found.first is not None
    assert (found.first.path, found.first.what) == (path, what)
    assert re.search(why, found.why), found.why
    assert "numnet gives its numbers" in found.why
    again = compare_with_torch(build(nn, **changes), build(torch.nn, **changes), X, Y)
    assert again.verdict == ORDER  # it was that, and nothing else
    assert type(found.dialect).__name__ == found.kinds[path]


def test_a_transposed_weight_in_the_formula(torch: ModuleType) -> None:
    class Transposed(torch.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(4, 4))
            self.bias = torch.nn.Parameter(torch.randn(4))

        def forward(self, x: Any) -> Any:
            return x @ self.weight + self.bias

    ours = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), Transposed())
    found = compare_with_torch(ours, theirs, X.reshape(-1, 4))
    assert (found.verdict, found.first and found.first.path) == (DIFFERENT, "2")
    assert found.why == "with weight transposed, numnet gives PyTorch's numbers"


def test_a_transposed_weight_in_the_network(torch: ModuleType) -> None:
    ours, theirs = nn.Linear(4, 4), torch.nn.Linear(4, 4)
    theirs.weight.data = torch.from_numpy(ours.weight.array.T.copy())
    assert ours.bias is not None
    theirs.bias.data = torch.from_numpy(ours.bias.array.copy())
    found = compare_with_torch(ours, theirs, X.reshape(-1, 4), weights="own")
    assert found.verdict == DIFFERENT
    assert found.first is not None
    assert found.first.what == "weight"
    assert found.why == "PyTorch's weight is the transpose of numnet's"
    assert compare_with_torch(ours, theirs, X.reshape(-1, 4)).verdict != DIFFERENT  # with PyTorch's in both
    theirs.weight.data *= 2
    assert "weights='torch'" in compare_with_torch(ours, theirs, X.reshape(-1, 4), weights="own").why


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_reduction_of_the_loss(torch: ModuleType, reduction: str) -> None:
    loss = nn.CrossEntropyLoss(reduction="sum" if reduction == "mean" else "mean")
    theirs = torch.nn.CrossEntropyLoss(reduction=reduction)
    found = compare_with_torch(build(nn), build(torch.nn), X, Y, loss, torch_loss=theirs)
    assert found.verdict == DIFFERENT
    assert found.first is not None
    assert (found.first.path, found.first.what) == ("CrossEntropyLoss", "J")
    assert found.why.startswith(f"with reduction={reduction!r}")


def test_half_the_squared_error_is_a_dialect(torch: ModuleType) -> None:
    x, y = X.reshape(-1, 4), np.ones((len(X.reshape(-1, 4)), 2), np.float32)
    ours, theirs = nn.Linear(4, 2), torch.nn.Linear(4, 2)

    def half(z: Any, y: Any) -> Any:
        return ((z - y) ** 2).sum() / 2

    found = compare_with_torch(ours, theirs, x, y, nn.MSELoss(), torch_loss=half)
    assert found.why == "with reduction='half_sum' in the place of 'mean', numnet gives PyTorch's numbers"
    own_dialect = nn.MSELoss(reduction="half_sum")
    assert compare_with_torch(ours, theirs, x, y, own_dialect, torch_loss=half).verdict != DIFFERENT


def test_a_wrong_backward_alone_is_found(torch: ModuleType) -> None:
    class Wrong(nn.Layer):
        """The identity, whose backward is not."""

        def forward(self, ctx: Any, x: Any) -> Any:
            return x * 1

        def backward(self, ctx: Any, delta: Any) -> Any:  # type: ignore[override]
            return delta * 2

    ours = nn.Sequential(nn.Linear(4, 4), Wrong(), nn.Linear(4, 2))
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Identity(), torch.nn.Linear(4, 2))
    found = compare_with_torch(ours, theirs, X.reshape(-1, 4))
    assert found.verdict == DIFFERENT
    assert found.first is not None
    assert (found.first.path, found.first.what) == ("1", "∂J/∂input")
    assert found.why == ""
    assert "no setting that was tried explains it" in str(found)
    assert found["2", "∂J/∂weight"].verdict != DIFFERENT


def test_momentum_the_other_way_round(torch: ModuleType) -> None:
    """PyTorch's module says 0.1 and means what others write as 0.9."""

    class Keeping(torch.nn.BatchNorm1d):  # type: ignore[name-defined]
        def forward(self, x: Any) -> Any:
            self.num_batches_tracked += 1
            means = self.running_mean, self.running_var
            return torch.nn.functional.batch_norm(x, *means, self.weight, self.bias, True, 1 - self.momentum, self.eps)

    ours = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    found = compare_with_torch(ours, torch.nn.Sequential(torch.nn.Linear(4, 3), Keeping(3)), X.reshape(-1, 4))
    assert found.first is not None
    assert (found.first.path, found.first.what) == ("1", "running_mean")
    assert found.why == "with momentum=0.9 in the place of 0.1, numnet gives PyTorch's numbers"


def test_numbers_that_are_none(torch: ModuleType) -> None:
    class Root(torch.nn.Module):  # type: ignore[name-defined]
        def forward(self, x: Any) -> Any:
            return torch.sqrt(x)

    ours = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    found = compare_with_torch(ours, torch.nn.Sequential(torch.nn.Linear(4, 4), Root()), X.reshape(-1, 4))
    assert (found.verdict, found.first and found.first.path) == (DIFFERENT, "1")
    assert "1 Tanh" in str(found)


def test_one_mode_here_and_the_other_there(torch: ModuleType) -> None:
    found = compare_with_torch(build(nn), build(torch.nn).eval(), X, Y)
    assert found.why == "with BatchNorm2d in evaluation mode, numnet gives PyTorch's numbers"


def same(name: str, *args: Any, **options: Any) -> Callable[[Any], Any]:
    return lambda m: getattr(m, name)(*args, **options)


@pytest.mark.parametrize(
    "make, x",
    [
        (same("LSTM", 3, 4, num_layers=2, bidirectional=True), (6, 2, 3)),
        (same("GRU", 3, 4, batch_first=True), (2, 6, 3)),
        (same("TransformerEncoderLayer", 8, 2, 16, dropout=0.0), (5, 2, 8)),
        (lambda m: m.Sequential(m.Linear(4, 4), m.ReLU(), m.Identity(), m.Softmax(-1)), (5, 4)),
        (lambda m: m.Sequential(m.Linear(4, 3), m.BatchNorm1d(3), m.ReLU()), (7, 4)),
        (lambda m: m.Sequential(m.Conv2d(2, 4, 3), m.BatchNorm2d(4), m.MaxPool2d(2)), (2, 2, 8, 8)),
        (lambda m: m.Sequential(m.LayerNorm(4), m.Linear(4, 4), m.LogSoftmax(-1)), (2, 5, 4)),
    ],
)
def test_modules_of_many_kinds_are_the_same_formula(torch: ModuleType, make: Callable[[Any], Any], x: Any) -> None:
    found = compare_with_torch(make(nn), make(torch.nn), RNG.standard_normal(x).astype(np.float32))
    assert found.verdict in (EQUAL, ORDER), str(found)
    assert len(found.arrays) > 3


def test_layers_of_pytorch_that_write_into_their_input(torch: ModuleType) -> None:
    ours = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU())
    theirs = [torch.nn.Linear(4, 4), torch.nn.ReLU(inplace=True), torch.nn.Linear(4, 4), torch.nn.ReLU(inplace=True)]
    found = compare_with_torch(ours, torch.nn.Sequential(*theirs), X.reshape(-1, 4))
    assert found.verdict in (EQUAL, ORDER), str(found)
    assert ("0", "δ") in {(part.path, part.what) for part in found.arrays}


def test_residual_shared_and_with_an_embedding(torch: ModuleType) -> None:
    def make(m: Any) -> Any:
        class Net(m.Module):
            def __init__(self) -> None:
                super().__init__()
                self.embedding = m.Embedding(7, 4)
                self.same = m.Identity()
                self.fc = m.Linear(4, 4)

            def forward(self, tokens: Any) -> Any:
                x = self.embedding(tokens)
                return self.fc(self.fc(x)) + self.same(x) * x

        return Net()

    found = compare_with_torch(make(nn), make(torch.nn), RNG.integers(0, 7, (3, 5)))
    assert found.verdict in (EQUAL, ORDER), str(found)
    assert {"fc", "fc#2", "same"} <= set(found.kinds)
    assert found["same", "∂J/∂input"].verdict in (EQUAL, ORDER)


def test_a_function_between_two_modules(torch: ModuleType) -> None:
    """PyTorch's layer calls its activation as a function: there is no module to blame, but the one that holds it."""
    ours = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu")
    found = compare_with_torch(nn.Sequential(ours), torch.nn.Sequential(theirs), X.reshape(-1, 2, 8))
    assert found.first is not None
    assert (found.first.path, found.first.what) == ("0.dropout", "input")
    assert found.why == "with activation='gelu' in the place of 'relu', numnet gives PyTorch's numbers"


def test_neither_network_changes(torch: ModuleType) -> None:
    ours, theirs = build(nn), build(torch.nn)
    before = ours.state_dict(), {k: t.clone() for k, t in theirs.state_dict().items()}
    seed = torch.get_rng_state()
    compare_with_torch(ours, theirs, X, Y)
    compare_with_torch(ours, theirs, X, Y, weights="numnet")
    for name, a in ours.state_dict().items():
        np.testing.assert_array_equal(a, before[0][name])
    assert all(torch.equal(t, before[1][name]) for name, t in theirs.state_dict().items())
    assert all(p.grad is None for p in (*ours.parameters(), *theirs.parameters()))
    assert torch.equal(seed, torch.get_rng_state())
    assert not any(module._forward_hooks for module in theirs.modules())


def test_the_text(torch: ModuleType) -> None:
    text = str(compare_with_torch(build(nn), build(torch.nn, eps=1e-3), X, Y))
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"^≠  1 BatchNorm2d +\d+", text, re.MULTILINE)
    assert re.search(r"^first at 1, output\[0, 0, 0, 0\]: -?[\d.]+ here, -?[\d.]+ in PyTorch,", text, re.MULTILINE)


def test_what_it_refuses(torch: ModuleType) -> None:
    with_dropout: list[Any] = [m.Sequential(m.Linear(4, 4), m.Dropout(0.5)) for m in (nn, torch.nn)]
    x = X.reshape(-1, 4)
    with pytest.raises(OptionError, match=r"(?s)draw.*eval"):
        compare_with_torch(with_dropout[0], with_dropout[1], x)
    assert compare_with_torch(with_dropout[0].eval(), with_dropout[1].eval(), x).verdict != DIFFERENT
    with pytest.raises(StateDictError, match="names"):
        compare_with_torch(nn.Linear(4, 2), torch.nn.Sequential(torch.nn.Linear(4, 2)), x)
    with pytest.raises(DtypeError, match="array"):
        compare_with_torch(nn.Linear(4, 2), torch.nn.Linear(4, 2), x.tolist())
    with pytest.raises(OptionError, match=r"reduction='half_sum'"):
        compare_with_torch(nn.Linear(4, 2), torch.nn.Linear(4, 2), x, x[:, :2], nn.MSELoss(reduction="half_sum"))
    with pytest.raises(OptionError, match="weights="):
        compare_with_torch(nn.Linear(4, 2), torch.nn.Linear(4, 2), x, weights="both")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="in=3"):
        compare_with_torch(nn.Linear(3, 2), torch.nn.Linear(3, 2), x)
