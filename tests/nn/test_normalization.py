from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn, no_grad
from numnet.errors import DtypeError, NumnetError, OptionError, ShapeError, TrainingModeWarning

OPTIONS: list[dict[str, Any]] = [
    {},
    {"eps": 0.1, "momentum": 0.3},
    {"momentum": None},
    {"affine": False},
    {"bias": False},
    {"track_running_stats": False},
    {"affine": False, "track_running_stats": False},
]
SHAPES = [
    ("BatchNorm1d", (5, 3)),
    ("BatchNorm1d", (2, 3, 4)),
    ("BatchNorm1d", (1, 3, 4)),
    ("BatchNorm2d", (2, 3, 4, 5)),
    ("BatchNorm3d", (2, 3, 2, 4, 3)),
    ("BatchNorm3d", (1, 3, 2, 1, 2)),
]
INSTANCES = [
    ("InstanceNorm1d", (2, 3, 4)),
    ("InstanceNorm1d", (3, 4)),
    ("InstanceNorm2d", (2, 3, 4, 5)),
    ("InstanceNorm2d", (1, 3, 1, 2)),
    ("InstanceNorm2d", (3, 4, 5)),
    ("InstanceNorm3d", (2, 3, 2, 4, 3)),
    ("InstanceNorm3d", (3, 2, 1, 2)),
]


@pytest.mark.proves("C107", "C108", "C109", "C112", "C114")
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name, shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_batch_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    shape: tuple[int, ...],
    options: dict[str, Any],
    train: bool,
) -> None:
    agree(name, (3,), options, 5 + numbers(*shape), train=train)


@pytest.mark.proves("C107", "C108")
@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
def test_the_signature_of_batch_norm_is_pytorchs(torch: ModuleType, name: str) -> None:
    ours, theirs = (
        {
            p.name: p.default
            for p in inspect.signature(getattr(module, name)).parameters.values()
            if p.kind is p.POSITIONAL_OR_KEYWORD
        }
        for module in (nn, torch.nn)
    )
    printed = {"num_features": inspect.Parameter.empty, "eps": 1e-5, "momentum": 0.1, "affine": True}
    assert list(ours.items())[:4] == list(theirs.items())[:4] == list(printed.items())
    assert ours["track_running_stats"] is theirs["track_running_stats"] is True
    assert list(ours) == [key for key in theirs if key in ours]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name, shape", INSTANCES, ids=str)
@pytest.mark.parametrize("affine", [{}, {"affine": True}, {"affine": True, "bias": False}], ids=str)
@pytest.mark.parametrize(
    "tracked",
    [{}, {"track_running_stats": True}, {"track_running_stats": True, "momentum": None}, {"eps": 0.1, "momentum": 0.3}],
    ids=str,
)
def test_instance_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    shape: tuple[int, ...],
    affine: dict[str, Any],
    tracked: dict[str, Any],
    train: bool,
) -> None:
    positions = int(np.prod(shape)) // (3 * (shape[0] if len(shape) == int(name[-2]) + 2 else 1))
    agree(name, (3,), affine | tracked, 5 + numbers(*shape), train=train, terms=cancelling(positions))


def cancelling(values: int) -> float:
    """The size of the terms x/σ and δ/σ of a row: of two values y is ±1 whatever they are, and ∂J/∂x nearly 0."""
    return 700 if values <= 2 else 50


