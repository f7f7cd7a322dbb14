from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import manual_seed, nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.inspect import gradcheck

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True", "ignore:Support for mismatched")

RNG = np.random.default_rng(0)
N, S, T, E, H = 2, 4, 3, 6, 2
SMALL = {"d_model": E, "nhead": H, "dim_feedforward": 5, "dropout": 0.0}
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}


def close(got: np.ndarray, right: Any, what: str) -> None:
    right = right.detach().numpy()
    tolerance = TOLERANCE[right.dtype.type]
    assert got.dtype == right.dtype, what
    np.testing.assert_allclose(got, right, tolerance, tolerance * max(1, np.abs(right).max(initial=0)), err_msg=what)


def share(torch: ModuleType, ours: Any, theirs: Any, dtype: Any = np.float64) -> None:
    """Give both the same random parameters (norms and biases start as 1 and 0)."""
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(RNG.normal(size=tuple(p.shape)) / 2))
    ours.to(dtype)
    theirs.to(torch.from_numpy(np.zeros(1, dtype)).dtype)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    ours.load_state_dict(theirs.state_dict())


def compare(torch: ModuleType, ours: Any, theirs: Any, inputs: list[np.ndarray], **options: Any) -> None:
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    arrays = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    theirs.zero_grad()
    right = theirs(*leaves, **arrays)
    y = ours(*inputs, **options)
    close(y, right, "y")
    delta = np.linspace(-1, 2, y.size).reshape(y.shape).astype(y.dtype)
    right.backward(torch.from_numpy(delta))
    ours.zero_grad()
    deltas = ours.backward(delta)
    for x, d in zip(leaves, deltas if isinstance(deltas, tuple) else (deltas,), strict=True):
        close(d, x.grad, "∂J/∂x")
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        close(p.grad, q.grad, name)


def sequence(length: int, batched: bool, batch_first: bool, dtype: Any = np.float64) -> np.ndarray:
    shape = ((N, length) if batch_first else (length, N)) if batched else (length,)
    return RNG.normal(size=(*shape, E)).astype(dtype)


def hidden(*shape: int) -> np.ndarray:
    """A boolean mask that hides some keys, and never the first."""
    mask = RNG.random(shape) < 0.4
    mask[..., 0] = False
    return mask


def padding(length: int, batched: bool) -> np.ndarray:
    return hidden(*((N, length) if batched else (length,)))


CONSTRUCTIONS: list[dict[str, Any]] = [
    {},
    {"activation": "gelu"},
    {"norm_first": True},
    {"norm_first": True, "activation": "gelu", "bias": False},
    {"bias": False, "layer_norm_eps": 0.1},
    {"batch_first": True},
    {"batch_first": True, "norm_first": True},
]
every_construction = pytest.mark.parametrize("construction", CONSTRUCTIONS, ids=str)
in_both_dtypes = pytest.mark.parametrize(
    "construction, dtype",
    [(c, np.float64) for c in CONSTRUCTIONS] + [(c, np.float32) for c in CONSTRUCTIONS[1:3]],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value),
)
every_input = pytest.mark.parametrize("batched, training", [(True, True), (False, True), (True, False)])


@in_both_dtypes
@every_input
@pytest.mark.parametrize("masks", ["none", "boolean", "numbers", "padding", "both", "causal"])
def test_encoder_layer(
    torch: ModuleType, dtype: Any, construction: dict[str, Any], batched: bool, training: bool, masks: str
) -> None:
    ours = nn.TransformerEncoderLayer(**SMALL, **construction)
    theirs = torch.nn.TransformerEncoderLayer(**SMALL, **construction)
    share(torch, ours, theirs, dtype)
    options: dict[str, Any] = {}
    if masks in ("boolean", "both"):
        options["src_mask"] = hidden(S, S)
    if masks == "numbers":
        options["src_mask"] = RNG.normal(size=(S, S)).astype(dtype)
    if masks == "causal":
        options["src_mask"] = nn.Transformer.generate_square_subsequent_mask(S, dtype=dtype)
        options["is_causal"] = True
    if masks in ("padding", "both"):
        options["src_key_padding_mask"] = padding(S, batched)
    x = sequence(S, batched, construction.get("batch_first", False), dtype)
    compare(torch, ours.train(training), theirs.train(training), [x], **options)


@in_both_dtypes
@every_input
@pytest.mark.parametrize("masks", ["none", "self", "memory", "padding", "all", "causal"])
def test_decoder_layer(
    torch: ModuleType, dtype: Any, construction: dict[str, Any], batched: bool, training: bool, masks: str
) -> None:
    ours = nn.TransformerDecoderLayer(**SMALL, **construction)
    theirs = torch.nn.TransformerDecoderLayer(**SMALL, **construction)
    share(torch, ours, theirs, dtype)
    options: dict[str, Any] = {}
    if masks in ("self", "all"):
        options["tgt_mask"] = hidden(T, T)
    if masks in ("memory", "all"):
        options["memory_mask"] = RNG.normal(size=(T, S)).astype(dtype)
    if masks in ("padding", "all"):
        options["tgt_key_padding_mask"] = padding(T, batched)
        options["memory_key_padding_mask"] = padding(S, batched)
    if masks == "causal":
        options["tgt_mask"] = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
        options["tgt_is_causal"] = True
    batch_first = construction.get("batch_first", False)
    inputs = [sequence(length, batched, batch_first, dtype) for length in (T, S)]
    compare(torch, ours.train(training), theirs.train(training), inputs, **options)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@every_input
