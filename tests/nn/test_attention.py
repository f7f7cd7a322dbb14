from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet.nn.functional as F  # noqa: N812
from numnet import manual_seed, nn, no_grad, tensor
from numnet.errors import DtypeError, OptionError, ShapeError

RNG = np.random.default_rng(0)
N, L, S, E, H = 2, 3, 5, 6, 2
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}


def close(got: np.ndarray, right: Any, what: str = "") -> None:
    right = right.detach().numpy()
    tolerance = TOLERANCE[right.dtype.type]
    assert got.dtype == right.dtype, what
    np.testing.assert_allclose(got, right, rtol=tolerance, atol=tolerance * max(1, np.abs(right).max(initial=0)))


def visible(*shape: int) -> np.ndarray:
    """A boolean mask that leaves every query its first key."""
    mask = RNG.random(shape) < 0.6
    mask[..., 0] = True
    return mask


# ---------------------------------------------------------------------------------------------- the layer

SHAPES = {
    "2 axes": ((L, E), (S, E), (S, 4)),
    "3 axes": ((N, L, E), (N, S, E), (N, S, 4)),
    "4 axes": ((N, H, L, E), (N, H, S, E), (N, H, S, E)),
    "5 axes": ((2, N, H, L, E), (2, N, H, S, E), (2, N, H, S, 1)),
    "one": ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
    "shared batch": ((N, H, L, E), (1, H, S, E), (N, 1, S, E)),
}
MASKS: dict[str, Any] = {
    "no mask": lambda shape: None,
    "boolean": lambda shape: visible(*shape),
    "boolean (L, S)": lambda shape: visible(*shape[-2:]),
    "numbers": lambda shape: RNG.normal(size=shape),
    "numbers (1, S)": lambda shape: RNG.normal(size=(1, shape[-1])),
    "-inf": lambda shape: np.where(visible(*shape), 0.0, -np.inf),
    "nothing seen": lambda shape: np.arange(shape[-2] * shape[-1]).reshape(shape[-2:]) >= shape[-1],
    "nothing seen, -inf": lambda shape: np.where(np.arange(shape[-2])[:, None] == 0, -np.inf, 0) + np.zeros(shape),
}


