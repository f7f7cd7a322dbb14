from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn, optim, tensor
from numnet.errors import DtypeError, NonFiniteError, OptionError, ShapeError
from numnet.inspect import gradcheck
from numnet.nn import utils

RNG = np.random.default_rng(0)
SHAPES = [(3, 4), (4,), (2, 3, 2, 2), (1,)]
NORMS = [2.0, 1.0, np.inf, 3.0, 0.5, -np.inf, 0.0]


def with_gradients(torch: ModuleType, dtype: type) -> tuple[list[nn.Parameter], list[Any]]:
    ours, theirs = [], []
    for shape in SHAPES:
        w, g = RNG.normal(size=(2, *shape)).astype(dtype)
        ours.append(nn.Parameter(w.copy()))
        ours[-1].grad = g.copy()
        theirs.append(torch.nn.Parameter(torch.tensor(w)))
        theirs[-1].grad = torch.tensor(g)
    ours.append(nn.Parameter(np.ones(2, dtype)))  # without a gradient: passed over
    theirs.append(torch.nn.Parameter(torch.ones(2)))
    return ours, theirs


def same(ours: list[nn.Parameter], theirs: list[Any], dtype: type) -> None:
    tolerance = 1e-10 if dtype is np.float64 else 1e-5
    for p, q in zip(ours, theirs, strict=True):
        if p.grad is not None:
            assert p.grad.dtype == dtype
            np.testing.assert_allclose(p.grad, q.grad, rtol=tolerance)
        else:
            assert q.grad is None


@pytest.mark.proves("C170")
@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.1, 3.0, 1e6])
def test_clip_grad_norm(torch: ModuleType, dtype: type, norm_type: float, max_norm: float) -> None:
    ours, theirs = with_gradients(torch, dtype)
    right = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    total = utils.clip_grad_norm_(iter(ours), max_norm, norm_type)
    np.testing.assert_allclose(total, right, rtol=1e-10 if dtype is np.float64 else 1e-5)
    assert total.dtype == dtype
    same(ours, theirs, dtype)
    gradients = [p.grad for p in ours if p.grad is not None]
    right = torch.nn.utils.get_total_norm([q.grad for q in theirs if q.grad is not None], norm_type)
    np.testing.assert_allclose(utils.get_total_norm(gradients, norm_type), right, rtol=1e-5)


