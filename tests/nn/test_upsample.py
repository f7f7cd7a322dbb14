from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, ShapeError

MODES: dict[str, list[tuple[int, ...]]] = {
    "nearest": [(2, 3, 5), (2, 2, 4, 3), (1, 2, 2, 3, 2)],
    "nearest-exact": [(2, 3, 5), (2, 2, 4, 3), (1, 2, 2, 3, 2)],
    "linear": [(2, 3, 5), (1, 1, 1)],
    "bilinear": [(2, 1, 4, 3), (1, 2, 1, 5)],
    "bicubic": [(2, 1, 4, 3), (1, 2, 1, 5)],
    "trilinear": [(1, 2, 2, 3, 2)],
}
EVERY = [pytest.param(mode, shape, id=f"{mode}-{shape}") for mode, shapes in MODES.items() for shape in shapes]
SIZES: list[dict[str, Any]] = [
    {"size": 1},
    {"size": 3},
    {"size": 7},
    {"size": (2, 5, 4)},
    {"scale_factor": 1},
    {"scale_factor": 2},
    {"scale_factor": 1.3},
    {"scale_factor": 2.7},
    {"scale_factor": (2.0, 3.0, 1.5)},
    {"scale_factor": 2.7, "recompute_scale_factor": True},
    {"scale_factor": (1.7, 2.3, 1.2), "recompute_scale_factor": True},
]


def fitted(value: Any, axes: int) -> Any:
    return value[:axes] if isinstance(value, tuple) else value


@pytest.mark.parametrize("mode, shape", EVERY)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_upsample(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    mode: str,
    shape: tuple[int, ...],
    size: dict[str, Any],
) -> None:
    x = numbers(*shape)
    if mode == "nearest" and len(shape) != 4 and size.get("scale_factor") == 1.3:
        pytest.skip("PyTorch's backward is not that of its forward here; test_where_pytorch_is_at_odds_with_itself")
    size = {name: fitted(value, len(shape) - 2) for name, value in size.items()}
    agree("Upsample", (), {**size, "mode": mode}, x)
    if not mode.startswith("nearest"):
        for align_corners in (False, True):
            agree("Upsample", (), {**size, "mode": mode, "align_corners": align_corners}, x)


@pytest.mark.parametrize("n", [3, 7, 10, 33])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_the_nearest_number_is_pytorchs_for_every_size(torch: ModuleType, dtype: Any, mode: Any, n: int) -> None:
    """The outputs alone: at ties PyTorch's backward rounds otherwise than its forward."""
    x = np.arange(n, dtype=dtype).reshape(1, 1, n)
    factors = [factor for factor in np.linspace(0.4, 3.3, 30).tolist() if int(n * factor) not in (n, 2 * n)]
    for size in [{"size": out} for out in range(1, 120)] + [{"scale_factor": factor} for factor in factors]:
        y = nn.Upsample(**size, mode=mode)(x)  # type: ignore[arg-type]
        right = torch.nn.Upsample(**size, mode=mode)(torch.from_numpy(x))
        np.testing.assert_array_equal(y, right, err_msg=str(size))


def test_where_pytorch_is_at_odds_with_itself(torch: ModuleType) -> None:
    x = torch.arange(3.0).reshape(1, 1, 3).requires_grad_()
    y = torch.nn.Upsample(scale_factor=1.3)(x)
    y.backward(torch.tensor([[[1.0, 10.0, 100.0]]]))
    assert y.flatten().tolist() == [0, 0, 1]  # so the first got two, and its ∂J/∂x would be 1 + 10
    assert x.grad.flatten().tolist() == [1, 10, 100]
    layer = nn.Upsample(scale_factor=1.3)
    np.testing.assert_array_equal(layer(np.arange(3.0).reshape(1, 1, 3)), [[[0, 1, 2]]])
    np.testing.assert_array_equal(layer.backward(np.array([[[1.0, 10.0, 100.0]]])), [[[1, 10, 100]]])


def test_smaller(agree: Callable[..., None], numbers: Callable[..., np.ndarray]) -> None:
    for mode in ("nearest", "bilinear", "bicubic"):
        agree("Upsample", (), {"scale_factor": 0.4, "mode": mode}, numbers(1, 2, 7, 9))
        agree("Upsample", ((3, 4),), {"mode": mode}, numbers(1, 2, 7, 9))


def test_an_empty_batch_stays_empty() -> None:
    layer = nn.Upsample(scale_factor=2)
    assert layer(np.ones((0, 2, 3))).shape == (0, 2, 6)
    assert layer.backward(np.ones((0, 2, 6))).shape == (0, 2, 3)


def test_a_nan_stays_where_it_is() -> None:
    x = np.ones((1, 1, 5))
    x[..., 2] = np.nan
    np.testing.assert_array_equal(np.isnan(nn.Upsample(scale_factor=2)(x))[0, 0], [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    assert np.isnan(nn.Upsample(scale_factor=2, mode="linear")(x))[0, 0].sum() == 4


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({}, "one of size and scale_factor"),
        ({"size": 2, "scale_factor": 2}, "one of size and scale_factor"),
        ({"size": 2, "mode": "area"}, "mode among nearest.*'area'"),
        ({"size": 2, "align_corners": False}, "align_corners.*nearest"),
        ({"size": 2, "recompute_scale_factor": True}, "recompute_scale_factor with a scale_factor"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OptionError, match=f"(?s)Upsample.*{complaint}"):
        nn.Upsample(**options)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ShapeError, match=r"(?s)Upsample, forward.*\(N, C, H, W\).*bilinear.*\(2, 3, 4\)"):
        nn.Upsample(2, mode="bilinear")(np.ones((2, 3, 4)))
    with pytest.raises(ShapeError, match=r"(?s)Upsample.*size=\(2, 3\).*\(2, 3, 4\)"):
        nn.Upsample((2, 3))(np.ones((2, 3, 4)))
    with pytest.raises(ShapeError, match=r"(?s)Upsample.*0 along axis 2"):
        nn.Upsample(scale_factor=0.2)(np.ones((2, 3, 4)))
    with pytest.raises(ShapeError, match=r"(?s)Upsample.*\(2, 3, 0\)"):
        nn.Upsample(2)(np.ones((2, 3, 0)))
    with pytest.raises(DtypeError, match=r"(?s)Upsample.*floating.*int64"):
        nn.Upsample(2)(np.ones((2, 3, 4), np.int64))