def compare_functional(torch: ModuleType, inputs: list[Any], dtype: Any, **options: Any) -> None:
    def typed(a: Any) -> Any:
        return a.astype(dtype) if a is not None and a.dtype.kind == "f" else a

    inputs = [typed(a) for a in inputs]
    ours = [None if a is None else tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
    theirs = [None if a is None else torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in inputs]
    y = F.scaled_dot_product_attention(*ours, **options)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        right = torch.nn.functional.scaled_dot_product_attention(*theirs, **options)
    close(y.data, right, "y")
    delta = np.linspace(-1, 2, y.data.size).reshape(y.shape).astype(dtype)
    y.backward(delta)
    right.backward(torch.from_numpy(delta))
    for name, a, b in zip("qkvM", ours, theirs, strict=False):
        if a is not None and a.requires_grad:
            close(a.grad, b.grad, f"∂J/∂{name}")
    np.testing.assert_array_equal(F.scaled_dot_product_attention(*inputs, **options), y.data)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_as_pytorch_with_every_mask(torch: ModuleType, dtype: Any, shapes: str, mask: str) -> None:
    q, k, v = (RNG.normal(size=shape) for shape in SHAPES[shapes])
    leading = np.broadcast_shapes(q.shape[:-2], k.shape[:-2])
    M = MASKS[mask]((*leading, q.shape[-2], k.shape[-2]))
    compare_functional(torch, [q, k, v, M], dtype)


@pytest.mark.parametrize("scale", [None, 0.3, 1 / np.sqrt(E)], ids=repr)
@pytest.mark.parametrize("L, S", [(3, 5), (4, 4), (5, 2), (1, 1)])
def test_causal(torch: ModuleType, dtype: Any, scale: float | None, L: int, S: int) -> None:
    q, k, v = RNG.normal(size=(N, L, E)), RNG.normal(size=(N, S, E)), RNG.normal(size=(N, S, 4))
    compare_functional(torch, [q, k, v], dtype, is_causal=True, scale=scale)


@pytest.mark.parametrize("heads", [(4, 2), (4, 4), (4, 1), (6, 3)], ids=str)
@pytest.mark.parametrize("mask", ["no mask", "boolean", "numbers"])
def test_shared_heads(torch: ModuleType, heads: tuple[int, int], mask: str) -> None:
    queries, keys = heads
    q, k, v = RNG.normal(size=(N, queries, L, E)), *RNG.normal(size=(2, N, keys, S, E))
    compare_functional(torch, [q, k, v, MASKS[mask]((N, queries, L, S))], np.float64, enable_gqa=True)


def test_weights_sum_to_1_and_their_delta_comes_back(torch: ModuleType) -> None:
    q, k, v = RNG.normal(size=(N, L, E)), RNG.normal(size=(N, S, E)), RNG.normal(size=(N, S, 4))
    layer = nn.ScaledDotProductAttention()
    y, w = layer(q, k, v)
    np.testing.assert_allclose(w.sum(-1), 1)
    np.testing.assert_allclose(w @ v, y)
    delta_w = RNG.normal(size=w.shape)
    delta_q, delta_k, delta_v = layer.backward((None, delta_w))
    leaves = [torch.tensor(a, requires_grad=True) for a in (q, k)]
    torch.softmax(leaves[0] @ leaves[1].mT / E**0.5, -1).backward(torch.from_numpy(delta_w))
    close(delta_q, leaves[0].grad)
    close(delta_k, leaves[1].grad)
    assert delta_v is None


def test_dropout_of_the_weights() -> None:
    q, k, v = RNG.normal(size=(3, 20, 50, 4))
    layer = nn.ScaledDotProductAttention(dropout_p=0.25)
    _, right = nn.ScaledDotProductAttention()(q, k, v)
    _, w = layer(q, k, v)
    dropped = w == 0
    assert 0.23 < dropped.mean() < 0.27
    np.testing.assert_allclose(w[~dropped], right[~dropped] / 0.75)
    np.testing.assert_array_equal(layer.eval()(q, k, v)[1], right)
    manual_seed(3)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.25)
    manual_seed(3)
    np.testing.assert_array_equal(layer.train()(q, k, v)[0], y)


@pytest.mark.parametrize("queries, keys", [(0, 3), (3, 0), (0, 0)])
def test_no_queries_and_no_keys(queries: int, keys: int) -> None:
    layer = nn.ScaledDotProductAttention()
    inputs = np.ones((2, queries, 4)), np.ones((2, keys, 4)), np.ones((2, keys, 3)), np.ones((queries, keys), bool)
    y, w = layer(*inputs)
    np.testing.assert_array_equal(y, np.zeros((2, queries, 3)))
    deltas = layer.backward((y, w))
    assert [d.shape for d in deltas[:3]] == [x.shape for x in inputs[:3]]
    assert not any(d.any() for d in deltas[:3])


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    "inputs, options, error, message",
    [
        ((ones(3, 4), ones(5, 3), ones(5, 2)), {}, ShapeError, r"k \(5, 3\).*each query needs a key's size"),
        ((ones(3, 4), ones(5, 4), ones(4, 2)), {}, ShapeError, r"v \(4, 2\).*each key its value"),
        ((ones(4), ones(5, 4), ones(5, 2)), {}, ShapeError, r"q \(…, L, E\).*q \(4,\)"),
        ((ones(2, 3, 4), ones(3, 5, 4), ones(3, 5, 2)), {}, ShapeError, r"broadcast.*enable_gqa"),
        ((ones(4, 3, 4), ones(3, 5, 4), ones(3, 5, 2)), {"enable_gqa": True}, ShapeError, "multiple of that in q"),
        ((ones(3, 4), ones(3, 4), ones(3, 4)), {"enable_gqa": True}, ShapeError, "fewer heads"),
        ((ones(3, 4), np.ones((5, 4)), ones(5, 2)), {}, DtypeError, r"k of float32.*float64.*astype\(np\.float32\)"),
        ((ones(3, 4), ones(5, 4), ones(5, 2), ones(3, 5).astype(int)), {}, DtypeError, r"mask of booleans.*int64"),
        ((ones(3, 4), ones(5, 4), ones(5, 2), np.ones((3, 5))), {}, DtypeError, r"mask of booleans or of float32"),
        ((ones(3, 4), ones(5, 4), ones(5, 2), ones(3, 4)), {}, ShapeError, r"scores \(3, 5\).*shape \(3, 4\)"),
        ((ones(3, 4), ones(5, 4), ones(5, 2), ones(2, 3, 5)), {}, ShapeError, r"scores \(3, 5\).*shape \(2, 3, 5\)"),
        ((ones(3, 4), ones(5, 4), ones(5, 2), ones(3, 5)), {"is_causal": True}, OptionError, "either is_causal=True"),
    ],
)
def test_what_does_not_fit_is_named(
    inputs: tuple[np.ndarray, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"(?s)ScaledDotProductAttention, forward.*{message}"):
        nn.ScaledDotProductAttention(**options)(*inputs)


def test_a_probability_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(OptionError, match=r"dropout_p=1\.5"):
        nn.ScaledDotProductAttention(1.5)


# ---------------------------------------------------------------------------------------------- several heads


def pair(torch: ModuleType, *arguments: Any, dtype: Any = np.float64, **options: Any) -> tuple[Any, Any]:
    """Ours and theirs, with the same random parameters (biases are 0 at first)."""
    ours = nn.MultiheadAttention(*arguments, **options).to(dtype)
    theirs = torch.nn.MultiheadAttention(*arguments, **options).to(torch.from_numpy(np.zeros(1, dtype)).dtype)
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(RNG.normal(size=tuple(p.shape)) / 2))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def inputs_of(module: Any, batched: bool, dtype: Any = np.float64, keys: int = S) -> list[np.ndarray]:
    def drawn(length: int, size: int) -> np.ndarray:
        shape = ((N, length) if module.batch_first else (length, N)) if batched else (length,)
        return RNG.normal(size=(*shape, size)).astype(dtype)

    return [drawn(L, E), drawn(keys, module.kdim), drawn(keys, module.vdim)]