@pytest.mark.proves("C170")
def test_clip_grad_value_and_single_parameters(torch: ModuleType, dtype: type) -> None:
    ours, theirs = with_gradients(torch, dtype)
    utils.clip_grad_value_(ours, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    utils.clip_grad_norm_(ours[0], 0.2)
    torch.nn.utils.clip_grad_norm_(theirs[0], 0.2)
    utils.clip_grads_with_norm_(ours[1], 0.2, np.array(2.0))
    torch.nn.utils.clip_grads_with_norm_(theirs[1], 0.2, torch.tensor(2.0, dtype=torch.float64))
    same(ours, theirs, dtype)


def test_a_norm_that_is_not_finite() -> None:
    p = nn.Parameter(np.ones(2))
    p.grad = np.array([1.0, np.nan])
    with pytest.raises(NonFiniteError, match=r"(?s)finite norm.*nan.*lower the learning rate"):
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(p.grad, [1, np.nan])
    assert np.isnan(utils.clip_grad_norm_(p, 1.0))
    assert np.isnan(p.grad).all()
    assert utils.get_total_norm([]) == 0


@pytest.mark.proves("C142")
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_max_norm(torch: ModuleType, dtype: type, dim: int) -> None:
    w = RNG.normal(size=(4, 3, 2)).astype(dtype)
    w[1, 2] = 0
    p = nn.Parameter(w.copy())
    utils.max_norm_(p, 1.5, dim)
    np.testing.assert_allclose(p.data, torch.renorm(torch.tensor(w), 2, dim, 1.5), rtol=1e-6)
    lengths = np.sqrt((np.moveaxis(p.data, dim, 0).reshape(w.shape[dim], -1) ** 2).sum(1))
    assert lengths.max() <= 1.5 * (1 + 1e-6)
    again = p.data.copy()
    utils.max_norm_(p, 1.5, dim)
    np.testing.assert_allclose(p.data, again, rtol=1e-6)
    utils.max_norm_(p, 0.0)
    assert not p.data.any()
    with pytest.raises(OptionError, match="c ≥ 0"):
        utils.max_norm_(p, -1.0)
    with pytest.raises(ShapeError, match="an axis 3"):
        utils.max_norm_(p, 1.0, 3)


def test_parameters_as_a_vector() -> None:
    net, other = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    vector = utils.parameters_to_vector(net.parameters())
    np.testing.assert_array_equal(vector.data, np.concatenate([p.data.ravel() for p in net.parameters()]))
    utils.vector_to_parameters(vector, other.parameters())
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert not np.shares_memory(p.data, q.data)
    (vector * vector).sum().backward()
    for p in net.parameters():
        np.testing.assert_allclose(p.grad, 2 * p.data)
    before = vector.data.copy()
    for wrong, error in [
        (np.ones(3, np.float32), ShapeError),
        (before.astype(np.float64), DtypeError),
        ([1.0], DtypeError),
    ]:
        with pytest.raises(error):
            utils.vector_to_parameters(wrong, net.parameters())
    np.testing.assert_array_equal(utils.parameters_to_vector(net.parameters()).data, before)
    with pytest.raises(ShapeError, match="at least one parameter"):
        utils.parameters_to_vector([])


# ---------------------------------------------------------------------------------------------- penalties


@pytest.mark.proves("C138", "C140", "C143")
@pytest.mark.parametrize("penalty", [nn.L1Penalty(0.3), nn.L2Penalty(0.2), nn.ElasticPenalty(0.3, 0.2)], ids=repr)
def test_a_penalty_is_one_line_in_every_way_of_use(penalty: nn.Layer) -> None:
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    net, loss = nn.Linear(3, 2).double(), nn.MSELoss()
    (loss(net(tensor(x)), y) + penalty(*net.parameters())).backward()
    imperative = [p.grad for p in net.parameters()]
    net.zero_grad()
    loss(net(x), y)
    net.backward(loss.backward())
    plain = [p.grad.copy() for p in net.parameters()]
    R = penalty(*net.parameters())
    R.backward()
    arrays = [p.data for p in net.parameters()]
    assert penalty(*arrays) == R.item()
    l1, l2 = penalty.l1, penalty.l2
    np.testing.assert_allclose(R.item(), sum(l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum() for w in arrays), rtol=1e-12)
    for p, g, right, slope in zip(net.parameters(), plain, imperative, penalty.backward(), strict=True):
        np.testing.assert_allclose(p.grad, right, rtol=1e-12)
        np.testing.assert_allclose(slope, l1 * np.sign(p.data) + l2 * p.data, rtol=1e-12)
        np.testing.assert_allclose(p.grad - g, slope, rtol=1e-9, atol=1e-12)


@pytest.mark.proves("C138")
def test_an_l2_penalty_is_weight_decay() -> None:
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    nets = [nn.Linear(3, 2).double(), nn.Linear(3, 2).double()]
    nets[1].load_state_dict(nets[0].state_dict())
    for net, decay in zip(nets, (0.1, 0.0), strict=True):
        J = nn.MSELoss()(net(tensor(x)), y)
        (J if decay else J + nn.L2Penalty(0.1)(*net.parameters())).backward()
        optim.SGD(net.parameters(), lr=0.5, weight_decay=decay).step()
    np.testing.assert_allclose(nets[0].weight.data, nets[1].weight.data, rtol=1e-12)


def test_what_penalties_refuse() -> None:
    for make in (nn.L1Penalty, nn.L2Penalty, lambda s: nn.ElasticPenalty(0.1, s)):
        with pytest.raises(OptionError, match=r"(?s)Penalty with a strength.*-0\.1"):
            make(-0.1)
    with pytest.raises(ShapeError, match=r"L1Penalty(?s:.*)penalty\(\*net\.parameters\(\)\)"):
        nn.L1Penalty(0.1)()
    with pytest.raises(DtypeError, match="float32"):
        nn.L1Penalty(0.1)(np.ones(2), np.ones(2, np.float32))
    with pytest.raises(DtypeError, match="arrays or Tensors"):
        nn.L1Penalty(0.1)(nn.Linear(3, 2).parameters())


# ---------------------------------------------------------------------------------------------- weights by norm

LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Linear", (3, 4), {}, (5, 3)),
    ("Linear", (3, 4), {"bias": False}, (5, 3)),
    ("Conv1d", (2, 4, 3), {"padding": 1}, (2, 2, 6)),
    ("Conv2d", (2, 4, 3), {"groups": 2}, (2, 2, 5, 4)),
    ("ConvTranspose2d", (2, 3, 2), {}, (2, 2, 3, 4)),
]
NORMED = [("weight_norm", {"dim": dim}) for dim in (0, 1, None, -1)]
NORMED += [("spectral_norm", {}), ("spectral_norm", {"n_power_iterations": 3, "dim": 1, "eps": 1e-6})]


@pytest.mark.parametrize("norm, options", NORMED, ids=str)
@pytest.mark.parametrize("name, arguments, settings, shape", LAYERS, ids=str)
@pytest.mark.parametrize("train", [True, False])
def test_as_pytorchs_parametrizations(
    torch: ModuleType,
    dtype: type,
    norm: str,
    options: dict[str, Any],
    name: str,
    arguments: Any,
    settings: Any,
    shape: Any,
    train: bool,
) -> None:
    theirs = getattr(torch.nn, name)(*arguments, **settings)
    theirs = getattr(torch.nn.utils.parametrizations, norm)(theirs, **options)
    theirs = theirs.to(torch.float64 if dtype is np.float64 else torch.float32).train(train)
    ours = getattr(utils, norm)(getattr(nn, name)(*arguments, **settings), **options).to(dtype).train(train)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    tolerance = 1e-10 if dtype is np.float64 else 2e-5
    x = RNG.normal(size=shape).astype(dtype)
    leaf = torch.tensor(x, requires_grad=True)
    for _ in range(2):
        right, z = theirs(leaf), ours(x)
        np.testing.assert_allclose(z, right.detach(), rtol=tolerance, atol=tolerance)
        delta = np.linspace(-1, 2, z.size, dtype=dtype).reshape(z.shape)
        leaf.grad = None
        right.backward(torch.from_numpy(delta))
        np.testing.assert_allclose(ours.backward(delta), leaf.grad, rtol=tolerance, atol=tolerance)
    for (_, p), (key, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=tolerance, atol=20 * tolerance, err_msg=key)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key], value, rtol=tolerance, atol=tolerance, err_msg=key)
    theirs.eval()
    np.testing.assert_allclose(ours.value(), theirs.weight.detach(), rtol=tolerance, atol=tolerance)