LAYER_OPTIONS: list[dict[str, Any]] = [{}, {"eps": 0.1}, {"bias": False}, {"elementwise_affine": False}]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("options", LAYER_OPTIONS, ids=str)
@pytest.mark.parametrize("normalized", [4, (4,), (3, 4), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("leading", [(2, 3), (1, 2, 3), (0, 2, 3), (5, 2, 2, 3)], ids=str)
def test_layer_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    normalized: Any,
    leading: tuple[int, ...],
    options: dict[str, Any],
    train: bool,
) -> None:
    agree("LayerNorm", (normalized,), options, 5 + numbers(*leading, 4), train=train, terms=cancelling(4))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("options", [{}, {"eps": 0.1}, {"elementwise_affine": False}], ids=str)
@pytest.mark.parametrize("normalized", [4, (4,), (3, 4), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("leading", [(2, 3), (1, 2, 3), (0, 2, 3), (5, 2, 2, 3)], ids=str)
def test_rms_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    normalized: Any,
    leading: tuple[int, ...],
    options: dict[str, Any],
    train: bool,
) -> None:
    agree("RMSNorm", (normalized,), options, numbers(*leading, 4), train=train)


GROUPS = [
    (shape, groups)
    for shape in [(4, 6), (2, 6, 5), (1, 6, 2, 3), (0, 6, 2), (2, 6, 2, 1, 3)]
    for groups in (1, 2, 3, 6)
    if not (len(shape) == 2 and groups == 6)  # groups of one value: x̂ is 0, and PyTorch's only rounding
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("options", [{}, {"eps": 0.1}, {"bias": False}, {"affine": False}], ids=str)
@pytest.mark.parametrize("shape, groups", GROUPS, ids=str)
def test_group_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    groups: int,
    shape: tuple[int, ...],
    options: dict[str, Any],
    train: bool,
) -> None:
    values = 6 // groups * int(np.prod(shape[2:]))
    agree("GroupNorm", (groups, 6), options, 5 + numbers(*shape), train=train, terms=cancelling(values))


@pytest.mark.parametrize("options", [{}, {"alpha": 0.5}, {"alpha": 0.3, "beta": 1.5, "k": 2.0}], ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 4, 3, 2), (1, 1, 2, 2), (2, 5, 1, 2, 3)], ids=str)
def test_local_response_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    size: int,
    shape: tuple[int, ...],
    options: dict[str, Any],
) -> None:
    agree("LocalResponseNorm", (size,), options, numbers(*shape))


@pytest.mark.proves("C111")
@pytest.mark.parametrize("name", ["BatchNorm1d", "InstanceNorm1d"])
def test_momentum_of_keras_weighs_the_old_value(numbers: Callable[..., np.ndarray], name: str, dtype: Any) -> None:
    ours = getattr(nn, name)(3, momentum=0.1, track_running_stats=True).to(dtype)
    keras = getattr(nn, name)(3, momentum=0.9, track_running_stats=True, momentum_convention="keras").to(dtype)
    x = 10 + numbers(2, 3, 4)
    for _ in range(2):
        ours(x)
        keras(x)
    np.testing.assert_allclose(keras.running_mean, ours.running_mean, rtol=1e-6)
    np.testing.assert_allclose(keras.running_var, ours.running_var, rtol=1e-6)
    assert repr(keras).endswith("momentum_convention=keras)")


def test_the_numbers_of_the_two_momentum_conventions_in_the_docstring() -> None:
    x = np.array([[9], [11]], np.float32)  # μ = 10
    for options in ({"momentum": 0.1}, {"momentum": 0.9, "momentum_convention": "keras"}):
        layer = nn.BatchNorm1d(1, **options)
        layer(x)
        np.testing.assert_allclose(layer.running_mean, [1], rtol=1e-6)


@pytest.mark.parametrize(
    "name, shape", [("BatchNorm1d", (0, 3)), ("BatchNorm2d", (0, 3, 2, 2)), ("BatchNorm1d", (1, 3))]
)
def test_small_batches_in_evaluation(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str, shape: tuple[int, ...]
) -> None:
    agree(name, (3,), {}, numbers(*shape), train=False)


@pytest.mark.proves("C111")
def test_running_statistics_move_in_training_alone_and_without_recording_too() -> None:
    layer = nn.BatchNorm1d(2)
    x = np.array([[1, 2], [3, 6]], np.float32)
    layer.eval()(x)
    np.testing.assert_array_equal(layer.running_mean, [0, 0])
    with no_grad(), pytest.warns(TrainingModeWarning, match=r"BatchNorm1d in training mode .* net\.eval\(\)"):
        layer.train()(x)
    np.testing.assert_allclose(layer.running_mean, [0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(layer.running_var, [0.9 + 0.2, 0.9 + 0.8], rtol=1e-6)  # unbiased variances 2 and 8
    assert layer.num_batches_tracked == 1
    assert layer.num_batches_tracked.dtype == np.int64
    assert layer.running_mean.dtype == np.float32


@pytest.mark.proves("C112")
def test_an_evaluation_call_keeps_the_statistics_that_it_used() -> None:
    layer = nn.BatchNorm1d(2).double()
    x, delta = np.random.default_rng(0).normal(size=(2, 4, 2))
    alone = nn.Call(layer.eval())
    alone.forward(x)
    expected = alone.backward(delta), layer.weight.grad
    layer.zero_grad()
    call = nn.Call(layer)
    call.forward(x)
    layer.train()(x)  # moves the running statistics before the backward of the call
    np.testing.assert_array_equal(call.backward(delta), expected[0])
    np.testing.assert_array_equal(layer.weight.grad, expected[1])


@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (1, 3, 1)], ids=str)
def test_no_variance_of_a_single_value(shape: tuple[int, ...]) -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError, match=r"(?s)BatchNorm1d, forward.*more than one value per channel.*eval\(\)"):
        layer(np.ones(shape, np.float32))
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize("name, shape", [("InstanceNorm1d", (2, 3, 1)), ("InstanceNorm2d", (3, 1, 1))])
@pytest.mark.parametrize("train", [True, False])
def test_no_variance_of_a_single_position(name: str, shape: tuple[int, ...], train: bool) -> None:
    with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*more than one value per channel.*shrunk"):
        getattr(nn, name)(3).train(train)(np.ones(shape, np.float32))


