from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import Tensor, manual_seed, nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.nn.functional.run import Functional

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 4, 5, 6))
ROWS = RNG.normal(size=(5, 4))
LABELS = RNG.integers(0, 4, 5)
P = RNG.uniform(0.05, 0.95, (5, 4))
CASES: list[tuple[str, tuple[np.ndarray, ...], dict[str, Any]]] = [
    ("relu", (ROWS,), {}),
    ("sigmoid", (ROWS,), {}),
    ("tanh", (ROWS,), {}),
    ("softmax", (ROWS,), {"dim": 1}),
    ("log_softmax", (IMAGES,), {"dim": 1}),
    ("dropout", (ROWS,), {"p": 0.5, "training": False}),
    ("linear", (ROWS, RNG.normal(size=(3, 4)), RNG.normal(size=3)), {}),
    ("linear", (IMAGES, RNG.normal(size=(3, 6))), {}),
    ("conv2d", (IMAGES, RNG.normal(size=(3, 4, 3, 2)), RNG.normal(size=3)), {"stride": 2, "padding": (1, 0)}),
    ("conv2d", (IMAGES, RNG.normal(size=(6, 2, 3, 3))), {"padding": "same", "dilation": 2, "groups": 2}),
    ("max_pool2d", (IMAGES, 3), {"stride": 2, "padding": 1, "ceil_mode": True}),
    ("avg_pool2d", (IMAGES, 3), {"stride": 2, "padding": 1, "count_include_pad": False}),
    ("mse_loss", (ROWS, P), {}),
    ("mse_loss", (ROWS, P), {"reduction": "sum"}),
    ("binary_cross_entropy", (P, P[::-1].copy()), {"weight": P}),
    ("binary_cross_entropy_with_logits", (ROWS, P), {"pos_weight": P[0]}),
    ("cross_entropy", (ROWS, LABELS), {"weight": P[0], "label_smoothing": 0.1}),
    ("cross_entropy", (ROWS, P), {"reduction": "none"}),
    ("nll_loss", (-P, LABELS), {"ignore_index": 1}),
]


@pytest.mark.parametrize("name, inputs, options", CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_as_pytorch_with_a_gradient_for_every_input(
    torch: ModuleType, name: str, inputs: tuple[Any, ...], options: dict[str, Any]
) -> None:
    def leaf(make: Any, a: Any) -> Any:
        return make(a, requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a

    ours = [leaf(tensor, a) for a in inputs]
    theirs = [leaf(torch.tensor, a) for a in inputs]
    y = getattr(F, name)(*ours, **options)
    torch_options = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    right = getattr(torch.nn.functional, name)(*theirs, **torch_options)
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(y.data, right.detach(), rtol=1e-10, atol=1e-12)
    delta = np.linspace(-1, 2, y.data.size).reshape(y.shape)
    y.backward(delta)
    right.backward(torch.from_numpy(delta))
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, Tensor) and a.requires_grad:
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)
    arrays = getattr(F, name)(*inputs, **options)
    assert isinstance(arrays, np.ndarray | np.generic)
    np.testing.assert_array_equal(arrays, y.data)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2), (2, 4, 3, 2)], ids=str)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_moves_the_running_statistics_in_place(
    torch: ModuleType, training: bool, shape: tuple[int, ...], affine: bool
) -> None:
    x, (mean, var, weight, bias) = RNG.normal(size=shape), RNG.uniform(0.5, 2, (4, 4))
    leaves = [x, weight, bias] if affine else [x]
    ours = [tensor(a, requires_grad=True) for a in leaves]
    theirs = [torch.tensor(a, requires_grad=True) for a in leaves]
    statistics, right_statistics = [mean.copy(), var.copy()], [torch.tensor(mean), torch.tensor(var)]
    y = F.batch_norm(ours[0], *statistics, *ours[1:], training=training, momentum=0.3)
    right = torch.nn.functional.batch_norm(theirs[0], *right_statistics, *theirs[1:], training=training, momentum=0.3)
    np.testing.assert_allclose(y.data, right.detach(), rtol=1e-10)
    y.backward(x)
    right.backward(torch.from_numpy(x))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-12)
    for a, b in zip(statistics, right_statistics, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12)


def test_max_pool_indices() -> None:
    y, index = F.max_pool2d(IMAGES, 2, return_indices=True)
    right, right_index = nn.MaxPool2d(2, return_indices=True)(IMAGES)
    np.testing.assert_array_equal(y, right)
    np.testing.assert_array_equal(index, right_index)


def test_a_network_of_functions_trains_its_parameters() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.W = nn.Parameter(RNG.normal(size=(3, 4)))
            self.scale = nn.Parameter(np.ones((3, 4)))

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(F.linear(x, self.W * self.scale))  # a weight that is itself computed

    net = Net()
    y = net(ROWS)
    net.backward(np.ones_like(y))
    assert net.W.grad is not None
    assert net.scale.grad is not None
    np.testing.assert_allclose(net.scale.grad, net.W.grad * net.W.data)


def test_gradients_start_from_zero_in_a_second_backward() -> None:
    W = tensor(np.ones((1, 4)), requires_grad=True)
    J = F.linear(ROWS, W).sum()
    J.backward(retain_graph=True)
    first = W.grad.copy()
    J.backward()
    np.testing.assert_array_equal(W.grad, 2 * first)


def test_no_gradient_is_computed_where_nobody_asks() -> None:
    call = nn.Call(Functional(nn.Linear(4, 3), ("weight", "bias")))
    z = call.forward(ROWS, np.ones((3, 4)), np.ones(3), needs_input_grad=(False, True, False))
    delta_x, dW, db = call.backward(z)
    assert delta_x is None
    assert dW.shape == (3, 4)
    assert db is None


def test_no_random_number_is_drawn_for_given_parameters() -> None:
    manual_seed(0)
    expected = F.dropout(np.ones(20))
    manual_seed(0)
    F.linear(ROWS, np.ones((3, 4)))
    F.conv2d(IMAGES, np.ones((3, 4, 2, 2)))
    np.testing.assert_array_equal(F.dropout(np.ones(20)), expected)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ShapeError, match=r"(?s)forward of Linear.*in=4.*\(5, 3\)"):
        F.linear(np.ones((5, 3)), np.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(out, in\).*\(4,\)"):
        F.linear(ROWS, np.ones(4))
    with pytest.raises(DtypeError, match=r"(?s)forward of Linear.*float32.*float64"):
        F.linear(ROWS, np.ones((2, 4), np.float32))
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(F, C, K, K\).*\(3, 4\)"):
        F.conv2d(IMAGES, np.ones((3, 4)))
    with pytest.raises(OptionError, match=r"(?s)running_mean and running_var.*training=True"):
        F.batch_norm(ROWS, None, None)
    with pytest.raises(ShapeError, match=r"\(N, C, …\)"):
        F.batch_norm(np.ones(3), None, None, training=True)
    with pytest.raises(OptionError, match=r"dim=None"):
        F.softmax(ROWS)
