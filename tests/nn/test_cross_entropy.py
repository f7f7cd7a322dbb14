from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn, tensor
from numnet.errors import DomainError, DtypeError, LabelError, NonFiniteError, OptionError, ShapeError

RNG = np.random.default_rng(0)
LOSSES = [nn.CrossEntropyLoss, nn.NLLLoss]
SHAPES = [(4,), (1, 1), (6, 4), (3, 4, 5), (2, 4, 3, 1, 2)]
WEIGHTS = RNG.uniform(0.2, 2, 4)
REDUCTIONS = ["mean", "sum", "none"]


def labels(shape: tuple[int, ...], dtype: type = np.int64) -> np.ndarray:
    classes = shape[min(1, len(shape) - 1)]
    return np.asarray(RNG.integers(0, classes, (*shape[:1], *shape[2:]) if len(shape) > 1 else ())).astype(dtype)


def weight_of(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return WEIGHTS[: shape[min(1, len(shape) - 1)]].astype(dtype)


def log_probabilities(z: np.ndarray) -> np.ndarray:
    return z - np.log(np.exp(z).sum(min(1, z.ndim - 1), keepdims=True))


@pytest.mark.proves("C133")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"ignore_index": 1}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_labels(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    dtype: type,
    shape: tuple[int, ...],
    options: dict[str, Any],
    weighted: bool,
) -> None:
    weight = {"weight": weight_of(shape, dtype)} if weighted else {}
    for reduction in REDUCTIONS:
        y = labels(shape)
        if reduction == "mean" and (y == options.get("ignore_index")).all():
            y = np.zeros_like(y)  # the mean of nothing is refused below
        agree("CrossEntropyLoss", (), {"reduction": reduction, **options, **weight}, numbers(*shape), y)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_probabilities(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    dtype: type,
    shape: tuple[int, ...],
    smoothing: float,
    weighted: bool,
) -> None:
    weight = {"weight": weight_of(shape, dtype)} if weighted else {}
    for reduction in REDUCTIONS:
        options = {"reduction": reduction, "label_smoothing": smoothing, **weight}
        agree("CrossEntropyLoss", (), options, numbers(*shape), RNG.random(shape).astype(dtype))


@pytest.mark.proves("C134")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ignore_index", [-100, 0])
@pytest.mark.parametrize("weighted", [False, True])
def test_nll(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    dtype: type,
    shape: tuple[int, ...],
    ignore_index: int,
    weighted: bool,
) -> None:
    weight = {"weight": weight_of(shape, dtype)} if weighted else {}
    for reduction in REDUCTIONS:
        y = labels(shape)
        if reduction == "mean" and (y == ignore_index).all():
            ignore_index = -100
        options = {"reduction": reduction, "ignore_index": ignore_index, **weight}
        agree("NLLLoss", (), options, log_probabilities(numbers(*shape)), y)


