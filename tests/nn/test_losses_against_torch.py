"""Every loss against PyTorch: each option, each documented shape, J and ∂J/∂input for every input that has one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import nn, tensor

RNG = np.random.default_rng(3)
SHAPES = [(), (1,), (4,), (5, 1), (5, 3), (2, 3, 4)]
ROWS = [(4,), (1, 4), (5, 4)]
REDUCTIONS = ["mean", "sum", "none"]
FUNCTIONS = {
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "KLDivLoss": "kl_div",
    "PoissonNLLLoss": "poisson_nll_loss",
    "GaussianNLLLoss": "gaussian_nll_loss",
    "HingeEmbeddingLoss": "hinge_embedding_loss",
    "MarginRankingLoss": "margin_ranking_loss",
    "SoftMarginLoss": "soft_margin_loss",
    "MultiMarginLoss": "multi_margin_loss",
    "MultiLabelMarginLoss": "multilabel_margin_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
    "CosineEmbeddingLoss": "cosine_embedding_loss",
    "TripletMarginLoss": "triplet_margin_loss",
    "TripletMarginWithDistanceLoss": "triplet_margin_with_distance_loss",
    "PairwiseDistance": "pairwise_distance",
    "CosineSimilarity": "cosine_similarity",
}


def normal(*shape: int) -> np.ndarray:
    return np.asarray(2 * RNG.normal(size=shape))


def positive(*shape: int) -> np.ndarray:
    return np.asarray(RNG.uniform(0.1, 3, shape))


def signs(*shape: int) -> np.ndarray:
    return np.asarray(RNG.choice([-1, 1], shape))


def log_probabilities(*shape: int) -> np.ndarray:
    return np.asarray(np.log(RNG.uniform(0.05, 0.95, shape)))


def labels(classes: int, *shape: int) -> np.ndarray:
    return np.asarray(RNG.integers(0, classes, shape))


def named_classes(*shape: int) -> np.ndarray:
    """Rows of different classes, each ended by -1 somewhere, with rubbish behind it."""
    y = RNG.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1).reshape(-1, shape[-1])
    for row, end in zip(y, itertools.cycle([2, 0, shape[-1], 1]), strict=False):
        row[end : end + 1] = -1
    return y.reshape(shape)


def options(**choices: list[Any]) -> Iterator[dict[str, Any]]:
    return (dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values()))


Case = tuple[str, dict[str, Any], tuple[np.ndarray, ...]]


def cases() -> Iterator[Case]:
    """Name, options (without reduction) and inputs."""
    for shape in SHAPES:
        x, y = normal(*shape), normal(*shape)
        yield "L1Loss", {}, (x, np.where(np.arange(x.size).reshape(shape) % 3 == 0, x, y))
        for beta in (1.0, 0.5, 0.0, 3.0):
            yield "SmoothL1Loss", {"beta": beta}, (x, y)
        for delta in (1.0, 0.25, 3.0):
            yield "HuberLoss", {"delta": delta}, (x, y)
        yield "KLDivLoss", {}, (log_probabilities(*shape), RNG.random(shape) + 0.01)
        yield "KLDivLoss", {"log_target": True}, (log_probabilities(*shape), log_probabilities(*shape))
        for choice in options(log_input=[True, False], full=[True, False], eps=[1e-8, 1e-2]):
            yield "PoissonNLLLoss", choice, (positive(*shape), np.round(2 * positive(*shape)) + 0.5)
        for choice in options(full=[True, False], eps=[1e-6, 0.5]):
            yield "GaussianNLLLoss", choice, (x, y, positive(*shape))
        for margin in (1.0, 0.3):
            yield "HingeEmbeddingLoss", {"margin": margin}, (x, signs(*shape))
        for margin in (0.0, 0.7):
            yield "MarginRankingLoss", {"margin": margin}, (x, y, signs(*shape))
        yield "MarginRankingLoss", {}, (x, x.copy(), signs(*shape))
        yield "SoftMarginLoss", {}, (x, signs(*shape))
    for y_shape, v_shape in [((5, 3), (5, 1)), ((5, 3), (5,)), ((5, 3), (1, 3)), ((5, 1), (5, 3)), ((1, 3), (5,))]:
        for full in (True, False):
            yield "GaussianNLLLoss", {"full": full}, (normal(5, 3), normal(*y_shape), positive(*v_shape))
    for shape in ROWS:
        for choice in options(p=[1, 2], margin=[1.0, 0.3], weight=[None, positive(4)]):
            yield "MultiMarginLoss", choice, (normal(*shape), labels(4, *shape[:-1]))
        yield "MultiLabelMarginLoss", {}, (normal(*shape), named_classes(*shape))
        for margin in (0.0, 0.4, -0.5):
            yield "CosineEmbeddingLoss", {"margin": margin}, (normal(*shape), normal(*shape), signs(*shape[:-1]))
    for shape in [*ROWS, (2, 3, 4)]:
        for weight in (None, positive(4)):
            yield "MultiLabelSoftMarginLoss", {"weight": weight}, (normal(*shape), RNG.random(shape))
        triplet = normal(*shape), normal(*shape), normal(*shape)
        for choice in options(margin=[1.0, 4.0], p=[2.0, 1.0, 3.0, 1.5, np.inf], eps=[1e-6, 1e-2], swap=[False, True]):
            yield "TripletMarginLoss", choice, triplet
        for choice in options(margin=[1.0, 4.0], swap=[False, True]):
            yield "TripletMarginWithDistanceLoss", choice, triplet
        for choice in options(p=[2.0, 1.0, 3.0, np.inf], eps=[1e-6, 1e-2], keepdim=[False, True]):
            yield "PairwiseDistance", choice, triplet[:2]
        for choice in options(dim=[0, -1], eps=[1e-8, 4.0]):
            yield "CosineSimilarity", choice, triplet[:2]


CASES = list(cases())


def label_of(case: Any) -> str:
    if isinstance(case, str):
        return case
    if isinstance(case, dict):
        return "-".join(f"{k}={'array' if isinstance(v, np.ndarray) else v}" for k, v in case.items())
    return "x".join(map(str, case[0].shape)) or "()"


def typed(a: Any, dtype: type) -> Any:
    return np.asarray(a, dtype) if isinstance(a, np.ndarray | np.generic) and a.dtype.kind == "f" else a


def theirs_of(torch: ModuleType, a: Any) -> Any:
    return torch.from_numpy(a.copy()) if isinstance(a, np.ndarray) else a


def close(got: Any, right: Any, dtype: type) -> None:
    right = right.detach().numpy()
    tolerance = 1e-10 if dtype is np.float64 else 1e-5
    assert got.dtype == dtype
    assert got.shape == right.shape
    np.testing.assert_allclose(
        got, right, rtol=tolerance, atol=tolerance * max(1.0, float(np.abs(right).max(initial=0)))
    )


def compare(torch: ModuleType, ours: Any, theirs: Any, inputs: tuple[np.ndarray, ...], dtype: type) -> None:
    """J and every ∂J/∂input, on the tape and with arrays; no layer writes into its inputs."""
    leaves = [tensor(a, requires_grad=True) if a.dtype.kind == "f" else tensor(a) for a in inputs]
    right_leaves = [theirs_of(torch, a).requires_grad_(a.dtype.kind == "f") for a in inputs]
    J, right = ours(*leaves), theirs(*right_leaves)
    close(J.data, right, dtype)
    delta = np.linspace(-1.0, 2.0, J.data.size).reshape(J.shape).astype(dtype)
    J.backward(delta)
    right.backward(torch.from_numpy(delta))
    for a, b in zip(leaves, right_leaves, strict=True):
        if a.requires_grad:
            close(a.grad, b.grad, dtype)
    J = ours(*inputs)
    close(J, right, dtype)
    delta_x = ours.backward(delta)
    close(delta_x[0] if isinstance(delta_x, tuple) else delta_x, right_leaves[0].grad, dtype)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name, choice, inputs", CASES, ids=label_of)
def test_as_pytorch(
    torch: ModuleType, dtype: type, name: str, choice: dict[str, Any], inputs: tuple[np.ndarray, ...]
) -> None:
    inputs = tuple(typed(a, dtype) for a in inputs)
    choice = {k: typed(v, dtype) for k, v in choice.items()}
    theirs_choice = {k: theirs_of(torch, v) for k, v in choice.items()}
    reductions = list(REDUCTIONS) if name.endswith("Loss") else [None]
    reductions += ["batchmean"] if name == "KLDivLoss" and inputs[0].ndim else []
    for reduction in reductions:
        extra = {"reduction": reduction} if reduction else {}
        ours, theirs = getattr(nn, name)(**choice, **extra), getattr(torch.nn, name)(**theirs_choice, **extra)
        if isinstance(ours, nn.Loss):
            assert repr(ours) == repr(theirs)
            assert list(ours.state_dict()) == list(theirs.state_dict())
        compare(torch, ours, theirs, inputs, dtype)
        np.testing.assert_array_equal(getattr(F, FUNCTIONS[name])(*inputs, **choice, **extra), ours(*inputs))


def test_signs_may_be_floats_too(dtype: type) -> None:
    for make, n in [(nn.SoftMarginLoss, 1), (nn.HingeEmbeddingLoss, 1), (nn.MarginRankingLoss, 2)]:
        x, y = [normal(6).astype(dtype) for _ in range(n)], signs(6)
        assert make()(*x, y) == make()(*x, y.astype(dtype)) == make()(*x, y.astype(np.int8))


def test_own_distance(torch: ModuleType) -> None:
    inputs = normal(5, 4), normal(5, 4), normal(5, 4)
    for swap in (False, True):
        ours = nn.TripletMarginWithDistanceLoss(distance_function=nn.CosineSimilarity(), swap=swap)
        theirs = torch.nn.TripletMarginWithDistanceLoss(distance_function=torch.nn.CosineSimilarity(), swap=swap)
        compare(torch, ours, theirs, inputs, np.float64)
        squared = nn.TripletMarginWithDistanceLoss(distance_function=lambda u, v: ((u - v) ** 2).sum(1), swap=swap)
        right = torch.nn.TripletMarginWithDistanceLoss(distance_function=lambda u, v: ((u - v) ** 2).sum(1), swap=swap)
        compare(torch, squared, right, inputs, np.float64)


def test_a_triplet_at_the_kinks(torch: ModuleType) -> None:
    """Equal rows and equal distances: the slopes that PyTorch takes there."""
    x, y = normal(4, 3), normal(4, 3)
    for choice in options(p=[2.0, 1.0, np.inf], eps=[0.0], swap=[False, True]):
        loss, right = nn.TripletMarginLoss(**choice), torch.nn.TripletMarginLoss(**choice)
        compare(torch, loss, right, (x, y, x.copy()), np.float64)
        compare(torch, loss, right, (x, x.copy(), y), np.float64)


@pytest.mark.parametrize("name", ["BCEWithLogitsLoss", "SoftMarginLoss", "MultiLabelSoftMarginLoss"])
def test_far_scores_do_not_overflow(name: str) -> None:
    y = np.array([1.0, 1.0, -1.0, -1.0] if name == "SoftMarginLoss" else [1.0, 1.0, 0.0, 0.0])
    loss = getattr(nn, name)(reduction="sum")
    J = loss(np.array([800.0, -800.0, 800.0, -800.0]), y)
    classes = 4 if name == "MultiLabelSoftMarginLoss" else 1
    assert J * classes == 1600
    np.testing.assert_array_equal(loss.backward() * classes, [0, -1, 1, 0])


def test_kl_div_of_impossible_classes(agree: Callable[..., None], dtype: type) -> None:
    """0 log 0 = 0."""
    y = np.array([[0, 0.25, 0.75], [1, 0, 0]], dtype)
    agree("KLDivLoss", (), {"reduction": "batchmean"}, log_probabilities(2, 3).astype(dtype), y)


@pytest.mark.proves("C128")
def test_half_the_sum_of_squares(dtype: type) -> None:
    """The numbers of the docstring."""
    x, y = np.array([1, 2, 3], dtype), np.zeros(3, dtype)
    for reduction, J, slopes in [
        ("mean", 14 / 3, [2 / 3, 4 / 3, 2]),
        ("sum", 14, [2, 4, 6]),
        ("half_sum", 7, [1, 2, 3]),
    ]:
        loss = nn.MSELoss(reduction=reduction)
        np.testing.assert_allclose(loss(x, y), J, rtol=1e-6)
        np.testing.assert_allclose(loss.backward(), slopes, rtol=1e-6)


def test_a_variance_of_one_number(torch: ModuleType, dtype: type) -> None:
    x, y = normal(5, 3).astype(dtype), normal(5, 3).astype(dtype)
    right = torch.nn.functional.gaussian_nll_loss(torch.tensor(x), torch.tensor(y), 0.7)
    close(F.gaussian_nll_loss(x, y, 0.7), right, dtype)
    close(F.gaussian_nll_loss(tensor(x), tensor(y), 0.7).data, right, dtype)