def rows(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    "attempt, error, message",
    [
        (lambda: nn.LayerNorm((3, 4))(rows(2, 4, 3)), ShapeError, r"LayerNorm, forward.*\(…, 3, 4\).*\(2, 4, 3\)"),
        (lambda: nn.LayerNorm((3, 4))(rows(4)), ShapeError, r"\(…, 3, 4\).*shape \(4,\).*normalized_shape"),
        (lambda: nn.RMSNorm(3)(rows(2, 4)), ShapeError, r"RMSNorm, forward.*\(…, 3\).*\(2, 4\)"),
        (lambda: nn.LayerNorm(np.int64(4))(rows(3)), ShapeError, r"\(…, 4\).*shape \(3,\)"),
        (lambda: nn.LayerNorm(()), OptionError, r"at least one axis"),
        (lambda: nn.GroupNorm(2, 3), OptionError, r"multiple.*num_groups=2, num_channels=3"),
        (lambda: nn.GroupNorm(2, 4)(rows(2, 3, 4)), ShapeError, r"GroupNorm, forward.*\(N, C=4, …\).*\(2, 3, 4\)"),
        (lambda: nn.GroupNorm(4, 4)(rows(1, 4)), ShapeError, r"more than one value in a group.*fewer groups"),
        (lambda: nn.LocalResponseNorm(2)(rows(2, 3)), ShapeError, r"at least three axes.*\(2, 3\)"),
        (lambda: nn.LocalResponseNorm(0), OptionError, r"at least 1.*size=0"),
        (lambda: nn.InstanceNorm2d(3)(rows(2, 3)), ShapeError, r"InstanceNorm2d takes \(C H W\) or \(N C H W\)"),
        (lambda: nn.InstanceNorm1d(3)(rows(2, 4, 3)), ShapeError, r"C=3.*\(2, 4, 3\)"),
        (lambda: nn.BatchNorm3d(3)(rows(2, 3, 4, 5)), ShapeError, r"BatchNorm3d takes \(N C D H W\)"),
        (lambda: nn.BatchNorm1d(3, momentum_convention="tf"), OptionError, r"torch.*keras.*'tf'"),
        (lambda: nn.LayerNorm(3)(np.ones((2, 3))), DtypeError, r"float32.*float64.*astype"),
    ],
)
def test_what_does_not_fit_the_norms_is_named(attempt: Any, error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=rf"(?s){message}"):
        attempt()


@pytest.mark.parametrize(
    "make, x, error, message",
    [
        (nn.BatchNorm2d, np.ones((2, 4, 3, 3), np.float32), ShapeError, r"C=3.*\(2, 4, 3, 3\).*num_features"),
        (nn.BatchNorm2d, np.ones((2, 3), np.float32), ShapeError, r"\(N, C=3, H, W\).*\(2, 3\).*BatchNorm2d takes"),
        (nn.BatchNorm1d, np.ones(3, np.float32), ShapeError, r"C=3.*\(3,\).*BatchNorm1d takes"),
        (nn.BatchNorm1d, np.ones((2, 3)), DtypeError, r"float32.*float64.*astype"),
    ],
)
def test_what_does_not_fit_is_named(make: type, x: np.ndarray, error: type[Exception], message: str) -> None:
    net = nn.Sequential({"norm": make(3)})
    with pytest.raises(error, match=rf"(?s){make.__name__} 'norm', forward.*expected.*{message}"):
        net(x)