def compare(torch: ModuleType, ours: Any, theirs: Any, inputs: list[np.ndarray], **options: Any) -> None:
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    theirs.zero_grad()
    arrays = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    right, right_w = theirs(*leaves, **arrays)
    y, w = ours(*inputs, **options)
    close(y, right, "y")
    deltas = [np.linspace(-1, 2, y.size).reshape(y.shape).astype(y.dtype)]
    J = (right * torch.from_numpy(deltas[0])).sum()
    if w is None:
        assert right_w is None
    else:
        close(w, right_w, "weights")
        deltas.append(np.linspace(2, -1, w.size).reshape(w.shape).astype(w.dtype))
        J = J + (right_w * torch.from_numpy(deltas[1])).sum()
    J.backward()
    ours.zero_grad()
    for x, delta in zip(leaves, ours.backward(tuple(deltas)), strict=True):
        close(delta, x.grad, "∂J/∂x")
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        close(p.grad, q.grad, name)


CONSTRUCTIONS = [
    {"bias": bias, "add_bias_kv": learned, "add_zero_attn": zero, **sizes}
    for bias, learned, zero in itertools.product([True, False], repeat=3)
    for sizes in ({}, {"kdim": 3, "vdim": 4}, {"vdim": 7})
]
HIDDEN: dict[str, Any] = {  # masks of several heads: True, or -inf, hides a key
    "no mask": lambda n: {},
    "attn": lambda n: {"attn_mask": ~visible(L, S)},
    "attn of each head": lambda n: {"attn_mask": ~visible(n * H, L, S)},
    "attn numbers": lambda n: {"attn_mask": RNG.normal(size=(L, S))},
    "attn numbers of each head": lambda n: {"attn_mask": RNG.normal(size=(n * H, L, S))},
    "padding": lambda n: {"key_padding_mask": ~visible(n, S)},
    "padding numbers": lambda n: {"key_padding_mask": RNG.normal(size=(n, S))},
    "both": lambda n: {"attn_mask": ~visible(L, S), "key_padding_mask": ~visible(n, S)},
    "both numbers": lambda n: {
        "attn_mask": RNG.normal(size=(n * H, L, S)),
        "key_padding_mask": RNG.normal(size=(n, S)),
    },
    "one of each": lambda n: {"attn_mask": ~visible(L, S), "key_padding_mask": RNG.normal(size=(n, S))},
}


