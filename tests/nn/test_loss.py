from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn, tensor
from numnet.errors import DomainError, DtypeError, NonFiniteError, OptionError, ShapeError

RNG = np.random.default_rng(0)
LOSSES = [nn.MSELoss, nn.BCELoss, nn.BCEWithLogitsLoss]
SHAPES = [(), (1,), (4,), (5, 3), (4, 1), (2, 3, 4)]


def targets(name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.asarray(RNG.random(shape) if name != "MSELoss" else RNG.normal(size=shape)).astype(dtype)


def inputs(name: str, numbers: Callable[..., np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return 0.5 + numbers(*shape) / 8 if name == "BCELoss" else numbers(*shape)


@pytest.mark.proves("C129", "C131")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["MSELoss", "BCELoss", "BCEWithLogitsLoss"])
def test_element_by_element(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], dtype: type, name: str, shape: tuple[int, ...]
) -> None:
    x = np.asarray(inputs(name, numbers, shape), dtype)
    for reduction in ("mean", "sum", "none"):
        agree(name, (), {"reduction": reduction}, x, targets(name, shape, dtype))


@pytest.mark.parametrize("shape", [(), (3,), (1,), (5, 1), (5, 3)], ids=str)
def test_weights_broadcast(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], dtype: type, shape: tuple[int, ...]
) -> None:
    w = np.asarray(RNG.uniform(0, 2, shape)).astype(dtype)
    x, y = numbers(5, 3), targets("", (5, 3), dtype)
    agree("BCELoss", (), {"weight": w}, inputs("BCELoss", numbers, (5, 3)), y)
    agree("BCEWithLogitsLoss", (), {"weight": w, "reduction": "sum"}, x, y)
    agree("BCEWithLogitsLoss", (), {"pos_weight": w}, x, y)
    agree("BCEWithLogitsLoss", (), {"pos_weight": 2 * w, "weight": w / 2, "reduction": "none"}, x, y)


@pytest.mark.proves("C131")
def test_extremes(agree: Callable[..., None], dtype: type) -> None:
    y = np.array([0, 1, 0, 1, 1], dtype)
    loss = nn.BCELoss(reduction="none")
    J = loss(np.array([0, 1, 1, 0, 1e-30], dtype), y)
    np.testing.assert_allclose(J, [0, 0, 100, 100, -np.log(1e-30)], rtol=1e-6)  # 100 where log would be -∞
    np.testing.assert_allclose(loss.backward(np.ones_like(y)), [0, 0, 1e12, -1e12, -1e12], rtol=1e-6)
    agree("BCEWithLogitsLoss", (), {"reduction": "none"}, np.array([-800, 800, 800, -800, 0], dtype), y)


@pytest.mark.parametrize("options", [{}, {"weight": 0.5 + RNG.random(3)}, {"pos_weight": 0.5 + RNG.random(3)}], ids=str)
@pytest.mark.parametrize("name", ["MSELoss", "BCELoss", "BCEWithLogitsLoss"])
def test_the_target_may_be_learnt_too(torch: ModuleType, name: str, options: dict[str, Any]) -> None:
    if set(options) - {"MSELoss": set(), "BCELoss": {"weight"}}.get(name, {"weight", "pos_weight"}):
        return
    x, y = RNG.uniform(0.1, 0.9, (2, 4, 3))
    ours = tensor(x, requires_grad=True), tensor(y, requires_grad=True)
    theirs = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    getattr(nn, name)(**options)(*ours).backward()
    getattr(torch.nn, name)(**{k: torch.from_numpy(v) for k, v in options.items()})(*theirs).backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("make", LOSSES)
def test_backward_starts_the_recursion(make: type, dtype: type) -> None:
    loss = make()
    x, y = np.full(4, 0.25, dtype), np.ones(4, dtype)
    J = loss(x, y)
    assert J.shape == ()
    assert J.dtype == dtype
    delta = loss.backward()
    assert delta.shape == (4,)
    assert delta.dtype == dtype


