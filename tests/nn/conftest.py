"""The comparison with PyTorch that every test of a layer makes."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


def _close(got: np.ndarray, right: np.ndarray, what: str, terms: float = 0.0) -> None:
    tolerance = TOLERANCE[right.dtype]
    assert got.dtype == right.dtype, what
    floor = terms if right.dtype == np.float32 else terms * 1e-4  # float64 has digits to spare for what cancels
    scale = float(np.abs(right[np.isfinite(right)]).max(initial=floor))
    np.testing.assert_allclose(got, right, rtol=tolerance, atol=tolerance * scale, err_msg=what)


@pytest.fixture
def agree(torch: ModuleType) -> Callable[..., None]:
    """``agree("Linear", (3, 2), {"bias": False}, x, …)``: the layers of that name, numnet's and PyTorch's, built with
    these arguments (arrays become tensors), sharing their weights: output, ∂J/∂x, parameter gradients and buffers.
    ``terms`` is the size of the terms of y and ∂J/∂x, where they nearly cancel and their rounding is what is left.
    """

    def theirs_of(value: Any) -> Any:
        return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray | np.generic) else value

    def agree(
        name: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        x: np.ndarray,
        *others: np.ndarray,
        train: bool = True,
        terms: float = 0.0,
    ) -> None:
        dtype = torch.from_numpy(x).dtype
        ours = getattr(nn, name)(*arguments, **options).to(x.dtype).train(train)
        theirs = getattr(torch.nn, name)(*arguments, **{k: theirs_of(v) for k, v in options.items()}).to(dtype)
        theirs.train(train)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        assert repr(ours) == repr(theirs)
        ours.load_state_dict(theirs.state_dict())
        theirs_x = torch.from_numpy(x.copy()).requires_grad_()
        for _ in range(2):  # gradients add up; buffers move on
            right = theirs(theirs_x, *map(theirs_of, others))
            y = ours(x, *others)
            _close(y, right.detach().numpy(), "output", terms)
            delta = np.linspace(-1.0, 2.0, y.size).reshape(y.shape).astype(x.dtype)
            right.backward(torch.from_numpy(delta))
            _close(ours.backward(delta), theirs_x.grad.numpy(), "∂J/∂x", terms)
            theirs_x.grad = None
        gradients = dict(theirs.named_parameters())
        for parameter_name, parameter in ours.named_parameters():
            _close(parameter.grad, gradients[parameter_name].grad.numpy(), f"∂J/∂{parameter_name}")
        for key, value in theirs.state_dict().items():
            if key not in gradients:
                np.testing.assert_allclose(ours.state_dict()[key], value.numpy(), rtol=2e-6, err_msg=key)

    return agree


@pytest.fixture(params=[np.float64, np.float32], ids=["float64", "float32"])
def dtype(request: pytest.FixtureRequest) -> Any:
    """Both number types."""
    return request.param


@pytest.fixture
def numbers(dtype: Any) -> Callable[..., np.ndarray]:
    """``numbers(2, 3)``: distinct numbers of that shape, well apart, so that a maximum is one element."""
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> np.ndarray:
        size = int(np.prod(shape))
        return ((rng.permutation(size) - size / 2 + 0.25) / max(size, 1) * 6).reshape(shape).astype(dtype)

    return numbers