MAKE = pytest.mark.parametrize("make", [utils.weight_norm, utils.spectral_norm])


@MAKE
def test_the_first_weight_stays_and_comes_back(make: Callable[..., utils.Reparametrized]) -> None:
    layer = nn.Linear(3, 4).double()
    x, W = RNG.normal(size=(5, 3)), layer.weight.data.copy()
    wrapped = make(layer)
    np.testing.assert_array_equal(layer.weight.data, W)
    sigma = 1.0 if make is utils.weight_norm else np.linalg.norm(W, 2)
    np.testing.assert_allclose(wrapped.value(), W / sigma, rtol=1e-3)
    remove = utils.remove_weight_norm if make is utils.weight_norm else utils.remove_spectral_norm
    plain = remove(wrapped.eval())
    assert type(plain) is nn.Linear
    assert list(plain.state_dict()) == ["weight", "bias"]
    np.testing.assert_allclose(plain(x), wrapped(x), rtol=1e-12)
    assert plain.bias is layer.bias
    with pytest.raises(DtypeError, match="pass the module that"):
        (utils.remove_spectral_norm if make is utils.weight_norm else utils.remove_weight_norm)(wrapped)
    with pytest.raises(DtypeError, match="Linear"):
        remove(layer)


@MAKE
def test_in_a_network_used_twice(make: Callable[..., utils.Reparametrized]) -> None:
    """Each call has the gradient of its own weight, even where the singular vectors move on between them."""
    net = nn.Sequential(make(nn.Linear(3, 3)), nn.Tanh()).double()
    x = RNG.normal(size=(4, 3))
    assert gradcheck(net.eval(), x)
    net.train()
    start = net.state_dict()
    grads = []
    for _ in range(2):
        net.zero_grad()
        net(tensor(x)).sum().backward()
        grads.append([p.grad for p in net.parameters()])
    net.load_state_dict(start)
    net.zero_grad()
    first = net(tensor(x)).sum()
    (first + net(tensor(x)).sum()).backward()
    for p, one, two in zip(net.parameters(), *grads, strict=True):
        np.testing.assert_allclose(p.grad, one + two, rtol=1e-10, atol=1e-12)


def test_frozen_weights_stay_frozen() -> None:
    layer = nn.Linear(3, 4)
    layer.weight.requires_grad_(False)
    wrapped = utils.weight_norm(layer)
    wrapped(RNG.normal(size=(2, 3)).astype(np.float32))
    wrapped.backward(np.ones((2, 4), np.float32))
    assert [name for name, p in wrapped.named_parameters() if p.grad is not None] == ["bias"]


@MAKE
def test_what_cannot_be_reparametrized(make: Callable[..., Any]) -> None:
    with pytest.raises(OptionError, match=r"(?s)\['weight', 'bias'\].*'kernel'"):
        make(nn.Linear(3, 4), "kernel")
    for wrong in (nn.BatchNorm1d(3), nn.Sequential(nn.Linear(3, 3)), np.ones(3)):
        with pytest.raises(DtypeError, match="a layer of parameters alone"):
            make(wrong)
    with pytest.raises(ShapeError, match="an axis 2"):
        make(nn.Linear(3, 4), dim=2)


def test_what_the_norms_refuse() -> None:
    with pytest.raises(OptionError, match="n_power_iterations ≥ 1"):
        utils.spectral_norm(nn.Linear(3, 4), n_power_iterations=0)
    with pytest.raises(ShapeError, match=r"two axes or more(?s:.*)dim=None"):
        utils.spectral_norm(nn.Linear(3, 4), "bias")
    with pytest.raises(ShapeError, match=r"(?s)WeightNorm, forward.*g of shape \(4, 1\)"):
        nn.WeightNorm()(np.ones(4), np.ones((4, 3)))
    with pytest.raises(ShapeError, match="as the first"):
        nn.SpectralNorm(np.ones((3, 2)))(np.ones((2, 3)))


def test_its_text_is_the_layers() -> None:
    text = "Linear(in_features=3, out_features=4, bias=True) with weight = "
    assert repr(utils.weight_norm(nn.Linear(3, 4))) == f"{text}WeightNorm(dim=0)"
    assert repr(utils.spectral_norm(nn.Linear(3, 4))) == f"{text}SpectralNorm(n_power_iterations=1, dim=0)"