@pytest.mark.proves("C129")
@pytest.mark.parametrize("make", LOSSES)
def test_nothing_broadcasts(make: type) -> None:
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}, forward.*\(5, 1\).*\(5,\).*y\.reshape\(\(5, 1\)\)"):
        make()(np.full((5, 1), 0.5), np.ones(5))
    with pytest.raises(
        DtypeError, match=rf"(?s){make.__name__}, forward.*y of float64.*int64.*y\.astype\(np\.float64\)"
    ):
        make()(np.full(5, 0.5), np.ones(5, np.int64))
    with pytest.raises(DtypeError, match=r"(?s)float32.*float64.*y\.astype\(np\.float32\)"):
        make()(np.full(5, 0.5, np.float32), np.ones(5))


@pytest.mark.parametrize("make", LOSSES)
def test_nan_is_named_where_it_stands(make: type) -> None:
    x, y = np.full((5, 3), 0.5), np.ones((5, 3))
    x[2, 1] = x[4, 0] = np.nan
    with pytest.raises(NonFiniteError, match=rf"(?s){make.__name__}, forward.*finite.*x.*nan at x\[2, 1\]"):
        make()(x, y)
    with pytest.raises(NonFiniteError, match=r"nan at y\[2, 1\]"):
        make(reduction="none")(y / 2, x)
    if make is not nn.MSELoss:
        with pytest.raises(NonFiniteError, match=r"nan at x\[2, 1\]"):
            make(weight=np.zeros(3))(x, y)


def test_an_overflow_of_the_loss_itself_is_no_fault_of_the_inputs() -> None:
    with np.errstate(over="ignore"):
        assert nn.MSELoss()(np.full(2, 1e30, np.float32), np.zeros(2, np.float32)) == np.inf


@pytest.mark.parametrize("make", LOSSES)
def test_an_empty_batch_has_no_mean(make: type) -> None:
    empty = np.ones((0, 3))
    with pytest.raises(
        ShapeError, match=rf"(?s){make.__name__}, forward.*at least one.*\(0, 3\).*leave such a batch out"
    ):
        make()(empty, empty)
    assert make(reduction="sum")(empty, empty) == 0
    assert make(reduction="none")(empty, empty).shape == (0, 3)


@pytest.mark.parametrize("wrong", [-0.25, 1.5])
def test_bce_wants_probabilities(wrong: float) -> None:
    x = np.full((2, 2), 0.5)
    x[1, 0] = wrong
    for y in (np.zeros((2, 2)), np.ones((2, 2))):
        with pytest.raises(
            DomainError, match=rf"(?s)BCELoss, forward.*0 to 1.*{wrong} at x\[1, 0\].*BCEWithLogitsLoss"
        ):
            nn.BCELoss()(x, y)


@pytest.mark.parametrize("make", [*LOSSES, nn.CrossEntropyLoss, nn.NLLLoss])
def test_wrong_options(make: type) -> None:
    with pytest.raises(OptionError, match=rf"(?s){make.__name__}.*'mean', 'sum'.* or 'none'.*'average'"):
        make(reduction="average")
    if make is not nn.MSELoss:
        with pytest.raises(DtypeError, match=rf"(?s){make.__name__} with weight as an array of floats.*list"):
            make(weight=[1.0, 2.0])
        with pytest.raises(DtypeError, match=r"array of floats.*\n.*int64"):
            make(weight=np.array([1, 2]))


def test_weights_that_do_not_fit() -> None:
    x = np.full((5, 3), 0.5)
    with pytest.raises(
        ShapeError, match=r"(?s)BCELoss, forward.*weight that broadcasts to.*\(5, 3\).*\(5,\).*\(N, 1\)"
    ):
        nn.BCELoss(np.ones(5))(x, x)
    with pytest.raises(ShapeError, match="pos_weight that broadcasts"):
        nn.BCEWithLogitsLoss(pos_weight=np.ones((1, 5, 3)))(x, x)
    with pytest.raises(DtypeError, match=r"(?s)weight of float64.*float32.*loss\.double\(\)"):
        nn.BCELoss(np.ones(3, np.float32))(x, x)
    assert nn.BCELoss(np.ones(3, np.float32)).double()(x, x) > 0


def test_weights_are_buffers() -> None:
    w = np.ones(2, np.float32)
    assert list(nn.BCEWithLogitsLoss(w, pos_weight=tensor(w)).state_dict()) == ["weight", "pos_weight"]
    assert list(nn.CrossEntropyLoss(w).parameters()) == []
