from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import nn, tensor
from numnet.errors import DomainError, DtypeError, LabelError, NonFiniteError, OptionError, ShapeError

RNG = np.random.default_rng(0)
REDUCTIONS = ["mean", "sum", "none"]


def log_softmax(z: np.ndarray) -> np.ndarray:
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def sequences(n: int, longest: int, classes: int, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, filled up with rubbish, and lengths; the first as long as can be."""
    lengths = RNG.integers(0, longest + 1, n)
    lengths[0] = longest
    return RNG.choice([c for c in range(classes) if c != blank], (n, longest)), lengths


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize(
    "t, n, classes, longest, blank", [(5, 3, 4, 2, 0), (12, 4, 3, 5, 2), (1, 2, 3, 1, 1), (7, 1, 6, 3, 0)]
)
def test_as_pytorch_behind_a_log_softmax(
    torch: ModuleType, dtype: type, reduction: Any, padded: bool, t: int, n: int, classes: int, longest: int, blank: int
) -> None:
    z = RNG.normal(size=(t, n, classes)).astype(dtype)
    y, lengths = sequences(n, longest, classes, blank)
    times = np.minimum(2 * lengths + 1, t)
    times[0] = t
    if not padded:
        y = np.concatenate([row[:length] for row, length in zip(y, lengths, strict=True)])
    leaf = torch.tensor(z, requires_grad=True)
    right = torch.nn.CTCLoss(blank, reduction, zero_infinity=True)(
        leaf.log_softmax(-1), *(torch.from_numpy(a) for a in (y, times, lengths))
    )
    delta = np.linspace(1, 2, right.numel(), dtype=dtype).reshape(right.shape)
    right.backward(torch.from_numpy(delta))
    ours = tensor(z, requires_grad=True)
    J = nn.CTCLoss(blank, reduction, zero_infinity=True)(nn.LogSoftmax(-1)(ours), y, times, lengths)
    J.backward(delta)
    tolerance = 1e-10 if dtype is np.float64 else 1e-5
    assert J.dtype == dtype
    np.testing.assert_allclose(J.data, right.detach(), rtol=tolerance)
    np.testing.assert_allclose(ours.grad, leaf.grad, rtol=tolerance, atol=tolerance)
    x = nn.LogSoftmax(-1)(z)
    np.testing.assert_array_equal(F.ctc_loss(x, y, times, lengths, blank, reduction, True), J.data)


def test_pytorchs_gradient_is_the_one_under_a_log_softmax(torch: ModuleType) -> None:
    """What the docstring says of the two: PyTorch's is eˣ more at each step that counts."""
    x = log_softmax(RNG.normal(size=(5, 2, 4)))
    y, times, lengths = np.array([[1, 2], [3, 0]]), np.array([5, 4]), np.array([2, 1])
    leaf = torch.tensor(x, requires_grad=True)
    torch.nn.CTCLoss(reduction="sum")(leaf, *(torch.from_numpy(a) for a in (y, times, lengths))).backward()
    loss = nn.CTCLoss(reduction="sum")
    loss(x, y, times, lengths)
    counts = np.arange(5)[:, None, None] < times[:, None]
    ours = loss.backward()
    ours = ours[0] if isinstance(ours, tuple) else ours
    np.testing.assert_allclose(ours + np.exp(x) * counts, leaf.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_one_sequence_without_a_batch(torch: ModuleType, reduction: Any) -> None:
    x, y = log_softmax(RNG.normal(size=(6, 4))), np.array([2, 2, 1])
    for lengths in [(np.array(6), np.array(3)), (np.array([5]), np.array([3]))]:
        right = torch.nn.CTCLoss(reduction=reduction)(*(torch.from_numpy(a) for a in (x, y, *lengths)))
        J = nn.CTCLoss(reduction=reduction)(x, y, *lengths)
        assert J.shape == right.shape
        np.testing.assert_allclose(J, right, rtol=1e-10)


def test_the_sum_over_all_ways() -> None:
    """p is the sum, over every sequence of T classes that reads as y, of the product of their probabilities."""
    x, y = log_softmax(RNG.normal(size=(5, 3))), [1, 1, 2]

    def reads(way: tuple[int, ...]) -> list[int]:
        return [c for c, _ in itertools.groupby(way) if c != 0]

    ways = [way for way in itertools.product(range(3), repeat=5) if reads(way) == y]
    p = sum(float(np.exp(x[np.arange(5), list(way)].sum())) for way in ways)
    assert len(ways) == 7
    J = nn.CTCLoss(reduction="sum")(x, np.array(y), np.array(5), np.array(3))
    np.testing.assert_allclose(J, -np.log(p), rtol=1e-12)


def test_too_short_for_its_labels() -> None:
    x, y = log_softmax(RNG.normal(size=(3, 2, 3))), np.array([[1, 1], [1, 2]])
    times, lengths = np.array([2, 3]), np.array([2, 2])  # 1, 1 needs a blank between
    loss = nn.CTCLoss(reduction="none")
    J = loss(x, y, times, lengths)
    assert J[0] == np.inf
    assert np.isfinite(J[1])
    with pytest.raises(DomainError, match=r"(?s)CTCLoss, backward.*spread.*\[0\].*zero_infinity=True"):
        loss.backward(np.ones(2))
    zeroed = nn.CTCLoss(reduction="none", zero_infinity=True)
    np.testing.assert_array_equal(zeroed(x, y, times, lengths), [0, J[1]])
    assert not zeroed.backward(np.ones(2))[:, 0].any()
    assert nn.CTCLoss()(x, y, times, lengths) == np.inf


def test_minus_infinity_is_a_log_probability() -> None:
    x = np.full((2, 1, 3), -np.inf)
    x[:, 0, 1] = 0.0
    loss = nn.CTCLoss()
    assert loss(x, np.array([[1]]), np.array([2]), np.array([1])) == 0
    np.testing.assert_array_equal(loss.backward()[:, 0], [[0, -1, 0], [0, -1, 0]])


def test_what_it_refuses() -> None:
    x, y, times, lengths = (
        log_softmax(RNG.normal(size=(5, 2, 4))),
        np.array([[1, 2], [3, 1]]),
        *np.array([[5, 4], [2, 1]]),
    )
    loss = nn.CTCLoss()

    def refused(error: type, match: str, *inputs: Any) -> None:
        with pytest.raises(error, match=f"(?s)CTCLoss, forward.*{match}"):
            loss(*inputs)

    for wrong in (4, -1, 0):
        refused(
            LabelError,
            rf"0 … 3 other than the blank 0.*{wrong} at y\[1, 0\]",
            x,
            np.array([[1, 2], [wrong, 1]]),
            times,
            lengths,
        )
    assert loss(x, np.array([[1, 2], [3, -1]]), times, lengths) > 0  # behind the labels
    refused(DtypeError, "integer class labels", x, y / 1, times, lengths)
    refused(DtypeError, "integers in input_lengths", x, y, times / 1, lengths)
    refused(ShapeError, r"lengths 1 … 5 in input_lengths.*6 at input_lengths\[1\]", x, y, np.array([5, 6]), lengths)
    refused(ShapeError, r"lengths 0 … 2 in target_lengths", x, y, times, np.array([3, 1]))
    refused(ShapeError, r"target_lengths of shape \(2,\)", x, y, times, lengths[:1])
    refused(ShapeError, "3 labels in y, the sum", x, np.array([1, 2]), times, lengths)
    refused(ShapeError, r"\(T, N, C\) or \(T, C\).*transpose", x[None], y, times, lengths)
    refused(ShapeError, r"labels y of shape \(2, L\)", x, y[:1], times, lengths)
    refused(DtypeError, "floating", x.astype(int), y, times, lengths)
    refused(DomainError, "looks like probabilities.*nn.LogSoftmax", np.exp(x) / 10, y, times, lengths)
    x[1, 0, 2] = np.nan
    refused(NonFiniteError, r"nan at x\[1, 0, 2\]", x, y, times, lengths)
    refused(ShapeError, "at least one element", x[:, :0], y[:0], times[:0], lengths[:0])
    with pytest.raises(OptionError, match="blank ≥ 0"):
        nn.CTCLoss(-1)
    with pytest.raises(OptionError, match="'mean', 'sum' or 'none'"):
        nn.CTCLoss(reduction="batchmean")  # type: ignore[arg-type]
