from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import Tensor, manual_seed, nn, tensor
from numnet.errors import DtypeError, NumnetError, OptionError, ShapeError
from numnet.nn.functional.run import Functional

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 4, 5, 6))
ROWS = RNG.normal(size=(5, 4))
LABELS = RNG.integers(0, 4, 5)
P = RNG.uniform(0.05, 0.95, (5, 4))
SEQUENCES, VOLUMES = RNG.normal(size=(2, 4, 7)), RNG.normal(size=(2, 4, 3, 4, 5))
PLACES = [RNG.permutation(size)[:n] for n, size in ((7, 14), (30, 120), (60, 480))]  # of max unpooling
PLACES = [places + np.zeros((2, 4, 1), np.int64) for places in PLACES]
CASES: list[tuple[str, tuple[np.ndarray, ...], dict[str, Any]]] = [
    ("relu", (ROWS,), {}),
    ("sigmoid", (ROWS,), {}),
    ("tanh", (ROWS,), {}),
    ("softmax", (ROWS,), {"dim": 1}),
    ("softmin", (ROWS,), {"dim": 1}),
    ("celu", (ROWS,), {"alpha": 0.5}),
    ("elu", (ROWS,), {"alpha": 0.5}),
    ("gelu", (ROWS,), {"approximate": "tanh"}),
    ("glu", (ROWS,), {"dim": 1}),
    ("hardshrink", (ROWS,), {"lambd": 0.2}),
    ("hardswish", (ROWS,), {}),
    ("hardtanh", (ROWS,), {"min_val": -0.5, "max_val": 0.7}),
    ("leaky_relu", (ROWS,), {"negative_slope": 0.2}),
    ("logsigmoid", (ROWS,), {}),
    ("mish", (ROWS,), {}),
    ("prelu", (IMAGES, P[0]), {}),
    ("prelu", (IMAGES, P[0, :1]), {}),
    ("relu6", (ROWS,), {}),
    ("rrelu", (ROWS,), {"lower": 0.2, "upper": 0.4}),
    ("rrelu", (ROWS,), {"lower": 0.2, "upper": 0.2, "training": True}),
    ("selu", (ROWS,), {}),
    ("silu", (ROWS,), {}),
    ("softplus", (ROWS,), {"beta": 2.0, "threshold": 1.0}),
    ("softshrink", (ROWS,), {"lambd": 0.2}),
    ("softsign", (ROWS,), {}),
    ("tanhshrink", (ROWS,), {}),
    ("threshold", (ROWS, 0.1, 20.0), {}),
    ("log_softmax", (IMAGES,), {"dim": 1}),
    ("dropout", (ROWS,), {"p": 0.5, "training": False}),
    ("dropout1d", (ROWS,), {"p": 1.0}),
    ("dropout2d", (IMAGES,), {"p": 0.5, "training": False}),
    ("dropout3d", (IMAGES,), {"p": 0.0}),
    ("alpha_dropout", (ROWS,), {"p": 0.5}),
    ("feature_alpha_dropout", (IMAGES,), {"p": 1.0, "training": True}),
    ("layer_norm", (IMAGES, (5, 6), RNG.normal(size=(5, 6)), RNG.normal(size=(5, 6))), {"eps": 0.1}),
    ("layer_norm", (ROWS, [4]), {}),
    ("rms_norm", (ROWS, (4,), RNG.normal(size=4)), {}),
    ("group_norm", (IMAGES, 2, RNG.normal(size=4), RNG.normal(size=4)), {}),
    ("group_norm", (IMAGES, 4), {"eps": 0.1}),
    ("instance_norm", (IMAGES,), {"eps": 0.1}),
    ("instance_norm", (IMAGES[0], None, None, RNG.normal(size=5)), {}),
    ("local_response_norm", (IMAGES, 3), {"alpha": 0.5, "beta": 1.0, "k": 2.0}),
    ("linear", (ROWS, RNG.normal(size=(3, 4)), RNG.normal(size=3)), {}),
    ("linear", (IMAGES, RNG.normal(size=(3, 6))), {}),
    ("bilinear", (ROWS, P, RNG.normal(size=(3, 4, 4)), RNG.normal(size=3)), {}),
    ("bilinear", (ROWS, P, RNG.normal(size=(3, 4, 4))), {}),
    ("embedding", (LABELS, P), {"padding_idx": 1, "scale_grad_by_freq": True}),
    ("interpolate", (IMAGES,), {"scale_factor": 1.5, "mode": "bilinear", "align_corners": False}),
    ("interpolate", (IMAGES,), {"size": (3, 9)}),
    ("channel_shuffle", (IMAGES, 2), {}),
    ("pixel_shuffle", (IMAGES, 2), {}),
    ("pixel_unshuffle", (IMAGES[:, :, :4], 2), {}),
    ("conv2d", (IMAGES, RNG.normal(size=(3, 4, 3, 2)), RNG.normal(size=3)), {"stride": 2, "padding": (1, 0)}),
    ("conv2d", (IMAGES, RNG.normal(size=(6, 2, 3, 3))), {"padding": "same", "dilation": 2, "groups": 2}),
    ("conv1d", (SEQUENCES, RNG.normal(size=(6, 2, 3)), RNG.normal(size=6)), {"padding": 2, "groups": 2}),
    ("conv3d", (VOLUMES, RNG.normal(size=(3, 4, 2, 3, 1))), {"stride": (1, 2, 1), "dilation": (2, 1, 1)}),
    ("conv_transpose1d", (SEQUENCES, RNG.normal(size=(4, 3, 3)), RNG.normal(size=6)), {"groups": 2, "dilation": 2}),
    ("conv_transpose2d", (IMAGES, RNG.normal(size=(4, 3, 3, 2))), {"stride": 2, "padding": 1, "output_padding": 1}),
    ("conv_transpose3d", (VOLUMES, RNG.normal(size=(4, 2, 1, 2, 2)), RNG.normal(size=2)), {"stride": (1, 2, 1)}),
    ("unfold", (IMAGES, (3, 2)), {"dilation": 2, "padding": 1, "stride": (1, 2)}),
    ("fold", (RNG.normal(size=(2, 12, 3)), (5, 3), (2, 3)), {"padding": (0, 1), "stride": (2, 1), "dilation": (3, 1)}),
    ("fold", (RNG.normal(size=(12, 4)), 3, 2), {}),
    ("pad", (IMAGES, (1, 2)), {}),
    ("pad", (IMAGES, (1, -2, 3, 0)), {"value": 1.5}),
    ("pad", (ROWS[0], (2, 1)), {"value": -1.0}),
    ("pad", (VOLUMES, (1, 0, 0, 2, -1, 1, 2, 1, 0, 1)), {"mode": "constant", "value": 2.0}),
    ("pad", (SEQUENCES, (3, 2)), {"mode": "reflect"}),
    ("pad", (IMAGES, (3, 2, 1, 4)), {"mode": "reflect"}),
    ("pad", (VOLUMES, (1, 2, 3, 4, 5, 6)), {"mode": "replicate"}),
    ("pad", (IMAGES[0], (1, 2, 5, 0)), {"mode": "circular"}),
    ("max_pool1d", (SEQUENCES, 3, 2), {"padding": 1, "ceil_mode": True}),
    ("max_pool3d", (VOLUMES, 2), {"stride": (1, 2, 1), "dilation": (2, 1, 1)}),
    ("avg_pool1d", (SEQUENCES, 3, 2), {"padding": 1, "ceil_mode": True, "count_include_pad": False}),
    ("avg_pool3d", (VOLUMES, (1, 2, 3)), {"stride": 1, "divisor_override": 4}),
    ("lp_pool1d", (SEQUENCES, 2, 3, 2), {"ceil_mode": True}),
    ("lp_pool2d", (IMAGES, 4, (2, 3)), {}),
    ("lp_pool3d", (VOLUMES, 2.0, 2), {"stride": 1}),
    ("adaptive_avg_pool1d", (SEQUENCES, 3), {}),
    ("adaptive_avg_pool2d", (IMAGES, (None, 4)), {}),
    ("adaptive_avg_pool3d", (VOLUMES, (2, 3, None)), {}),
    ("adaptive_max_pool1d", (SEQUENCES, 3), {}),
    ("adaptive_max_pool2d", (IMAGES, (None, 4)), {}),
    ("adaptive_max_pool3d", (VOLUMES, (2, 3, None)), {}),
    ("fractional_max_pool2d", (IMAGES, 2, 3), {"_random_samples": RNG.random((2, 4, 2))}),
    ("fractional_max_pool3d", (VOLUMES, 1), {"output_ratio": 0.7, "_random_samples": RNG.random((2, 4, 3))}),
    ("max_unpool1d", (SEQUENCES, PLACES[0], 2), {}),
    ("max_unpool2d", (IMAGES, PLACES[1].reshape(IMAGES.shape), (2, 2), 2), {"output_size": (11, 13)}),
    ("max_unpool3d", (VOLUMES, PLACES[2].reshape(VOLUMES.shape), 2), {}),
    ("max_pool2d", (IMAGES, 3), {"stride": 2, "padding": 1, "ceil_mode": True}),
    ("avg_pool2d", (IMAGES, 3), {"stride": 2, "padding": 1, "count_include_pad": False}),
    ("mse_loss", (ROWS, P), {}),
    ("mse_loss", (ROWS, P), {"reduction": "sum"}),
    ("binary_cross_entropy", (P, P[::-1].copy()), {"weight": P}),
    ("binary_cross_entropy_with_logits", (ROWS, P), {"pos_weight": P[0]}),
    ("cross_entropy", (ROWS, LABELS), {"weight": P[0], "label_smoothing": 0.1}),
    ("cross_entropy", (ROWS, P), {"reduction": "none"}),
    ("nll_loss", (-P, LABELS), {"ignore_index": 1}),
]