def masks_of(name: str, batched: bool, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    masks = HIDDEN[name](N if batched else 1)
    if not batched and "key_padding_mask" in masks:
        masks["key_padding_mask"] = masks["key_padding_mask"][0]
    return {k: m if m.dtype == bool else m.astype(dtype) for k, m in masks.items()}


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("construction", CONSTRUCTIONS, ids=str)
@pytest.mark.parametrize("masks", ["no mask", "both", "one of each"])
def test_every_construction(torch: ModuleType, construction: dict[str, Any], masks: str) -> None:
    ours, theirs = pair(torch, E, H, **construction)
    compare(torch, ours, theirs, inputs_of(ours, True), **masks_of(masks, True))


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("weights", ["averaged", "of each head", "none"])
@pytest.mark.parametrize("masks", HIDDEN)
@pytest.mark.parametrize("batched, batch_first", [(True, True), (True, False), (False, True), (False, False)])
def test_every_call(
    torch: ModuleType, dtype: Any, batched: bool, batch_first: bool, masks: str, weights: str, training: bool
) -> None:
    ours, theirs = pair(torch, E, H, batch_first=batch_first, dtype=dtype)
    ours.train(training)
    theirs.train(training)
    options = {"need_weights": weights != "none", "average_attn_weights": weights == "averaged"}
    compare(torch, ours, theirs, inputs_of(ours, batched, dtype), **options, **masks_of(masks, batched, dtype))


def test_self_attention_adds_the_three_deltas(torch: ModuleType) -> None:
    ours, theirs = pair(torch, E, H)
    x = RNG.normal(size=(L, N, E))
    leaf, right_leaf = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours(leaf, leaf, leaf)[0].backward(x)
    theirs(right_leaf, right_leaf, right_leaf)[0].backward(torch.from_numpy(x))
    close(leaf.grad, right_leaf.grad)
    ours(x, x, x)
    np.testing.assert_allclose(sum(ours.backward((x, None))), leaf.grad, rtol=1e-12)


def test_the_causal_hint(torch: ModuleType) -> None:
    ours, theirs = pair(torch, E, H)
    inputs = inputs_of(ours, True, keys=L)
    mask = nn.Transformer.generate_square_subsequent_mask(L).astype(np.float64)
    for need_weights in (True, False):
        compare(torch, ours, theirs, inputs, attn_mask=mask, is_causal=True, need_weights=need_weights)
    with pytest.raises(OptionError, match=r"(?s)MultiheadAttention.*is_causal=True is a hint"):
        ours(*inputs, is_causal=True)


def test_a_mask_of_numbers_can_be_learned(torch: ModuleType) -> None:
    ours, theirs = pair(torch, E, H)
    inputs = inputs_of(ours, True)
    M = RNG.normal(size=(L, S))
    bias, right_bias = tensor(M, requires_grad=True), torch.tensor(M, requires_grad=True)
    y, _ = ours(*map(tensor, inputs), attn_mask=bias)
    right, _ = theirs(*map(torch.tensor, inputs), attn_mask=right_bias)
    y.sum().backward()
    right.sum().backward()
    close(bias.grad, right_bias.grad)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_sees_nothing_gets_the_bias_and_no_nan(torch: ModuleType, need_weights: bool) -> None:
    ours, theirs = pair(torch, E, H)
    inputs = inputs_of(ours, True)
    mask = np.zeros((L, S), bool)
    mask[1] = True
    y, w = ours(*inputs, attn_mask=mask, need_weights=need_weights)
    right, _ = theirs(*map(torch.tensor, inputs), attn_mask=torch.tensor(mask), need_weights=False)
    close(y, right)
    np.testing.assert_allclose(y[1], np.broadcast_to(ours.out_proj.bias.data, (N, E)))
    if need_weights:
        assert not w[:, 1].any()
    deltas = ours.backward((np.ones_like(y), None) if need_weights else np.ones_like(y))
    assert all(np.isfinite(d).all() for d in deltas)
    assert not deltas[0][1].any()


def test_initial_values_as_pytorchs(torch: ModuleType) -> None:
    def spread(module: Any) -> dict[str, tuple[float, float]]:
        values = {name: np.asarray(p.data) for name, p in module.named_parameters()}
        return {name: (float(np.abs(v).max()), float(v.std())) for name, v in values.items()}

    for options in ({}, {"kdim": 32, "add_bias_kv": True}):
        ours, theirs = (spread(m.MultiheadAttention(64, 4, **options)) for m in (nn, torch.nn))
        for name, (largest, deviation) in theirs.items():
            if name in ("bias_k", "bias_v"):  # 64 normal numbers
                assert ours[name][1] == pytest.approx(deviation, rel=0.5), name
            else:
                assert ours[name] == (pytest.approx(largest, rel=0.02), pytest.approx(deviation, rel=0.05)), name
    a, b = (nn.MultiheadAttention(8, 2, add_bias_kv=True, rng=np.random.default_rng(3)).state_dict() for _ in "ab")
    assert all((a[name] == b[name]).all() for name in a)


def test_the_core_has_a_name_and_follows_the_mode() -> None:
    ours = nn.MultiheadAttention(E, H, dropout=0.5)
    inputs = [x.astype(np.float32) for x in inputs_of(ours, True)]
    with no_grad():
        assert (ours(*inputs, average_attn_weights=False)[1] == 0).any()
        assert (ours.eval()(*inputs, average_attn_weights=False)[1] > 0).all()
    assert isinstance(ours.get_submodule("attention"), nn.ScaledDotProductAttention)


@pytest.mark.parametrize("batch_first", [True, False])
def test_an_empty_batch(batch_first: bool) -> None:
    ours = nn.MultiheadAttention(E, H, batch_first=batch_first)
    x = ones(0, L, E) if batch_first else ones(L, 0, E)
    y, w = ours(x, x, x)
    assert (y.shape, w.shape) == (x.shape, (0, L, L))
    assert ours.backward((y, w))[0].shape == x.shape


@pytest.mark.parametrize(
    "shapes, masks, error, message",
    [
        (((L, N, E), (S, N, 4), (S, N, E)), {}, ShapeError, r"\(L, N, 6\).*\(5, 2, 4\)"),
        (((L, N, E), (S, N, E), (4, N, E)), {}, ShapeError, r"\(4, 2, 6\).*batch_first"),
        (((N, L, E), (N, S, E), (N, S, E)), {}, ShapeError, r"\(2, 5, 6\).*batch_first"),
        (((L, E), (S, N, E), (S, N, E)), {}, ShapeError, r"without a batch"),
        (((E,), (E,), (E,)), {}, ShapeError, r"without a batch"),
        (((L, N, E), (S, N, E), (S, N, E)), {"attn_mask": ones(S, L)}, ShapeError, r"attn_mask of shape \(3, 5\) or"),
        (((L, N, E), (S, N, E), (S, N, E)), {"attn_mask": ones(N, L, S)}, ShapeError, r"or \(4, 3, 5\)"),
        (((L, N, E), (S, N, E), (S, N, E)), {"key_padding_mask": ones(S, N)}, ShapeError, r"padding_mask.*\(2, 5\)"),
        (((L, N, E), (S, N, E), (S, N, E)), {"attn_mask": np.ones((L, S))}, DtypeError, r"float32.*boolean mask"),
        (((L, N, E), (S, N, E), (S, N, E)), {"key_padding_mask": np.ones((N, S), int)}, DtypeError, "True hides a key"),
    ],
)
def test_inputs_that_do_not_fit_are_named(
    shapes: tuple[tuple[int, ...], ...], masks: dict[str, np.ndarray], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"(?s)MultiheadAttention\(6, 2\), forward.*{message}"):
        nn.MultiheadAttention(E, H)(*(ones(*shape) for shape in shapes), **masks)


def test_inputs_of_another_dtype_are_refused() -> None:
    message = r"(?s)MultiheadAttention\(6, 2\), forward.*{} of float32.*float64"
    with pytest.raises(DtypeError, match=message.format("query")):
        nn.MultiheadAttention(E, H)(np.ones((L, E)), np.ones((S, E)), np.ones((S, E)))
    with pytest.raises(DtypeError, match=message.format("value")):
        nn.MultiheadAttention(E, H)(ones(L, E), ones(S, E), np.ones((S, E)))


@pytest.mark.parametrize("sizes", [(6, 4), (0, 1), (6, 0)])
def test_heads_that_do_not_divide_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="divide embed_dim"):
        nn.MultiheadAttention(*sizes)