def test_encoder(torch: ModuleType, layers: int, norm: bool, batched: bool, training: bool) -> None:
    ours, theirs = (
        m.TransformerEncoder(m.TransformerEncoderLayer(**SMALL), layers, m.LayerNorm(E) if norm else None)
        for m in (nn, torch.nn)
    )
    share(torch, ours, theirs)
    x = sequence(S, batched, False)
    masks = {"mask": hidden(S, S), "src_key_padding_mask": padding(S, batched)}
    compare(torch, ours.train(training), theirs.train(training), [x], **masks)
    causal = nn.Transformer.generate_square_subsequent_mask(S, dtype=np.float64)
    for is_causal in (None, True, False):
        compare(torch, ours, theirs, [x], mask=causal, is_causal=is_causal)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@every_input
def test_decoder(torch: ModuleType, layers: int, norm: bool, batched: bool, training: bool) -> None:
    ours, theirs = (
        m.TransformerDecoder(m.TransformerDecoderLayer(**SMALL), layers, m.LayerNorm(E) if norm else None)
        for m in (nn, torch.nn)
    )
    share(torch, ours, theirs)
    masks = {
        "tgt_mask": hidden(T, T),
        "memory_mask": hidden(T, S),
        "tgt_key_padding_mask": padding(T, batched),
        "memory_key_padding_mask": padding(S, batched),
    }
    inputs = [sequence(length, batched, False) for length in (T, S)]
    compare(torch, ours.train(training), theirs.train(training), inputs, **masks)


@every_construction
@every_input
def test_transformer(torch: ModuleType, construction: dict[str, Any], batched: bool, training: bool) -> None:
    sizes = SMALL | {"num_encoder_layers": 2, "num_decoder_layers": 1}
    ours, theirs = nn.Transformer(**sizes, **construction), torch.nn.Transformer(**sizes, **construction)
    share(torch, ours, theirs)
    ours.train(training)
    theirs.train(training)
    batch_first = construction.get("batch_first", False)
    inputs = [sequence(length, batched, batch_first) for length in (S, T)]
    compare(torch, ours, theirs, inputs)
    causal = nn.Transformer.generate_square_subsequent_mask(T, dtype=np.float64)
    masks = {
        "src_mask": hidden(S, S),
        "memory_mask": RNG.normal(size=(T, S)),
        "src_key_padding_mask": padding(S, batched),
        "memory_key_padding_mask": padding(S, batched),
    }
    compare(torch, ours, theirs, inputs, tgt_mask=causal, **masks)
    compare(torch, ours, theirs, inputs, tgt_mask=causal, tgt_is_causal=True)


@pytest.mark.parametrize(
    "ours, name",
    [(F.relu, "relu"), (nn.ReLU(), "relu"), ("relu", "relu"), ("gelu", "gelu"), (lambda z: z.relu() * 1.0, "relu")],
)
def test_activations(torch: ModuleType, ours: Any, name: str) -> None:
    layer = nn.TransformerEncoderLayer(**SMALL, activation=ours)
    theirs = torch.nn.TransformerEncoderLayer(**SMALL, activation=name)
    share(torch, layer, theirs)
    compare(torch, layer, theirs, [sequence(S, True, False)])


def test_an_activation_with_parameters_is_saved(torch: ModuleType) -> None:
    ours, theirs = (m.TransformerDecoderLayer(**SMALL, activation=m.PReLU()) for m in (nn, torch.nn))
    share(torch, ours, theirs)
    compare(torch, ours, theirs, [sequence(T, True, False), sequence(S, True, False)])


def test_the_causal_mask(torch: ModuleType) -> None:
    for size in (1, 4):
        mask = nn.Transformer.generate_square_subsequent_mask(size)
        right = torch.nn.Transformer.generate_square_subsequent_mask(size)
        assert mask.dtype == np.float32
        np.testing.assert_array_equal(mask, right.numpy())


def test_no_position_sees_a_later_one() -> None:
    layer = nn.TransformerEncoderLayer(**SMALL)
    mask = nn.Transformer.generate_square_subsequent_mask(S)
    x = sequence(S, True, False, np.float32)
    changed = x.copy()
    changed[-1] += 1
    y, z = layer(x, src_mask=mask), layer(changed, src_mask=mask)
    np.testing.assert_array_equal(y[:-1], z[:-1])
    assert (y[-1] != z[-1]).any()