@pytest.mark.proves("C096")
@pytest.mark.parametrize("name, inputs, options", CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_as_pytorch_with_a_gradient_for_every_input(
    torch: ModuleType, name: str, inputs: tuple[Any, ...], options: dict[str, Any]
) -> None:
    def leaf(make: Any, a: Any) -> Any:
        return make(a, requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a

    ours = [leaf(tensor, a) for a in inputs]
    theirs = [leaf(torch.tensor, a) for a in inputs]
    y = getattr(F, name)(*ours, **options)
    torch_options = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    right = getattr(torch.nn.functional, name)(*theirs, **torch_options)
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(y.data, right.detach(), rtol=1e-10, atol=1e-12)
    delta = np.linspace(-1, 2, y.data.size).reshape(y.shape)
    y.backward(delta)
    right.backward(torch.from_numpy(delta))
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, Tensor) and a.requires_grad:
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)
    arrays = getattr(F, name)(*inputs, **options)
    assert isinstance(arrays, np.ndarray | np.generic)
    np.testing.assert_array_equal(arrays, y.data)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2), (2, 4, 3, 2)], ids=str)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_moves_the_running_statistics_in_place(
    torch: ModuleType, training: bool, shape: tuple[int, ...], affine: bool
) -> None:
    x, (mean, var, weight, bias) = RNG.normal(size=shape), RNG.uniform(0.5, 2, (4, 4))
    leaves = [x, weight, bias] if affine else [x]
    ours = [tensor(a, requires_grad=True) for a in leaves]
    theirs = [torch.tensor(a, requires_grad=True) for a in leaves]
    statistics, right_statistics = [mean.copy(), var.copy()], [torch.tensor(mean), torch.tensor(var)]
    y = F.batch_norm(ours[0], *statistics, *ours[1:], training=training, momentum=0.3)
    right = torch.nn.functional.batch_norm(theirs[0], *right_statistics, *theirs[1:], training=training, momentum=0.3)
    np.testing.assert_allclose(y.data, right.detach(), rtol=1e-10)
    y.backward(x)
    right.backward(torch.from_numpy(x))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-12)
    for a, b in zip(statistics, right_statistics, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("use_input_stats", [True, False])
@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 4, 3, 2), (2, 4, 1, 3, 2)], ids=str)
def test_instance_norm_moves_the_running_statistics_in_place(
    torch: ModuleType, use_input_stats: bool, shape: tuple[int, ...]
) -> None:
    x, (mean, var, weight, bias) = RNG.normal(size=shape), RNG.uniform(0.5, 2, (4, 4))
    ours, theirs = [mean.copy(), var.copy()], [torch.tensor(mean), torch.tensor(var)]
    y = F.instance_norm(x, *ours, weight, bias, use_input_stats, 0.3)
    parameters = map(torch.from_numpy, (weight, bias))
    right = torch.nn.functional.instance_norm(torch.from_numpy(x), *theirs, *parameters, use_input_stats, 0.3)
    np.testing.assert_allclose(y, right, rtol=1e-10, atol=1e-12)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_max_pool_indices() -> None:
    y, index = F.max_pool2d(IMAGES, 2, return_indices=True)
    right, right_index = nn.MaxPool2d(2, return_indices=True)(IMAGES)
    np.testing.assert_array_equal(y, right)
    np.testing.assert_array_equal(index, right_index)


