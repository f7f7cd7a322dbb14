from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, ShapeError

SIZES = {1: (5,), 2: (4, 5), 3: (3, 4, 5)}
WIDTHS: dict[int, list[int | tuple[int, ...]]] = {
    1: [0, 2, (1, 3), (4, 0), (-1, 2), (2, -3), (-1, -2)],
    2: [0, 1, (1, 3, 2, 0), (4, 0, 0, 3), (-1, 2, 1, -2), (0, 0, -1, -2)],
    3: [0, 1, (1, 3, 2, 0, 0, 2), (4, 0, 0, 3, 1, 1), (-1, 2, 1, -2, 1, 0), (0, -1, 0, 0, -1, -1)],
}
CASES = [(axes, padding) for axes, all_widths in WIDTHS.items() for padding in all_widths]
MODES: list[tuple[str, tuple[Any, ...]]] = [
    ("ZeroPad", ()),
    ("ConstantPad", (3.5,)),
    ("ConstantPad", (-1,)),
    ("ReflectionPad", ()),
    ("ReplicationPad", ()),
    ("CircularPad", ()),
]


@pytest.mark.parametrize("leading", [(2, 3), (3,)], ids=str)
@pytest.mark.parametrize("axes, padding", CASES, ids=str)
@pytest.mark.parametrize("mode, arguments", MODES, ids=str)
def test_padding(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    mode: str,
    arguments: tuple[Any, ...],
    axes: int,
    padding: int | tuple[int, ...],
    leading: tuple[int, ...],
) -> None:
    agree(f"{mode}{axes}d", (padding, *arguments), {}, numbers(*leading, *SIZES[axes]))


@pytest.mark.parametrize("shape", [(5,), (2, 1, 3, 4), (0, 2, 3)], ids=str)
def test_any_axes_stand_in_front_of_a_constant_padding(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...]
) -> None:
    agree("ConstantPad1d", ((1, 2), 0.5), {}, numbers(*shape))
    agree("ZeroPad1d", (1,), {}, numbers(*shape))


def test_replication_and_zeros_may_be_wider_than_x(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray]
) -> None:
    agree("ReplicationPad2d", (7,), {}, numbers(2, 1, 1, 2))
    agree("ZeroPad2d", (7,), {}, numbers(2, 1, 1, 2))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_special_values(dtype: type, value: float) -> None:
    y = nn.ConstantPad1d((1, 0), value)(np.ones((1, 1, 2), dtype))
    np.testing.assert_array_equal(y, np.array([[[value, 1, 1]]], dtype))
    assert y.dtype == dtype


def test_integers_of_numpy_are_integers() -> None:
    assert nn.ReflectionPad1d(np.int64(1)).padding == nn.ReflectionPad1d((1, np.int32(1))).padding == (1, 1)
    assert repr(nn.ReflectionPad1d(np.int64(1))) == "ReflectionPad1d((1, 1))"


@pytest.mark.parametrize("padding", [(1, 2, 3), (1.5, 2), 1.5, ()], ids=str)
def test_wrong_widths(padding: Any) -> None:
    with pytest.raises(OptionError, match=r"(?s)ReflectionPad1d.*2 integers.*padding="):
        nn.ReflectionPad1d(padding)


@pytest.mark.parametrize(
    "make, padding, shape, message",
    [
        (nn.ReflectionPad1d, 3, (1, 1, 3), r"less than there is.*\(3, 3\) in mode 'reflect' of an axis of size 3"),
        (nn.CircularPad1d, 4, (1, 1, 3), r"no more than there is.*'circular' of an axis of size 3"),
        (nn.ReplicationPad1d, 1, (1, 1, 0), r"leaves something.*axis of size 0"),
        (nn.ZeroPad1d, (-2, -2), (1, 1, 3), r"leaves something.*\(-2, -2\)"),
        (nn.ReflectionPad2d, 1, (4, 4), r"\(N, C, H, W\).*\(4, 4\)"),
        (nn.CircularPad3d, 1, (1, 1, 1, 4, 4, 4), r"\(N, C, D, H, W\)"),
        (nn.ZeroPad3d, 1, (4, 4), r"3 axes to pad.*\(4, 4\)"),
    ],
)
def test_what_does_not_fit_is_named(
    make: type, padding: int | Sequence[int], shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}, forward.*{message}"):
        make(padding)(np.ones(shape))
    with pytest.raises(DtypeError, match=rf"(?s){make.__name__}, forward.*floating.*int64"):
        make(padding)(np.ones(shape, np.int64))
