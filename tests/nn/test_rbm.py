from __future__ import annotations

import itertools

import numpy as np
import pytest

from numnet import nn, optim
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.inspect import gradcheck


def states(n: int) -> np.ndarray:
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)))


def machine(n_visible: int = 4, n_hidden: int = 3, chains: int = 0, scale: float = 1.0) -> nn.BernoulliRBM:
    rng = np.random.default_rng(0)
    rbm = nn.BernoulliRBM(n_visible, n_hidden, chains, rng=np.random.default_rng(1)).double()
    for p in rbm.parameters():
        p.data[...] = scale * rng.normal(size=p.shape)
    return rbm


def exact(rbm: nn.BernoulliRBM) -> np.ndarray:
    """p(v) of every v, by summing e^-E over every h: no use is made of the free energy."""
    v, h = states(rbm.n_visible), states(rbm.n_hidden)
    W, b, c = rbm.weight.data, rbm.visible_bias.data, rbm.hidden_bias.data
    weights = np.exp(h @ W @ v.T + (v @ b)[None, :] + (h @ c)[:, None]).sum(axis=0)
    return weights / weights.sum()


def log_likelihood(rbm: nn.BernoulliRBM, v: np.ndarray) -> float:
    where = (v @ 2 ** np.arange(rbm.n_visible)[::-1]).astype(int)
    return float(np.log(exact(rbm))[where].mean())


def differences(rbm: nn.BernoulliRBM, f: object) -> dict[str, np.ndarray]:
    found = {}
    for name, p in rbm.named_parameters():
        gradient = np.empty(p.shape)
        for i in np.ndindex(p.shape):
            at, values = p.data[i], []
            for h in (1e-5, -1e-5):
                p.data[i] = at + h
                values.append(f())  # type: ignore[operator]
            p.data[i] = at
            gradient[i] = (values[0] - values[1]) / 2e-5
        found[name] = gradient
    return found


def test_free_energy_is_that_of_the_enumerated_machine() -> None:
    rbm = machine()
    p = np.exp(-rbm.free_energy(states(4)))
    np.testing.assert_allclose(p / p.sum(), exact(rbm), rtol=1e-12)


def test_conditionals_are_those_of_the_enumerated_machine() -> None:
    rbm, v, h = machine(), states(4), states(3)
    W, b, c = rbm.weight.data, rbm.visible_bias.data, rbm.hidden_bias.data
    joint = np.exp(h @ W @ v.T + (v @ b)[None, :] + (h @ c)[:, None])  # (h, v)
    np.testing.assert_allclose(rbm(v), (h.T @ joint / joint.sum(0)).T, rtol=1e-12)
    np.testing.assert_allclose(rbm.visible(h), joint @ v / joint.sum(1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("persistent", [False, True])
def test_what_is_accumulated_is_the_gradient_of_what_is_returned(persistent: bool) -> None:
    rbm, v = machine(chains=5), states(4)[[3, 7, 9]]
    J = rbm.contrastive_divergence(v, 2, persistent)
    again = machine(chains=5)
    model = again.gibbs(again.chain if persistent else v, 2)  # the same draws

    def free_energy_gap() -> float:
        return float(again.free_energy(v).mean() - again.free_energy(model).mean())

    assert free_energy_gap() == J
    for (name, p), right in zip(rbm.named_parameters(), differences(again, free_energy_gap).values(), strict=True):
        np.testing.assert_allclose(p.grad, right, rtol=1e-7, atol=1e-9, err_msg=name)


def test_many_steps_give_the_gradient_of_the_log_likelihood() -> None:
    """From many chains that have run long, the mean of the estimate is ∂(-log p(v))/∂parameter."""
    rbm, v = machine(scale=0.7), states(4)[[3, 7, 9]]
    right = differences(rbm, lambda: -log_likelihood(rbm, v))
    rbm.contrastive_divergence(np.tile(v, (8000, 1)), k=10)
    for name, p in rbm.named_parameters():
        np.testing.assert_allclose(p.grad, right[name], atol=0.02, err_msg=name)
    assert np.abs(right["weight"]).max() > 0.2


def test_gibbs_steps_keep_the_distribution() -> None:
    rbm = machine()
    p = exact(rbm)
    v = states(4)[np.random.default_rng(2).choice(16, 60000, p=p)]
    got = np.bincount((rbm.gibbs(v) @ [8, 4, 2, 1]).astype(int), minlength=16) / len(v)
    np.testing.assert_allclose(got, p, atol=0.01)


@pytest.mark.parametrize("persistent", [False, True])
def test_training_raises_the_likelihood_of_a_few_patterns(persistent: bool) -> None:
    patterns = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]])
    rbm = nn.BernoulliRBM(4, 6, 60, rng=np.random.default_rng(0)).double()
    optimizer = optim.SGD(rbm.parameters(), lr=0.2)
    before = log_likelihood(rbm, patterns)
    np.testing.assert_allclose(before, -4 * np.log(2), atol=0.01)
    for _ in range(600):
        optimizer.zero_grad()
        rbm.contrastive_divergence(np.tile(patterns, (10, 1)), 1, persistent)
        optimizer.step()
    assert log_likelihood(rbm, patterns) > -1.6  # of at best -log 3 = -1.1


def test_persistent_chains_move_on_and_are_saved() -> None:
    rbm, v = machine(chains=8), states(4)
    assert rbm.state_dict()["chain"].shape == (8, 4)
    rbm.contrastive_divergence(v)
    assert not rbm.chain.any()
    rbm.contrastive_divergence(v, persistent=True)
    assert rbm.chain.any()
    first, second = machine(chains=8), machine(chains=8)
    second.load_state_dict(rbm.state_dict())
    first.load_state_dict(rbm.state_dict())
    np.testing.assert_array_equal(first.contrastive_divergence(v, 1, True), second.contrastive_divergence(v, 1, True))
    np.testing.assert_array_equal(first.chain, second.chain)


def test_the_same_draws_in_float32() -> None:
    wide, v = machine(), states(4)
    narrow = machine().float()
    np.testing.assert_array_equal(wide.gibbs(v, 3), narrow.gibbs(v.astype(np.float32), 3))
    assert narrow.contrastive_divergence(v.astype(np.float32)).dtype == np.float32
    assert all(p.grad.dtype == np.float32 for p in narrow.parameters())


def test_in_a_network() -> None:
    assert gradcheck(nn.Sequential(machine(), nn.Linear(3, 2)), states(4)[:3])


def test_what_it_refuses() -> None:
    rbm, v = machine(), states(4)
    with pytest.raises(OptionError, match=r"(?s)persistent chains.*none kept.*chains=100"):
        rbm.contrastive_divergence(v, persistent=True)
    with pytest.raises(OptionError, match="k ≥ 1"):
        rbm.contrastive_divergence(v, 0)
    for sizes in ((0, 3), (4, 0), (4, 3, -1)):
        with pytest.raises(OptionError, match=f"chains={(*sizes, 0)[2]}"):
            nn.BernoulliRBM(*sizes)
    for wrong in (v[:, :3], v[0], v[:0]):
        with pytest.raises(ShapeError, match=r"(?s)expected: v of shape \(N, V=4\).*cure"):
            rbm.contrastive_divergence(wrong)
    with pytest.raises(DtypeError, match="float64"):
        rbm.contrastive_divergence(v.astype(np.float32))
    with pytest.raises(ShapeError, match=r"(?s)BernoulliRBM, forward.*V=4"):
        rbm(v[:, :2])
    assert repr(nn.BernoulliRBM(4, 3, 2)) == "BernoulliRBM(n_visible=4, n_hidden=3, chains=2)"
