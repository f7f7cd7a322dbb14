from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

STEPS = 4
shapes = pytest.mark.parametrize("shape", [(3, 4), (1,), (0, 2), ()])


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the comparison is with PyTorch")


def start(torch, shape, dtype, rng):
    """A parameter for us and the same one for PyTorch."""
    p = np.asarray(rng.standard_normal(shape), dtype)
    return p, torch.nn.Parameter(torch.tensor(p))


def gradient(p, rng):
    g = np.asarray(rng.standard_normal(p.shape), p.dtype)
    g.flags.writeable = False
    return g


def torch_step(torch, optimizer, theirs, g):
    theirs.grad = torch.tensor(np.array(g))
    optimizer.step()


@shapes
@pytest.mark.parametrize("weight_decay", [0, 0.1])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    "momentum, dampening, nesterov", [(0, 0, False), (0.9, 0, False), (0.9, 0.3, False), (0.9, 0, True)]
)
def test_sgd(shape, weight_decay, maximize, momentum, dampening, nesterov, dtype, rng, close, torch):
    p, theirs = start(torch, shape, dtype, rng)
    lr = np.float64(0.05)  # as a schedule may give it
    settings = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
    optimizer = torch.optim.SGD([theirs], lr=float(lr), maximize=maximize, **settings)
    buffer = np.full(shape, np.nan, dtype) if momentum else None  # the first step reads nothing from it
    for t in range(STEPS):
        g = gradient(p, rng)
        torch_step(torch, optimizer, theirs, g)
        reference.sgd_step(p, g, buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, t == 0)
        close(p, theirs)
        if buffer is not None:
            close(buffer, optimizer.state[theirs]["momentum_buffer"])


@shapes
@pytest.mark.parametrize("weight_decay", [0, 0.1])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("decoupled", [False, True])
def test_adam(shape, weight_decay, maximize, amsgrad, decoupled, dtype, rng, close, torch):
    p, theirs = start(torch, shape, dtype, rng)
    lr, betas, eps = np.float64(0.05), (0.8, 0.95), 1e-8
    make = torch.optim.AdamW if decoupled else torch.optim.Adam
    settings = {"eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize}
    optimizer = make([theirs], float(lr), betas, **settings)
    m, v, v_max = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p) if amsgrad else None
    for t in range(1, STEPS + 1):
        g = gradient(p, rng)
        torch_step(torch, optimizer, theirs, g)
        reference.adam_step(p, g, m, v, v_max, t, lr, *betas, eps, weight_decay, amsgrad, maximize, decoupled)
        close(p, theirs)
        state = optimizer.state[theirs]
        close(m, state["exp_avg"])
        close(v, state["exp_avg_sq"])
        if v_max is not None:
            close(v_max, state["max_exp_avg_sq"])


def test_a_step_is_in_place():
    p, g, buffer = np.ones(3), np.ones(3), np.zeros(3)
    view = p[:]
    reference.sgd_step(p, g, buffer, 0.5, 0.9, 0, 0, False, False, True)
    np.testing.assert_array_equal(view, [0.5, 0.5, 0.5])
    g[...] = 7
    np.testing.assert_array_equal(buffer, [1, 1, 1])  # a copy of the gradient, not the gradient


def test_settings_that_are_numpy_scalars_change_no_bit(rng):
    p, g, buffer, m, v = (rng.random(50, np.float32) for _ in range(5))
    arrays = []
    for number in (float, np.float64):
        settings = [number(s) for s in (0.03, 0.9, 0.999, 1e-8, 0.01)]
        arrays += [[p.copy(), buffer.copy()], [p.copy(), m.copy(), v.copy()]]
        reference.sgd_step(arrays[-2][0], g, arrays[-2][1], *settings[:2], *settings[3:], False, False, False)
        q, *moments = arrays[-1]
        reference.adam_step(q, g, *moments, None, 3, *settings, False, False, False)
    np.testing.assert_array_equal(np.concatenate(arrays[0] + arrays[1]), np.concatenate(arrays[2] + arrays[3]))


def test_what_would_broadcast_is_refused():
    p, one = np.ones(3), np.ones(1)
    with pytest.raises(ShapeError, match="g of shape"):
        reference.sgd_step(p, one, None, 0.1, 0, 0, 0, False, False, True)
    with pytest.raises(ShapeError, match="v of shape"):
        reference.adam_step(p, p, p, one, None, 1, 0.1, 0.9, 0.999, 1e-8, 0, False, False, False)
    with pytest.raises(DtypeError, match="g of dtype"):
        reference.sgd_step(p, p.astype(np.float32), None, 0.1, 0, 0, 0, False, False, True)
