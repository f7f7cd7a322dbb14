"""What the losses refuse, and the cure that they name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DomainError, DtypeError, LabelError, NonFiniteError, OptionError, ShapeError

X = np.linspace(-1.0, -0.1, 6).reshape(3, 2)
SIGNS = np.array([[1, -1], [-1, 1], [1, 1]])
GOOD: dict[str, tuple[np.ndarray, ...]] = {
    "L1Loss": (X, X / 2),
    "SmoothL1Loss": (X, X / 2),
    "HuberLoss": (X, X / 2),
    "KLDivLoss": (X, -X),
    "PoissonNLLLoss": (X, -X),
    "GaussianNLLLoss": (X, X / 2, -X),
    "HingeEmbeddingLoss": (X, SIGNS),
    "MarginRankingLoss": (X, X / 2, SIGNS),
    "SoftMarginLoss": (X, SIGNS),
    "MultiMarginLoss": (X, np.array([0, 1, 1])),
    "MultiLabelMarginLoss": (X, np.array([[0, -1], [1, -1], [-1, 0]])),
    "MultiLabelSoftMarginLoss": (X, -X),
    "CosineEmbeddingLoss": (X, X / 2, SIGNS[:, 0]),
    "TripletMarginLoss": (X, X / 2, X / 3),
}
every_loss = pytest.mark.parametrize("name", GOOD)
FLOATS = [(name, i) for name, inputs in GOOD.items() for i, a in enumerate(inputs) if a.dtype.kind == "f"]


def make(name: str, **options: Any) -> nn.Loss:
    loss: nn.Loss = getattr(nn, name)(**options)
    return loss


@pytest.mark.parametrize("name, position", FLOATS)
def test_nan_is_named_where_it_stands(name: str, position: int) -> None:
    inputs = [a.copy() for a in GOOD[name]]
    inputs[position][2, 1] = np.nan
    for reduction in ("mean", "sum", "none"):
        with pytest.raises(NonFiniteError, match=rf"(?s){name}, forward.*nan at \w+\[2, 1\]"):
            make(name, reduction=reduction)(*inputs)


@every_loss
def test_an_empty_batch_has_no_mean(name: str) -> None:
    empty = tuple(a[:0] for a in GOOD[name])
    with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*at least one.*leave such a batch out"):
        make(name)(*empty)
    assert make(name, reduction="sum")(*empty) == 0
    assert make(name, reduction="none")(*empty).size == 0


@every_loss
def test_nothing_broadcasts_silently(name: str) -> None:
    x, *others = GOOD[name]
    with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*expected.*got.*cure"):
        make(name)(x, *[a[:2] for a in others])
    column = [np.abs(a.reshape(-1, 1)) if a.dtype.kind == "f" else np.abs(a.reshape(-1)[:6, None]) for a in GOOD[name]]
    if name not in ("MultiMarginLoss", "CosineEmbeddingLoss"):
        with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*\(6, 1\).*\.reshape\(\(6, 1\)\)"):
            make(name)(-column[0], *[a[:, 0] for a in column[1:]])


def test_labels_as_a_column() -> None:
    with pytest.raises(ShapeError, match=r"(?s)MultiMarginLoss, forward.*y of shape \(3,\).*y\.reshape\(\(3,\)\)"):
        nn.MultiMarginLoss()(X, np.array([[0], [1], [1]]))
    with pytest.raises(ShapeError, match=r"(?s)CosineEmbeddingLoss, forward.*\(3, 1\).*y\.reshape\(\(3,\)\)"):
        nn.CosineEmbeddingLoss()(X, X, SIGNS[:, :1])


@every_loss
def test_dtypes_do_not_mix(name: str) -> None:
    x, *others = GOOD[name]
    with pytest.raises(DtypeError, match=rf"(?s){name}, forward.*astype\(np\.float"):
        make(name)(x.astype(np.int64), *others)
    if others[-1].dtype.kind == "f":
        with pytest.raises(DtypeError, match=rf"(?s){name}, forward.*float64.*float32.*astype\(np\.float64\)"):
            make(name)(x, *others[:-1], others[-1].astype(np.float32))
    else:
        with pytest.raises(DtypeError, match=rf"(?s){name}, forward.*float32"):
            make(name)(x, *others[:-1], others[-1].astype(np.float32))


@every_loss
def test_no_such_reduction(name: str) -> None:
    with pytest.raises(OptionError, match=rf"(?s){name} with reduction 'mean'.*'average'"):
        make(name, reduction="average")


@pytest.mark.parametrize("name", ["HingeEmbeddingLoss", "MarginRankingLoss", "SoftMarginLoss", "CosineEmbeddingLoss"])
def test_signs_are_1_and_minus_1(name: str) -> None:
    *xs, y = GOOD[name]
    with pytest.raises(DomainError, match=rf"(?s){name}, forward.*1 or -1 in y.*0 at y.*2 \* y - 1 makes"):
        make(name)(*xs, (y + 1) // 2)
    with pytest.raises(DomainError, match=r"3 at y"):
        make(name)(*xs, y * 3)
    wrong = y.astype(float)
    wrong.flat[-1] = np.nan
    with pytest.raises(NonFiniteError, match="nan at y"):
        make(name)(*xs, wrong)


@pytest.mark.parametrize("wrong", [-1, 2])
def test_labels_outside_the_classes(wrong: int) -> None:
    with pytest.raises(LabelError, match=rf"(?s)MultiMarginLoss, forward.*0 … 1.*{wrong} at y\[1\].*count the classes"):
        nn.MultiMarginLoss()(X, np.array([0, wrong, 1]))
    with pytest.raises(LabelError, match=r"(?s)MultiLabelMarginLoss, forward.*0 … 1, or -1.*2 at y\[1, 0\]"):
        nn.MultiLabelMarginLoss()(X, np.array([[0, -1], [2, -1], [-1, 7]]))  # behind a -1 nothing counts


def test_numbers_outside_of_the_formula() -> None:
    with pytest.raises(DomainError, match=r"(?s)KLDivLoss, forward.*none below 0.*-0\.1 at y\[2, 1\].*log_target=True"):
        nn.KLDivLoss()(X, np.where(X > -0.2, X, -X))
    with pytest.raises(DomainError, match=r"(?s)KLDivLoss, forward.*x looks like probabilities.*nn\.LogSoftmax"):
        nn.KLDivLoss()(-X, -X)
    with pytest.raises(DomainError, match=r"(?s)PoissonNLLLoss, forward.*rates.*at x\[0, 0\].*nn\.Softplus"):
        nn.PoissonNLLLoss(log_input=False)(X, -X)
    with pytest.raises(DomainError, match=r"(?s)GaussianNLLLoss, forward.*variances.*at var\[0, 0\].*nn\.Softplus"):
        nn.GaussianNLLLoss()(X, X, X)


@pytest.mark.parametrize(
    "name, option",
    [
        ("SmoothL1Loss", {"beta": -1.0}),
        ("HuberLoss", {"delta": 0.0}),
        ("GaussianNLLLoss", {"eps": 0.0}),
        ("MultiMarginLoss", {"p": 3}),
        ("TripletMarginLoss", {"margin": 0.0}),
        ("TripletMarginLoss", {"p": 0.0}),
        ("TripletMarginWithDistanceLoss", {"margin": -1.0}),
        ("PairwiseDistance", {"p": -2.0}),
    ],
)
def test_options_outside_of_the_formula(name: str, option: dict[str, float]) -> None:
    (key, value), *_ = option.items()
    with pytest.raises(OptionError, match=rf"(?s){name} with {key}.*{key}={value!r}.*cure"):
        getattr(nn, name)(**option)


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"(?s)MultiMarginLoss, forward.*weight of shape \(2,\).*\(3,\)"):
        nn.MultiMarginLoss(weight=np.ones(3))(*GOOD["MultiMarginLoss"])
    with pytest.raises(DtypeError, match=r"(?s)MultiMarginLoss, forward.*weight of float64.*loss\.double\(\)"):
        nn.MultiMarginLoss(weight=np.ones(2, np.float32))(*GOOD["MultiMarginLoss"])
    with pytest.raises(ShapeError, match=r"(?s)MultiLabelSoftMarginLoss, forward.*weight that broadcasts"):
        nn.MultiLabelSoftMarginLoss(np.ones(3))(*GOOD["MultiLabelSoftMarginLoss"])
    with pytest.raises(ShapeError, match=r"(?s)MultiLabelSoftMarginLoss, forward.*\(N, C\)"):
        nn.MultiLabelSoftMarginLoss()(np.array(1.0), np.array(1.0))
