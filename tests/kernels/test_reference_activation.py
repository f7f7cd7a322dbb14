from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

NAMES = ["relu", "sigmoid", "tanh"]


FROM_INPUT = [  # whose backward reads x: name, options, PyTorch's name, its options
    ("gelu", ("none",), "gelu", {"approximate": "none"}),
    ("gelu", ("tanh",), "gelu", {"approximate": "tanh"}),
    ("silu", (), "silu", {}),
    ("mish", (), "mish", {}),
    ("softplus", (2.0, 1.5), "softplus", {"beta": 2.0, "threshold": 1.5}),
    ("softplus", (-1.0, np.inf), "logsigmoid", {}),
    ("elu", (1.0, 0.7, 1.0), "elu", {"alpha": 0.7}),
    ("elu", (1.0, 0.5, 0.5), "celu", {"alpha": 0.5}),  # 1/α exact: PyTorch rounds it to float32 in its backward
    ("elu", (1.0, -1.5, -1.5), "celu", {"alpha": -1.5}),
    ("elu", (1.0507009873554805, 1.6732632423543773, 1.0), "selu", {}),
    ("leaky_relu", (0.2,), "leaky_relu", {"negative_slope": 0.2}),
    ("hardswish", (), "hardswish", {}),
    ("hardtanh", (-0.5, 1.5), "hardtanh", {"min_val": -0.5, "max_val": 1.5}),
    ("cut_out", (-0.7, 0.7, 0.0), "hardshrink", {"lambd": 0.7}),
    ("cut_out", (-np.inf, 0.1, -3.0), "threshold", {"threshold": 0.1, "value": -3.0}),
]


def pair(name):
    return getattr(reference, name), getattr(reference, f"{name}_backward")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4, 5), (0, 3), (1,)])
def test_against_torch(name, shape, draw, close, by_torch):
    import torch

    forward, backward = pair(name)
    x = draw(*shape)
    a, delta, (delta_x,) = by_torch(getattr(torch, name), draw, x)
    close(forward(x), a)
    close(backward(forward(x), delta), delta_x)


def test_hardsigmoid(draw, close, by_torch):
    """PyTorch's own divides by 6 in float32 only; put together it is exact."""
    import torch

    x = 4 * draw(3, 40)
    a, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.relu6(x + 3) / 6, draw, x)
    close(reference.hardsigmoid(x), a)
    close(reference.hardsigmoid_backward(x, delta), delta_x)
    with pytest.raises(ShapeError, match="delta"):
        reference.hardsigmoid_backward(x, delta[0])


def test_huber(draw, close):
    import torch

    r = 3 * draw(3, 40)
    theirs = torch.nn.functional.huber_loss(torch.tensor(r), torch.tensor(0 * r), reduction="none", delta=1.3)
    close(reference.huber(r, np.float64(1.3)), theirs)
    close(np.asarray(reference.huber_sum(r, np.float64(1.3))), theirs.sum())


@pytest.mark.parametrize("name, options, theirs, their_options", FROM_INPUT, ids=str)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4, 5), (0, 3), ()])
def test_those_that_read_the_input_against_torch(name, options, theirs, their_options, shape, draw, close, by_torch):
    import torch

    forward, backward = pair(name)
    options = tuple(np.float64(o) if isinstance(o, float) else o for o in options)  # whose dtype must not spread
    x = 4 * draw(*shape) if shape else 4 * draw(1).reshape(())
    x = np.asarray(x, draw(1).dtype)
    function = getattr(torch.nn.functional, theirs)
    a, delta, (delta_x,) = by_torch(
        lambda x: function(x, **their_options), lambda *shape: draw(*shape) if shape else draw(1).reshape(()), x
    )
    close(forward(x, *options), a)
    close(backward(x, delta, *options), delta_x)
    if shape:
        with pytest.raises(ShapeError, match="delta of shape"):
            backward(x, delta[..., None], *options)


@pytest.mark.parametrize("name", NAMES)
def test_far_out(name, dtype, close):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    forward, backward = pair(name)
    x = np.array([-np.inf, -1e4, -800, -90, -30, -0.0, 0.0, 30, 90, 800, 1e4, np.inf, np.nan], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        a = forward(x)
    t = torch.tensor(x, requires_grad=True)
    theirs = getattr(torch, name)(t)
    np.testing.assert_allclose(a, theirs.detach().numpy(), rtol=1e-6, atol=1e-37)
    theirs.backward(torch.ones_like(t))
    np.testing.assert_allclose(backward(a, np.ones_like(a)), t.grad.numpy(), rtol=1e-6, atol=1e-37)


def test_relu_stops_even_an_infinite_delta(dtype):
    a = reference.relu(np.array([-1, 0, 2], dtype))
    np.testing.assert_array_equal(reference.relu_backward(a, np.full(3, np.inf, dtype)), [0, 0, np.inf])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(3,), ()])
def test_dtype_and_arrayness_follow_x(name, kind, shape):
    forward, backward = pair(name)
    a = forward(np.ones(shape, kind))
    delta_x = backward(a, np.ones(shape, kind))
    for result in (a, delta_x):
        assert isinstance(result, np.ndarray)
        assert result.dtype == kind
        assert result.shape == shape


@pytest.mark.parametrize("name", NAMES)
def test_a_delta_of_another_kind_is_refused(name):
    _, backward = pair(name)
    a = np.ones((2, 3), np.float32)
    with pytest.raises(ShapeError):
        backward(a, np.ones(3, np.float32))
    with pytest.raises(DtypeError):
        backward(a, np.ones((2, 3)))
