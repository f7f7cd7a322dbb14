"""The multilayer perceptron and logistic regression: parameters, names, order of layers, what they can learn."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from shared_weights import agree

import numnet
from numnet import nn, optim
from numnet.errors import DomainError, OptionError, ShapeError
from numnet.io import load, save
from numnet.models import MLP, LogisticRegression


def count(net: nn.Module) -> int:
    return sum(p.data.size for p in net.parameters())


# The networks of the tutorials that are an MLP of these sizes.
@pytest.mark.parametrize(
    "sizes, parameters",
    [
        pytest.param([784, 256, 10], 203_530, id="d2l's for Fashion-MNIST"),
        pytest.param([784, 256, 128, 64, 10], 242_762, id="Classifier"),
        pytest.param([784, 128, 64, 10], 109_386, id="Sequential"),
        pytest.param([1, 10, 10, 1], 141, id="x squared"),
        pytest.param([20, 128, 256, 4], 36_740, id="PhonePriceModel", marks=pytest.mark.proves("C231")),
        pytest.param([20, 128, 256, 512, 128, 4], 233_476, id="tuned", marks=pytest.mark.proves("C234")),
    ],
)
def test_as_many_parameters_as_the_tutorials_say(sizes: list[int], parameters: int) -> None:
    assert count(MLP(sizes)) == parameters == sum(n * m + m for n, m in itertools.pairwise(sizes))


@pytest.mark.proves("C207")
def test_depth_leaves_out_the_input() -> None:
    for net, depth in ((MLP([784, 256, 10]), 2), (MLP([5, 2]), 1), (MLP([20, 128, 256, 512, 128, 4], dropout=0.5), 5)):
        assert net.depth == depth
        assert sum(isinstance(module, nn.Linear) for module in net.modules()) == depth
    assert LogisticRegression(3).depth == 1
    assert numnet.models.VGG(16, 2, width=0.02).depth == 16


@pytest.mark.proves("C113", "C214")
def test_batch_norm_stands_between_the_affine_map_and_the_activation() -> None:
    net = MLP([784, 300, 100, 10], nn.Sigmoid, batch_norm=True, dropout=0.2)
    assert [(name, type(layer).__name__) for name, layer in net.layers.named_children()] == [
        ("flatten", "Flatten"),
        *[("fc1", "Linear"), ("bn1", "BatchNorm1d"), ("act1", "Sigmoid"), ("drop1", "Dropout")],
        *[("fc2", "Linear"), ("bn2", "BatchNorm1d"), ("act2", "Sigmoid"), ("drop2", "Dropout")],
        ("fc3", "Linear"),
    ]
    assert count(net) == 784 * 300 + 300 + 2 * 300 + 300 * 100 + 100 + 2 * 100 + 100 * 10 + 10


@pytest.mark.proves("C214")
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_mlp_against_pytorch(batch_norm: bool, torch: ModuleType) -> None:
    theirs = torch.nn.Module()
    theirs.layers = torch.nn.Sequential()
    for layer, (n, m) in enumerate(itertools.pairwise([6, 5, 4, 3]), 1):
        theirs.layers.add_module(f"fc{layer}", torch.nn.Linear(n, m))
        if layer < 3:
            if batch_norm:
                theirs.layers.add_module(f"bn{layer}", torch.nn.BatchNorm1d(m))
            theirs.layers.add_module(f"act{layer}", torch.nn.Tanh())
    theirs.forward = lambda x: theirs.layers(x.flatten(1))
    ours = MLP([6, 5, 4, 3], nn.Tanh, batch_norm=batch_norm)
    x = np.random.default_rng(0).normal(size=(7, 2, 3))
    agree(torch, ours, theirs, x, count=count(ours), floor=1e-4)


@pytest.mark.proves("C223")
def test_the_classifier_of_mnist() -> None:
    """784-256-128-64-10 on a batch of images, with log softmax behind it."""
    model = nn.Sequential(MLP([784, 256, 128, 64, 10]), nn.LogSoftmax(1))
    assert count(model) == 242_762
    log_p = model(np.random.default_rng(0).random((64, 1, 28, 28), np.float32))
    assert log_p.shape == (64, 10)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.proves("C224")
def test_the_sequential_of_mnist_as_printed_and_mended() -> None:
    """Softmax before NLLLoss, as the tutorial has it, is refused; LogSoftmax learns."""
    numnet.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 784), np.float32), rng.integers(0, 10, 64)

    def net(last: nn.Module) -> nn.Sequential:
        return nn.Sequential(
            *(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)),
            last,
        )

    printed, mended, criterion = net(nn.Softmax(1)), net(nn.LogSoftmax(1)), nn.NLLLoss()
    assert count(printed) == count(mended) == count(MLP([784, 128, 64, 10])) == 109_386
    with pytest.raises(DomainError, match="LogSoftmax"):
        criterion(printed(x), y)
    optimizer = optim.SGD(mended.parameters(), lr=0.003)
    losses = []
    for _ in range(30):
        losses.append(float(criterion(mended(x), y)))
        optimizer.zero_grad()
        mended.backward(criterion.backward())
        optimizer.step()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("sizes", [[3], [], [3, 0, 2]])
def test_sizes_that_make_no_network_are_refused(sizes: list[int]) -> None:
    with pytest.raises(OptionError, match="two or more sizes"):
        MLP(sizes)


def test_everything_is_drawn_from_rng() -> None:
    numnet.manual_seed(5)
    first, second = (MLP([4, 8, 2], dropout=0.5, rng=np.random.default_rng(1)) for _ in range(2))
    assert numnet.random.default_rng().random() == numnet.manual_seed(5).random()
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(first(x), second(x))


@pytest.mark.parametrize(
    "net", [MLP([4, 6, 2], nn.Sigmoid, True, 0.2), LogisticRegression(4, degree=3)], ids=["MLP", "LogisticRegression"]
)
def test_a_file_of_the_whole_network(net: nn.Module, tmp_path: Path) -> None:
    save(net, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_array_equal(again.eval()(x), net.eval()(x))


# ---------------------------------------------------------------------------------------------- logistic regression


@pytest.mark.proves("C211")
def test_logistic_regression_is_linear_and_sigmoid(torch: ModuleType) -> None:
    class Printed(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lr = torch.nn.Linear(3, 1)
            self.sm = torch.nn.Sigmoid()

        def forward(self, x: Any) -> Any:
            return self.sm(self.lr(x))

    agree(torch, LogisticRegression(3), Printed(), np.random.default_rng(0).normal(size=(6, 3)), count=4)


@pytest.mark.proves("C212")
def test_polynomial_features(torch: ModuleType) -> None:
    """φ are all products of up to three inputs, and ∂J/∂x is right where inputs are 0, too."""

    class Twin(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lr = torch.nn.Linear(9, 1)

        def forward(self, x: Any) -> Any:
            a, b = x[:, 0], x[:, 1]
            phi = [a, b, a * a, a * b, b * b, a * a * a, a * a * b, a * b * b, b * b * b]
            return self.lr(torch.stack(phi, 1)).sigmoid()

    x = np.random.default_rng(0).normal(size=(6, 2))
    x[1], x[2, 0] = 0, 0
    agree(torch, LogisticRegression(2, degree=3), Twin(), x, count=10)


@pytest.mark.proves("C212")
def test_a_circle_needs_squares() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (400, 2))
    y = ((x**2).sum(axis=1, keepdims=True) < 0.5).astype(np.float64)
    right = {}
    for degree in (1, 2):
        numnet.manual_seed(0)
        model, criterion = LogisticRegression(2, degree).double(), nn.BCELoss()
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        for _ in range(500):
            criterion(model(x), y)
            optimizer.zero_grad()
            model.backward(criterion.backward())
            optimizer.step()
        right[degree] = ((model(x) > 0.5) == y).mean()
    assert right[1] < 0.7
    assert right[2] > 0.97


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match="degree of at least 1"):
        LogisticRegression(2, 0)
    with pytest.raises(ShapeError, match=r"\(N, 2\)"):
        LogisticRegression(2, 2)(np.zeros((4, 3), np.float32))


# ---------------------------------------------------------------------------------------------- on digits


def idx(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


@pytest.mark.proves("C214")
def test_batch_net_learns_mnist(data_folder: Path) -> None:
    """``Batch_Net(784, 300, 100, 10)``, SGD, 10,000 images once: it reads nine of ten digits that it has not seen."""
    folder = data_folder / "mnist"
    x, x_test = (idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) for part in ("train", "t10k"))
    y, y_test = (idx(folder / f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k"))
    x, x_test = x[:10_000] / np.float32(255), x_test / np.float32(255)
    rng = numnet.manual_seed(0)
    model, criterion = MLP([28 * 28, 300, 100, 10], batch_norm=True), nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for rows in rng.permutation(10_000).reshape(-1, 50):
        criterion(model(x[rows]), y[rows].astype(np.int64))
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
    assert (model.eval()(x_test).argmax(axis=1) == y_test).mean() > 0.93