def test_log_softmax_and_nll_make_cross_entropy(numbers: Callable[..., np.ndarray]) -> None:
    z, y = numbers(6, 4), labels((6, 4))
    whole, first, second = nn.CrossEntropyLoss(), nn.LogSoftmax(1), nn.NLLLoss()
    np.testing.assert_allclose(second(first(z), y), whole(z, y), rtol=1e-6)
    np.testing.assert_allclose(first.backward(second.backward()), whole.backward(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_may_be_learnt_too(torch: ModuleType, weighted: bool) -> None:
    x, y = RNG.normal(size=(3, 4, 2)), RNG.random((3, 4, 2))
    ours = tensor(x, requires_grad=True), tensor(y, requires_grad=True)
    theirs = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    nn.CrossEntropyLoss(WEIGHTS if weighted else None, label_smoothing=0.1)(*ours).backward()
    weight = torch.from_numpy(WEIGHTS) if weighted else None
    torch.nn.CrossEntropyLoss(weight, label_smoothing=0.1)(*theirs).backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_scores_of_any_size(agree: Callable[..., None], dtype: type) -> None:
    z = np.array([[800.0, -800.0, 0.0], [1e30, 0.0, 1e30], [0.0, -np.inf, 0.0]], dtype)
    agree("CrossEntropyLoss", (), {"reduction": "none"}, z, np.array([1, 2, 0]))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
@pytest.mark.parametrize("make", LOSSES)
def test_labels_of_any_integer_type(make: type, kind: type) -> None:
    x = log_probabilities(RNG.normal(size=(6, 4)))
    y = labels((6, 4))
    # the compiled kernel leaves uint64 to its twin, whose last bit is its own
    np.testing.assert_allclose(make()(x, y.astype(kind)), make()(x, y), rtol=1e-14)


@pytest.mark.parametrize("make", LOSSES)
def test_nan_in_a_row_that_is_ignored_does_not_matter(make: type) -> None:
    x, y = np.full((3, 4), np.log(0.25)), np.array([0, -100, 3])
    x[1] = np.nan
    loss = make()
    assert np.isclose(loss(x, y), np.log(4))
    assert np.isfinite(loss.backward()).all()


@pytest.mark.parametrize("make", LOSSES)
def test_nan_is_named_where_it_stands(make: type) -> None:
    x, y = np.full((3, 4), np.log(0.25)), np.array([0, 1, 3])
    x[1, 1] = np.nan
    for reduction in ("mean", "sum", "none"):
        with pytest.raises(NonFiniteError, match=rf"(?s){make.__name__}, forward.*finite.*nan at x\[1, 1\]"):
            make(reduction=reduction)(x, y)
    with pytest.raises(NonFiniteError, match=r"nan at x\[1, 1\]"):
        make(weight=np.array([1.0, 0.0, 1.0, 1.0]))(x, y)


def test_nan_in_the_probabilities() -> None:
    y = np.full((3, 4), 0.25)
    y[2, 0] = np.nan
    with pytest.raises(NonFiniteError, match=r"(?s)CrossEntropyLoss, forward.*nan at y\[2, 0\]"):
        nn.CrossEntropyLoss()(np.zeros((3, 4)), y)


@pytest.mark.parametrize(
    "y, error, message",
    [
        (np.array([0, 4, 1]), LabelError, r"0 … 3.*label 4 in row 1.*count the classes from 0"),
        (np.array([0, 1, -1]), LabelError, r"0 … 3.*label -1 in row 2"),
        (np.array([[0], [1], [2]]), ShapeError, r"\(3,\).*\(3, 4\).*\(3, 1\).*y\.reshape\(\(3,\)\)"),
        (np.array([0.0, 1.0, 2.0]), DtypeError, r"integer class labels.*float64.*y\.astype\(np\.int64\)"),
        (np.array([True, False, True]), DtypeError, r"integer class labels.*bool.*y\.astype\(np\.int64\)"),
        (np.eye(3, 4, dtype=np.int64), ShapeError, r"\(3,\).*\(3, 4\).*y\.argmax\(1\)"),
        (np.array([0, 1]), ShapeError, r"\(3,\).*\(2,\).*one label for each row"),
    ],
)
@pytest.mark.parametrize("make", LOSSES)
def test_labels_that_do_not_fit(make: type, y: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"(?s){make.__name__}, forward.*expected.*{message}"):
        make()(np.full((3, 4), -1.0), y)


@pytest.mark.parametrize("make", LOSSES)
def test_what_else_does_not_fit(make: type) -> None:
    x, y = np.full((3, 4), -1.0), np.array([0, 1, 2])
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}, forward.*weight of shape \(4,\).*\(3,\).*per class"):
        make(np.ones(3))(x, y)
    with pytest.raises(DtypeError, match=r"(?s)weight of float64.*float32.*loss\.double\(\)"):
        make(np.ones(4, np.float32))(x, y)
    with pytest.raises(DtypeError, match=r"(?s)floating.*int64.*astype"):
        make()(x.astype(np.int64), y)
    with pytest.raises(ShapeError, match=r"(?s)\(N, C\).*\(\)"):
        make()(np.zeros(()), np.zeros((), np.int64))


def test_probabilities_of_another_dtype() -> None:
    with pytest.raises(DtypeError, match=r"(?s)CrossEntropyLoss.*float32.*float64.*y\.astype\(np\.float32\)"):
        nn.CrossEntropyLoss()(np.zeros((3, 4), np.float32), np.full((3, 4), 0.25))


@pytest.mark.parametrize("make", LOSSES)
def test_a_mean_of_nothing(make: type) -> None:
    empty, none = np.zeros((0, 4)), np.zeros(0, np.int64)
    with pytest.raises(
        ShapeError, match=rf"(?s){make.__name__}, forward.*at least one.*\(0, 4\).*leave such a batch out"
    ):
        make()(empty, none)
    with pytest.raises(ShapeError, match=r"(?s)at least one.*every row ignored"):
        make()(np.full((2, 4), -1.0), np.array([-100, -100]))
    assert make(reduction="sum")(empty, none) == 0
    assert make(reduction="none")(empty, none).shape == (0,)
    loss = make(reduction="sum")
    assert loss(np.full((2, 4), -1.0), np.array([-100, -100])) == 0
    assert not loss.backward().any()


@pytest.mark.proves("C134", "F3")
def test_nll_wants_log_probabilities() -> None:
    y = np.array([0, 1, 2])
    p = np.full((3, 4), 0.25)
    with pytest.raises(
        DomainError, match=r"(?s)NLLLoss, forward.*none above 0.*0\.25 at x\[0, 0\].*probabilities.*nn\.Log"
    ):
        nn.NLLLoss()(p, y)
    z = np.full((3, 4), -1.0)
    z[1, 1] = 3.0
    with pytest.raises(DomainError, match=r"(?s)3\.0 at x\[1, 1\].*LogSoftmax.*CrossEntropyLoss"):
        nn.NLLLoss()(z, y)
    assert nn.NLLLoss()(np.log(p) * 0 + 1e-7, y) <= 0  # log 1, rounded


@pytest.mark.parametrize("smoothing", [-0.1, 1.1])
def test_wrong_options(smoothing: float) -> None:
    with pytest.raises(OptionError, match=rf"(?s)CrossEntropyLoss.*0 to 1.*label_smoothing={smoothing}"):
        nn.CrossEntropyLoss(label_smoothing=smoothing)