def test_maxout() -> None:
    layer = nn.Maxout(4, 3, 2).double()
    W, b = (tensor(p.data, requires_grad=True) for p in layer.parameters())
    y = F.maxout(ROWS, W, b, pieces=2)
    np.testing.assert_array_equal(y.data, layer(ROWS))
    y.backward(y.data)
    layer.backward(y.data)
    np.testing.assert_array_equal(W.grad, layer.weight.grad)
    np.testing.assert_array_equal(b.grad, layer.bias.grad)
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(4 · out, in\).*6 rows"):
        F.maxout(ROWS, W, b, pieces=4)


def test_embedding_scales_the_table_that_it_is_given(torch: ModuleType) -> None:
    table = P.copy()
    right = torch.from_numpy(P.copy())
    y = F.embedding(LABELS, table, max_norm=0.5)
    np.testing.assert_allclose(y, torch.nn.functional.embedding(torch.from_numpy(LABELS), right, max_norm=0.5))
    np.testing.assert_allclose(table, right)
    assert (table != P).any()


def test_hardsigmoid_which_pytorch_differentiates_in_float32() -> None:
    np.testing.assert_array_equal(F.hardsigmoid(ROWS), nn.Hardsigmoid()(ROWS))


def test_indices_of_adaptive_and_fractional_pooling(torch: ModuleType) -> None:
    samples = RNG.random((2, 4, 2))
    for name, arguments, options in [
        ("adaptive_max_pool2d", (3,), {}),
        ("fractional_max_pool2d", (2, 3), {"_random_samples": torch.from_numpy(samples)}),
    ]:
        right = getattr(torch.nn.functional, name)(torch.tensor(IMAGES), *arguments, return_indices=True, **options)
        own = {"_random_samples": samples} if options else {}
        for a, b in zip(getattr(F, name)(IMAGES, *arguments, return_indices=True, **own), right, strict=True):
            np.testing.assert_array_equal(a, b)


