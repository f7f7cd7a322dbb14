"""Every layer against PyTorch over random shapes and options: output, ∂J/∂input, parameter gradients and buffers.

Hypothesis draws the options; what PyTorch accepts numnet computes alike, and what PyTorch refuses numnet refuses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet import nn
from numnet.errors import NumnetError

torch = pytest.importorskip("torch", reason='PyTorch is not installed: pip install ".[test]"')

small = st.integers(1, 4)
batch = st.integers(0, 3)
dtypes = st.sampled_from([np.float64, np.float32])
seeds = st.integers(0, 2**32 - 1)
TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


def numbers(seed: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Numbers without ties, so that every maximum is one element."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2 + 0.25) / max(size, 1) * 6).reshape(shape).astype(dtype)


def close(got: np.ndarray, right: np.ndarray, what: str, terms: float = 0.0) -> None:
    tolerance = TOLERANCE[right.dtype]
    assert got.dtype == right.dtype, what
    floor = terms if right.dtype == np.float32 else terms * 1e-4  # float64 has digits to spare for what cancels
    scale = max(float(np.abs(right).max(initial=0)), floor)
    np.testing.assert_allclose(got, right, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def agree(ours: nn.Module, theirs: Any, x: np.ndarray, seed: int, *others: np.ndarray, terms: float = 0.0) -> None:
    """Shared weights, one forward and backward of each, everything compared.

    ``terms`` is the size of the terms of ∂J/∂x, where they nearly cancel and their rounding is what is left.
    """
    ours.to(x.dtype)
    theirs.to(torch.float64 if x.dtype == np.float64 else torch.float32)
    ours.load_state_dict(theirs.state_dict())
    tx = torch.from_numpy(x.copy()).requires_grad_()
    try:
        right = theirs(tx, *[torch.from_numpy(a.copy()) for a in others])
    except (RuntimeError, ValueError) as error:
        with pytest.raises(NumnetError):
            print(f"PyTorch refuses: {error}; numnet gives {ours(x, *others)}")
        return
    y = ours(x, *others)
    close(y, right.detach().numpy(), "output")
    delta = numbers(seed + 1, y.shape, x.dtype)
    right.backward(torch.from_numpy(delta))
    close(ours.backward(delta), tx.grad.numpy(), "∂J/∂x", terms)
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        # a float32 sum of n terms of both signs is off by rounding in its terms, PyTorch's too
        summed = float(np.abs(delta).sum()) / 10 if x.dtype == np.float32 else 0.0
        close(parameter.grad, gradients[name].grad.numpy(), f"∂J/∂{name}", summed)
    for name, value in theirs.state_dict().items():
        if name not in gradients:
            tolerance = TOLERANCE.get(value.numpy().dtype, 0)  # counts are exact
            buffer = ours.state_dict()[name]
            np.testing.assert_allclose(buffer, value.numpy(), rtol=tolerance, atol=tolerance / 10, err_msg=name)


@given(st.lists(batch, min_size=0, max_size=2), small, small, st.booleans(), dtypes, seeds)
def test_linear(leading: list[int], features: int, out: int, bias: bool, dtype: Any, seed: int) -> None:
    x = numbers(seed, (*leading, features), dtype)
    agree(nn.Linear(features, out, bias), torch.nn.Linear(features, out, bias), x, seed)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # PyTorch's: it pads in a copy of x
@given(st.data(), dtypes, seeds)
def test_conv2d(data: st.DataObject, dtype: Any, seed: int) -> None:
    groups = data.draw(st.integers(1, 3), "groups")
    channels, filters = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 3))
    kernel = data.draw(st.tuples(small, small), "kernel")
    same = data.draw(st.booleans(), "same")
    stride = 1 if same else data.draw(st.tuples(small, small), "stride")
    padding = "same" if same else data.draw(st.sampled_from(["valid", 0, 1, (2, 0), (1, 3)]), "padding")
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": data.draw(st.tuples(st.integers(1, 3), st.integers(1, 2)), "dilation"),
        "groups": groups,
        "bias": data.draw(st.booleans(), "bias"),
        "padding_mode": data.draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]), "mode"),
    }
    size = data.draw(st.tuples(st.integers(1, 11), st.integers(1, 11)), "size")
    n = data.draw(st.integers(1, 3), "n")
    x = numbers(seed, (n, channels, *size), dtype)
    agree(
        nn.Conv2d(channels, filters, kernel, **options), torch.nn.Conv2d(channels, filters, kernel, **options), x, seed
    )


@given(st.data(), dtypes, seeds)
def test_max_pool2d(data: st.DataObject, dtype: Any, seed: int) -> None:
    kernel = data.draw(st.tuples(small, small), "kernel")
    options = {
        "stride": data.draw(st.none() | st.tuples(small, small), "stride"),
        "dilation": (dilation := data.draw(st.sampled_from([1, 1, 2]), "dilation")),
        # dilated and padded windows may see padding alone: PyTorch then answers -inf, numnet refuses
        "padding": (0, 0) if dilation == 2 else data.draw(st.tuples(*(st.integers(0, k // 2) for k in kernel))),
        "ceil_mode": data.draw(st.booleans(), "ceil_mode"),
    }
    size = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)), "size")
    x = numbers(seed, (data.draw(st.integers(1, 3)), data.draw(small), *size), dtype)
    agree(nn.MaxPool2d(kernel, **options), torch.nn.MaxPool2d(kernel, **options), x, seed)


@given(st.data(), dtypes, seeds)
def test_avg_pool2d(data: st.DataObject, dtype: Any, seed: int) -> None:
    kernel = data.draw(st.tuples(small, small), "kernel")
    options = {
        "stride": data.draw(st.none() | st.tuples(small, small), "stride"),
        "padding": data.draw(st.tuples(*(st.integers(0, k // 2) for k in kernel)), "padding"),
        "ceil_mode": data.draw(st.booleans(), "ceil_mode"),
        "count_include_pad": data.draw(st.booleans(), "count_include_pad"),
        "divisor_override": data.draw(st.none() | st.integers(1, 5), "divisor"),
    }
    size = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)), "size")
    x = numbers(seed, (data.draw(st.integers(1, 3)), data.draw(small), *size), dtype)
    agree(nn.AvgPool2d(kernel, **options), torch.nn.AvgPool2d(kernel, **options), x, seed)


@given(st.sampled_from(["ReLU", "Sigmoid", "Tanh"]), st.lists(st.integers(0, 5), max_size=4), dtypes, seeds)
def test_activations(name: str, shape: list[int], dtype: Any, seed: int) -> None:
    agree(getattr(nn, name)(), getattr(torch.nn, name)(), numbers(seed, tuple(shape), dtype), seed)


@given(st.data(), st.sampled_from(["Softmax", "LogSoftmax"]), dtypes, seeds)
def test_softmax(data: st.DataObject, name: str, dtype: Any, seed: int) -> None:
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4), "shape")
    dim = data.draw(st.integers(-len(shape), len(shape) - 1), "dim")
    agree(getattr(nn, name)(dim), getattr(torch.nn, name)(dim), numbers(seed, tuple(shape), dtype), seed)


@given(st.data(), dtypes, seeds)
def test_batch_norm(data: st.DataObject, dtype: Any, seed: int) -> None:
    options = {
        "momentum": data.draw(st.sampled_from([0.1, 0.7, None]), "momentum"),
        "affine": data.draw(st.booleans(), "affine"),
        "track_running_stats": data.draw(st.booleans(), "track"),
    }
    channels = data.draw(small, "channels")
    axes = data.draw(st.integers(0, 2), "axes")
    shape = (data.draw(st.integers(1, 4), "n"), channels, *data.draw(st.tuples(*[small] * axes), "spatial"))
    name = "BatchNorm2d" if axes == 2 else "BatchNorm1d"
    ours, theirs = getattr(nn, name)(channels, **options), getattr(torch.nn, name)(channels, **options)
    pair = np.prod(shape) == 2 * channels  # with two numbers a channel x̂ is ±1 and ∂J/∂x is rounding alone
    for _ in range(0 if pair else data.draw(st.integers(1, 2), "calls")):
        x = numbers(seed, shape, dtype)
        std = x.std(axis=tuple(i for i in range(x.ndim) if i != 1))
        agree(ours, theirs, x, seed, terms=3 / float(std.min(initial=1)) if x.size > channels else 0.0)
        theirs.zero_grad()
        ours.zero_grad()
    if options["track_running_stats"] or not pair:
        agree(ours.eval(), theirs.eval(), numbers(seed + 7, shape, dtype), seed, terms=20.0)


reductions = st.sampled_from(["mean", "sum", "none"])


@given(st.data(), reductions, dtypes, seeds)
def test_cross_entropy(data: st.DataObject, reduction: str, dtype: Any, seed: int) -> None:
    classes, n = data.draw(small, "classes"), data.draw(st.integers(1, 4), "n")
    spatial = data.draw(st.lists(small, max_size=2), "spatial")
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.2, 2, classes).astype(dtype) if data.draw(st.booleans(), "weight") else None
    smoothing = data.draw(st.sampled_from([0.0, 0.0, 0.3]), "smoothing")
    options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    if data.draw(st.booleans(), "probabilities"):
        target = rng.random((n, classes, *spatial)).astype(dtype)
    else:
        target = rng.integers(0, classes, (n, *spatial))
        options["ignore_index"] = data.draw(st.sampled_from([-100, 0]), "ignore_index")
        if (target == options["ignore_index"]).all():
            return  # the mean over nothing: NaN in PyTorch, an error here
    ours = nn.CrossEntropyLoss(weight, **options)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.from_numpy(weight), **options)
    agree(ours, theirs, numbers(seed, (n, classes, *spatial), dtype), seed, target)


@given(st.data(), reductions, dtypes, seeds)
def test_nll(data: st.DataObject, reduction: str, dtype: Any, seed: int) -> None:
    classes, n = data.draw(st.integers(2, 5), "classes"), data.draw(st.integers(1, 4), "n")
    spatial = data.draw(st.lists(small, max_size=2), "spatial")
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.2, 2, classes).astype(dtype) if data.draw(st.booleans(), "weight") else None
    z = numbers(seed, (n, classes, *spatial), np.float64)
    x = (z - np.log(np.exp(z).sum(1, keepdims=True))).astype(dtype)
    ours = nn.NLLLoss(weight, reduction=reduction)
    theirs = torch.nn.NLLLoss(None if weight is None else torch.from_numpy(weight), reduction=reduction)
    agree(ours, theirs, x, seed, rng.integers(0, classes, (n, *spatial)))


@given(
    st.sampled_from(["MSELoss", "BCELoss", "BCEWithLogitsLoss"]),
    st.lists(st.integers(1, 4), max_size=3),
    reductions,
    st.booleans(),
    dtypes,
    seeds,
)
def test_elementwise_losses(name: str, shape: list[int], reduction: str, weighted: bool, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {"reduction": reduction}
    torch_options = dict(options)
    if weighted and name != "MSELoss":
        options["weight"] = rng.uniform(0.2, 2, shape).astype(dtype)
        torch_options["weight"] = torch.from_numpy(np.asarray(options["weight"]))
    x = (rng.uniform(0.02, 0.98, shape) if name == "BCELoss" else 4 * rng.standard_normal(shape)).astype(dtype)
    target = rng.random(shape).astype(dtype)
    agree(
        getattr(nn, name)(**options), getattr(torch.nn, name)(**torch_options), np.asarray(x), seed, np.asarray(target)
    )


def sizes(data: st.DataObject, axes: int, least: int = 1, most: int = 8) -> tuple[int, ...]:
    return data.draw(st.tuples(*[st.integers(least, most)] * axes), "size")


def named(name: str, axes: int) -> tuple[Any, Any]:
    return getattr(nn, f"{name}{axes}d"), getattr(torch.nn, f"{name}{axes}d")


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(st.data(), st.sampled_from([1, 3]), dtypes, seeds)
def test_conv_1d_3d(data: st.DataObject, axes: int, dtype: Any, seed: int) -> None:
    groups = data.draw(st.integers(1, 2), "groups")
    channels, filters = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    kernel = sizes(data, axes, 1, 3)
    options = {
        "stride": sizes(data, axes, 1, 3),
        "padding": sizes(data, axes, 0, 2),
        "dilation": sizes(data, axes, 1, 2),
        "groups": groups,
        "padding_mode": data.draw(st.sampled_from(["zeros", "circular", "replicate"]), "mode"),
    }
    ours, theirs = (make(channels, filters, kernel, **options) for make in named("Conv", axes))
    alone = data.draw(st.booleans(), "alone")
    shape = (channels, *sizes(data, axes, 2, 6 if axes == 3 else 12))
    agree(ours, theirs, numbers(seed, shape if alone else (2, *shape), dtype), seed)


@given(st.data(), st.sampled_from([1, 2, 3]), dtypes, seeds)
def test_conv_transpose(data: st.DataObject, axes: int, dtype: Any, seed: int) -> None:
    groups = data.draw(st.integers(1, 2), "groups")
    channels, filters = groups * data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2))
    stride, dilation = sizes(data, axes, 1, 3), sizes(data, axes, 1, 2)
    beyond = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    options = {
        "stride": stride,
        "padding": sizes(data, axes, 0, 1),
        "output_padding": beyond,
        "dilation": dilation,
        "groups": groups,
        "bias": data.draw(st.booleans(), "bias"),
    }
    kernel = sizes(data, axes, 2, 3)
    ours, theirs = (make(channels, filters, kernel, **options) for make in named("ConvTranspose", axes))
    x = numbers(seed, (data.draw(st.integers(1, 2), "n"), channels, *sizes(data, axes, 3, 5)), dtype)
    agree(ours, theirs, x, seed)


@given(st.data(), st.sampled_from(["AdaptiveAvgPool", "AdaptiveMaxPool"]), st.sampled_from([1, 2, 3]), dtypes, seeds)
def test_adaptive_pools(data: st.DataObject, name: str, axes: int, dtype: Any, seed: int) -> None:
    out = data.draw(st.tuples(*[st.integers(1, 4) if axes == 1 else st.none() | st.integers(1, 4)] * axes), "out")
    ours, theirs = (make(out) for make in named(name, axes))
    agree(ours, theirs, numbers(seed, (2, 2, *sizes(data, axes, 1, 7)), dtype), seed)


@given(st.data(), st.sampled_from(["layer", "group", "rms", "instance"]), dtypes, seeds)
def test_norms_of_each_sample(data: st.DataObject, name: str, dtype: Any, seed: int) -> None:
    affine = data.draw(st.booleans(), "affine")
    shape = (data.draw(st.integers(1, 3), "n"), 4, 3, data.draw(st.integers(1, 4), "width"))
    if name == "layer":
        axes = data.draw(st.integers(1, 3), "axes")
        ours, theirs = (m.LayerNorm(shape[-axes:], elementwise_affine=affine) for m in (nn, torch.nn))
        shape = shape if shape[-1] > 2 or axes > 1 else (*shape[:-1], 3)
        ours, theirs = (m.LayerNorm(shape[-axes:], elementwise_affine=affine) for m in (nn, torch.nn))
    elif name == "group":
        groups = data.draw(st.sampled_from([1, 2, 4]), "groups")
        ours, theirs = (m.GroupNorm(groups, 4, affine=affine) for m in (nn, torch.nn))
    elif name == "rms":
        ours, theirs = (m.RMSNorm(shape[-2:], elementwise_affine=affine) for m in (nn, torch.nn))
    else:
        ours, theirs = (m.InstanceNorm2d(4, affine=affine) for m in (nn, torch.nn))
    agree(ours, theirs, numbers(seed, shape, dtype), seed, terms=60.0)


PARAMETERLESS = [
    ("ELU", {"alpha": 0.7}),
    ("SELU", {}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Softplus", {"beta": 2.0, "threshold": 3.0}),
    ("LogSigmoid", {}),
    ("Softsign", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("Hardswish", {}),
    ("Tanhshrink", {}),
]


@given(st.sampled_from(PARAMETERLESS), st.lists(st.integers(0, 4), max_size=3), dtypes, seeds)
def test_more_activations(case: tuple[str, dict[str, Any]], shape: list[int], dtype: Any, seed: int) -> None:
    name, options = case
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    agree(ours, theirs, numbers(seed, tuple(shape), dtype), seed, terms=1.0)


@given(st.sampled_from(["L1Loss", "SmoothL1Loss", "HuberLoss", "SoftMarginLoss"]), reductions, dtypes, seeds)
def test_more_losses(name: str, reduction: str, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, target = (2 * rng.standard_normal((2, 3, 4))).astype(dtype).copy(), rng.standard_normal((3, 4)).astype(dtype)
    if name == "SoftMarginLoss":
        target = np.where(target > 0, 1, -1).astype(dtype)
    agree(getattr(nn, name)(reduction=reduction), getattr(torch.nn, name)(reduction=reduction), x[0], seed, target)