def test_gradients_numerically() -> None:
    sizes = {"d_model": 4, "nhead": 2, "dim_feedforward": 3, "num_encoder_layers": 1, "num_decoder_layers": 1}
    net = nn.Transformer(**sizes, activation="gelu", dropout=0.2).double()
    report = gradcheck(net, RNG.normal(size=(3, 1, 4)), RNG.normal(size=(2, 1, 4)))
    assert report.ok, str(report)


def test_copies_start_equal_and_draw_apart() -> None:
    rng = np.random.default_rng(1)
    options = SMALL | {"dropout": 0.5}
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**options, rng=rng), 2)
    first, second = encoder.layers
    np.testing.assert_array_equal(first.linear1.weight.data, second.linear1.weight.data)
    assert first.linear1.weight is not second.linear1.weight
    assert first.dropout.rng is second.dropout.rng is rng
    x = np.ones((50, E), np.float32)
    assert (first.dropout(x) != second.dropout(x)).any()
    assert nn.TransformerEncoder(nn.TransformerEncoderLayer(**options), 2).layers[1].dropout.rng is None


def test_the_same_seed_gives_the_same_network_and_the_same_masks() -> None:
    def run() -> list[np.ndarray]:
        manual_seed(5)
        net = nn.Transformer(**SMALL | {"dropout": 0.3}, num_encoder_layers=1, num_decoder_layers=1)
        x = np.linspace(-1, 1, S * E, dtype=np.float32).reshape(S, E)
        y = net(x, x)
        return [y, *net.backward(y), *(p.grad for p in net.parameters())]

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_initial_values_as_pytorchs(torch: ModuleType) -> None:
    sizes = {"d_model": 32, "nhead": 4, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 64}
    theirs = dict(torch.nn.Transformer(**sizes).named_parameters())
    for name, p in nn.Transformer(**sizes).named_parameters():
        right = theirs[name].detach().numpy()
        assert p.data.std() == pytest.approx(right.std(), rel=0.1, abs=0.04), name
        assert np.abs(p.data).max() == pytest.approx(np.abs(right).max(), rel=0.05, abs=0.02), name


def test_parts_of_ones_own() -> None:
    class Half(nn.Module):
        def forward(self, src: Any, **options: Any) -> Any:
            assert options == {"mask": None, "src_key_padding_mask": None, "is_causal": None}
            return src * 0.5

    class Sum(nn.Module):
        def forward(self, tgt: Any, memory: Any, **options: Any) -> Any:
            return tgt + memory

    net = nn.Transformer(**SMALL, custom_encoder=Half(), custom_decoder=Sum())
    x = np.ones((S, N, E), np.float32)
    np.testing.assert_array_equal(net(x, x), x * 1.5)


@pytest.mark.parametrize("make", [nn.TransformerEncoderLayer, nn.TransformerDecoderLayer])
@pytest.mark.parametrize("norm_first", [True, False])
def test_arrays_among_tensors_are_on_the_tape(make: Callable[..., Any], norm_first: bool) -> None:
    layer = make(**SMALL, norm_first=norm_first)
    inputs = [np.ones((S, E), np.float32)] * (2 if layer.attends_to_memory else 1)
    mask = tensor(nn.Transformer.generate_square_subsequent_mask(S))
    layer(*inputs, mask).sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_children_have_names() -> None:
    net = nn.Transformer(**SMALL, num_encoder_layers=1, num_decoder_layers=2)
    assert isinstance(net.get_submodule("decoder.layers.1.multihead_attn.attention"), nn.ScaledDotProductAttention)
    assert isinstance(net.get_submodule("encoder.layers.0.activation"), nn.ReLU)


def test_what_does_not_fit_is_named() -> None:
    net = nn.Transformer(**SMALL, num_encoder_layers=1, num_decoder_layers=1)
    x = np.ones((S, N, E), np.float32)
    for src, tgt in ((x, x[:, :1]), (x, x[..., :1]), (x, x[:, 0]), (x[..., :4], x[..., :4]), (x[None], x[None])):
        with pytest.raises(ShapeError, match=r"(?s)Transformer, forward.*\(S, N, 6\) and \(T, N, 6\).*batch_first"):
            net(src, tgt)
    with pytest.raises(ShapeError, match=r"\(N, S, 6\)"):
        nn.Transformer(**SMALL, num_encoder_layers=1, num_decoder_layers=1, batch_first=True)(x, x[:1])
    with pytest.raises(ShapeError, match=r"(?s)MultiheadAttention.*attn_mask of shape \(4, 4\)"):
        net(x, x, tgt_mask=np.ones((3, 3), bool))
    with pytest.raises(DtypeError, match=r"(?s)float32.*boolean mask"):
        net(x, x, src_mask=np.zeros((S, S)))
    with pytest.raises(OptionError, match=r"is_causal=True is a hint"):
        net(x, x, tgt_is_causal=True)


@pytest.mark.parametrize(
    "options, message", [({"activation": "swish"}, "relu.*gelu.*'swish'"), ({"nhead": 4}, "divide embed_dim")]
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=f"(?s){message}"):
        nn.TransformerEncoderLayer(**SMALL | options)