def test_fractional_pooling_draws_from_rng() -> None:
    drawn = [F.fractional_max_pool2d(IMAGES, 2, 3, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


def test_pad_refuses_what_torch_refuses() -> None:
    with pytest.raises(OptionError, match=r"(?s)constant, reflect, replicate, circular.*'mirror'"):
        F.pad(IMAGES, (1, 1), "mirror")
    with pytest.raises(OptionError, match=r"(?s)value in the mode 'constant' alone.*value=1, mode='reflect'"):
        F.pad(IMAGES, (1, 1), "reflect", 1)
    for mode in ("constant", "reflect"):
        with pytest.raises(OptionError, match=r"(?s)two widths for each axis.*pad=\(1, 1, 1\)"):
            F.pad(IMAGES, (1, 1, 1), mode)
    with pytest.raises(OptionError, match=r"pad=\(1, 1, 1, 1, 1, 1, 1, 1\)"):
        F.pad(VOLUMES, (1,) * 8, "circular")
    with pytest.raises(ShapeError, match=r"(?s)2 axes to pad.*\(4,\)"):
        F.pad(ROWS[0], (1, 1, 1, 1))


def test_a_network_of_functions_trains_its_parameters() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.W = nn.Parameter(RNG.normal(size=(3, 4)))
            self.scale = nn.Parameter(np.ones((3, 4)))

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(F.linear(x, self.W * self.scale))  # a weight that is itself computed

    net = Net()
    y = net(ROWS)
    net.backward(np.ones_like(y))
    assert net.W.grad is not None
    assert net.scale.grad is not None
    np.testing.assert_allclose(net.scale.grad, net.W.grad * net.W.data)


def test_gradients_start_from_zero_in_a_second_backward() -> None:
    W = tensor(np.ones((1, 4)), requires_grad=True)
    J = F.linear(ROWS, W).sum()
    J.backward(retain_graph=True)
    first = W.grad.copy()
    J.backward()
    np.testing.assert_array_equal(W.grad, 2 * first)


def test_no_gradient_is_computed_where_nobody_asks() -> None:
    call = nn.Call(Functional(nn.Linear(4, 3), ("weight", "bias")))
    z = call.forward(ROWS, np.ones((3, 4)), np.ones(3), needs_input_grad=(False, True, False))
    delta_x, dW, db = call.backward(z)
    assert delta_x is None
    assert dW.shape == (3, 4)
    assert db is None


def test_no_random_number_is_drawn_for_given_parameters() -> None:
    manual_seed(0)
    expected = F.dropout(np.ones(20))
    manual_seed(0)
    F.linear(ROWS, np.ones((3, 4)))
    F.conv2d(IMAGES, np.ones((3, 4, 2, 2)))
    np.testing.assert_array_equal(F.dropout(np.ones(20)), expected)


def test_parameters_as_lists() -> None:
    W, x = np.ones((4, 3)), np.ones((2, 3))
    np.testing.assert_array_equal(F.linear(x.astype("f"), W.astype("f"), [0.0, 1.0, 2.0, 3.0])[0], [3, 4, 5, 6])
    for bias in (0.0, [0, 0, 0, 0], [1.0] * 4):
        with pytest.raises(NumnetError, match=r"(?s)forward of Linear.*expected: bias"):
            F.linear(x, W, bias)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ShapeError, match=r"(?s)forward of Linear.*in=4.*\(5, 3\)"):
        F.linear(np.ones((5, 3)), np.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(out, in\).*\(4,\)"):
        F.linear(ROWS, np.ones(4))
    with pytest.raises(DtypeError, match=r"(?s)forward of Linear.*float32.*float64"):
        F.linear(ROWS, np.ones((2, 4), np.float32))
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(F, C, K, K\).*\(3, 4\)"):
        F.conv2d(IMAGES, np.ones((3, 4)))
    with pytest.raises(OptionError, match=r"(?s)running_mean and running_var.*training=True"):
        F.batch_norm(ROWS, None, None)
    with pytest.raises(ShapeError, match=r"\(N, C, …\)"):
        F.batch_norm(np.ones(3), None, None, training=True)
    with pytest.raises(OptionError, match=r"(?s)where use_input_stats is False.*use_input_stats=True"):
        F.instance_norm(IMAGES, None, None, use_input_stats=False)
    with pytest.raises(ShapeError, match=r"(?s)weight of shape \(6,\).*\(5,\)"):
        F.layer_norm(IMAGES, (6,), np.ones(5))
    with pytest.raises(ShapeError, match=r"(?s)bias of shape \(4,\).*\(4, 1\)"):
        F.group_norm(IMAGES, 2, None, np.ones((4, 1)))
    with pytest.raises(OptionError, match=r"dim=None"):
        F.softmax(ROWS)
