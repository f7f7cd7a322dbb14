"""Recurrent layers and cells against PyTorch, and the shares of their time steps."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import Tensor, manual_seed, nn, no_grad, tensor
from numnet.errors import DtypeError, NumnetError, OptionError, ShapeError
from numnet.inspect import gradcheck
from numnet.nested import flatten, unflatten

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # PyTorch's own
RNG = np.random.default_rng(0)
T, N, IN, H = 4, 3, 2, 3
TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


@pytest.fixture(autouse=True)
def _seeded(torch: ModuleType) -> None:
    """Every test has the same numbers, whichever ran before it."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state
    torch.manual_seed(0)
    manual_seed(0)


def close(got: np.ndarray, right: Any, what: str) -> None:
    right = right.detach().numpy()
    assert got.dtype == right.dtype, what
    tolerance = TOLERANCE[right.dtype]
    terms = 1 if right.dtype == np.float32 else 1e-4  # what may cancel in it; float64 has digits to spare
    scale = float(np.abs(right).max(initial=terms))
    np.testing.assert_allclose(got, right, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def pair(torch: ModuleType, name: str, arguments: tuple[int, ...], options: dict[str, Any], dtype: Any) -> Any:
    """numnet's and PyTorch's layer of that name with the same weights."""
    ours = getattr(nn, name)(*arguments, **options).to(dtype)
    theirs = getattr(torch.nn, name)(*arguments, **options).to(getattr(torch, np.dtype(dtype).name))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def states(name: str, shape: tuple[int, ...], options: dict[str, Any], dtype: Any) -> Any:
    """h, or (h, c), of a leading shape; h as wide as the projection."""
    h = RNG.normal(size=(*shape, options.get("proj_size", 0) or H)).astype(dtype)
    return (h, RNG.normal(size=(*shape, H)).astype(dtype)) if name.startswith("LSTM") else h


def leaves(torch: ModuleType, inputs: tuple[Any, ...]) -> Any:
    """The same nested arrays as leaves of PyTorch's tape."""
    arrays = flatten(inputs)
    return unflatten(inputs, [None if a is None else torch.from_numpy(a.copy()).requires_grad_() for a in arrays])


def compare(
    ours: nn.Module, theirs: Any, inputs: tuple[Any, ...], right: Any, right_inputs: Any, **options: Any
) -> None:
    """Outputs, ∂J/∂input and parameter gradients, with a δ for every output."""
    y = ours(*inputs, **options)
    outputs, right_outputs = flatten(y), flatten(right)
    for i, (a, b) in enumerate(zip(outputs, right_outputs, strict=True)):
        close(a, b, f"output {i}")
    deltas = [np.linspace(-1, 2, a.size).reshape(a.shape).astype(a.dtype) for a in outputs]
    sum((b * b.new_tensor(d)).sum() for b, d in zip(right_outputs, deltas, strict=True)).backward()
    result = ours.backward(unflatten(y, deltas))
    asked = [x for x in flatten(right_inputs) if x is not None]
    for i, (d, x) in enumerate(zip([d for d in flatten(result) if d is not None], asked, strict=True)):
        close(d, x.grad, f"∂J/∂input {i}")
    gradients = dict(theirs.named_parameters())
    for parameter_name, parameter in ours.named_parameters():
        close(parameter.grad, gradients[parameter_name].grad, f"∂J/∂{parameter_name}")


# ---------------------------------------------------------------------------------------------- cells

CELLS = [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {}), ("GRUCell", {})]


@pytest.mark.parametrize("name, options", CELLS, ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (3,), (0,)], ids=str)
@pytest.mark.parametrize("given", [True, False])
def test_cell(
    torch: ModuleType, dtype: Any, name: str, options: dict[str, Any], bias: bool, batch: tuple[int, ...], given: bool
) -> None:
    ours, theirs = pair(torch, name, (IN, H), options | {"bias": bias}, dtype)
    x = RNG.normal(size=(*batch, IN)).astype(dtype)
    inputs = (x, states(name, batch, {}, dtype)) if given else (x,)
    right_inputs = leaves(torch, inputs)
    compare(ours, theirs, inputs, theirs(*right_inputs), right_inputs)


# ---------------------------------------------------------------------------------------------- layers

KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {})]
TABLE = [
    {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first}
    for layers, both, bias, first in itertools.product([1, 2], [False, True], [True, False], [False, True])
]


@pytest.mark.parametrize("name, kind", KINDS, ids=str)
@pytest.mark.parametrize("options", TABLE, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("batched, given", [(True, True), (True, False), (False, True)])
def test_layer(
    torch: ModuleType,
    dtype: Any,
    name: str,
    kind: dict[str, Any],
    options: dict[str, Any],
    batched: bool,
    given: bool,
) -> None:
    options = kind | options
    ours, theirs = pair(torch, name, (IN, H), options, dtype)
    x = RNG.normal(size=(N, T, IN) if options["batch_first"] else (T, N, IN)).astype(dtype)
    x = x if batched else x.reshape(-1, IN)[:T]
    k = options["num_layers"] * (1 + options["bidirectional"])
    inputs = (x, states(name, (k, N) if batched else (k,), options, dtype)) if given else (x,)
    right_inputs = leaves(torch, inputs)
    compare(ours, theirs, inputs, theirs(*right_inputs), right_inputs)


@pytest.mark.parametrize("name, kind", KINDS, ids=str)
@pytest.mark.parametrize("options", TABLE, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("lengths", [[1, 4, 2], [2, 3, 2]], ids=str)
def test_sequences_of_different_lengths(
    torch: ModuleType, name: str, kind: dict[str, Any], options: dict[str, Any], lengths: list[int]
) -> None:
    options, dtype = kind | options, np.float64
    first = options["batch_first"]
    ours, theirs = pair(torch, name, (IN, H), options, dtype)
    x = RNG.normal(size=(N, T, IN) if first else (T, N, IN)).astype(dtype)
    inputs = (x, states(name, (options["num_layers"] * (1 + options["bidirectional"]), N), options, dtype))
    right_inputs = leaves(torch, inputs)
    utils = torch.nn.utils.rnn
    packed = utils.pack_padded_sequence(right_inputs[0], lengths, batch_first=first, enforce_sorted=False)
    y, last = theirs(packed, right_inputs[1])
    y, _ = utils.pad_packed_sequence(y, batch_first=first, total_length=T)
    compare(ours, theirs, inputs, (y, last), right_inputs, lengths=lengths)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_padding_is_not_read(name: str) -> None:
    layer = getattr(nn, name)(IN, H, 2, bidirectional=True).double()
    x = RNG.normal(size=(T, N, IN))
    lengths = np.array([2, 4, 1])
    padding = np.arange(T)[:, None] >= lengths
    results = []
    for filler in (0.0, np.nan, np.inf):
        x[padding] = filler
        layer.zero_grad()
        y, last = layer(x, lengths=lengths)
        deltas = [np.ones_like(a) for a in flatten((y, last))]
        dx = layer.backward(tuple(deltas))
        results.append([y, *flatten(last), dx, *[p.grad for p in layer.parameters()]])
    assert not results[0][0][padding].any()
    for others in results[1:]:
        for a, b in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("train", [True, False])
def test_dropout_between_the_layers(torch: ModuleType, name: str, train: bool) -> None:
    ours, theirs = pair(torch, name, (IN, H), {"num_layers": 3, "dropout": 1.0}, np.float64)  # drops everything
    ours.train(train)
    theirs.train(train)
    inputs = (RNG.normal(size=(T, N, IN)),)
    right_inputs = leaves(torch, inputs)
    compare(ours, theirs, inputs, theirs(*right_inputs), right_inputs)


def test_dropout_is_drawn_anew_for_every_number_and_every_call() -> None:
    manual_seed(0)
    layer = nn.GRU(2, 50, 2, dropout=0.3).double()
    x = RNG.normal(size=(40, 1, 2))
    call = nn.Call(layer)
    call.forward(x)
    first, noise = call.ctx.noises
    assert first is None
    np.testing.assert_allclose(np.unique(noise), [0, 1 / 0.7])
    assert abs((noise == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / noise.size)
    again = nn.Call(layer)
    again.forward(x)
    assert (again.ctx.noises[1] != noise).any()


@pytest.mark.parametrize("name", ["LSTM", "LSTMCell"])
def test_gradients_of_a_pair_of_states(name: str) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.LSTM(2, 3, 2, proj_size=2) if name == "LSTM" else nn.LSTMCell(2, 3)

        def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
            return tuple(flatten(self.inner(x, (h, c))))

    shape = (2, 3) if name == "LSTM" else (3,)
    h, c = RNG.normal(size=(*shape, 2 if name == "LSTM" else 3)), RNG.normal(size=(*shape, 3))
    report = gradcheck(Flat(), RNG.normal(size=(4, 3, 2) if name == "LSTM" else (3, 2)), h, c)
    assert report.ok, str(report)
    assert {row.name for row in report.rows} >= {"∂J/∂input[1]", "∂J/∂input[2]"}


def test_a_cell_in_a_loop_is_the_layer() -> None:
    layer, cell = nn.LSTM(IN, H).double(), nn.LSTMCell(IN, H).double()
    cell.load_state_dict({name.removesuffix("_l0"): a for name, a in layer.state_dict().items()})
    x = RNG.normal(size=(T, N, IN))
    y, (h, c) = layer(x)
    layer.backward((y, (None, c)))
    state: Any = None
    outputs = []
    for t in range(T):
        state = cell(tensor(x[t]), state)
        outputs.append(state[0])
    J = sum(((a * b).sum() for a, b in zip(outputs, y, strict=True)), start=(state[1] * c[0]).sum())
    np.testing.assert_array_equal(state[0].data, h[0])
    J.backward()
    for name, parameter in cell.named_parameters():
        np.testing.assert_allclose(parameter.grad, getattr(layer, f"{name}_l0").grad, rtol=1e-12)


def test_no_gradient_is_computed_where_nobody_asks() -> None:
    layer = nn.GRU(IN, H).double()
    layer.weight_ih_l0.requires_grad_(False)
    y, h = layer(tensor(RNG.normal(size=(T, N, IN))), tensor(np.zeros((1, N, H)), requires_grad=True))
    (y.sum() + h.sum()).backward()
    assert layer.weight_ih_l0.grad is None
    assert layer.weight_hh_l0.grad is not None
    with no_grad():
        y, _ = layer(RNG.normal(size=(T, N, IN)))
    assert isinstance(y, np.ndarray)


def test_initial_values() -> None:
    layer = nn.LSTM(5, 16, 2, bidirectional=True, proj_size=4)
    for _, parameter in layer.named_parameters():
        assert np.abs(parameter.data).max() <= 0.25
        assert np.abs(parameter.data).max() > 0.2
    one, other = (nn.GRU(2, 3, rng=np.random.default_rng(1)) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


# ---------------------------------------------------------------------------------------------- shares of the steps


@pytest.mark.parametrize("name, kind", KINDS, ids=str)
@pytest.mark.parametrize("lengths", [None, np.array([4, 1, 2])], ids=["whole", "lengths"])
def test_the_shares_of_the_steps_add_up(name: str, kind: dict[str, Any], lengths: np.ndarray | None) -> None:
    layer = getattr(nn, name)(IN, H, 2, bidirectional=True, **kind).double()
    y, last = layer(x := RNG.normal(size=(T, N, IN)), lengths=lengths)
    layer.backward(tuple(flatten((y, last))))
    call = nn.Call(layer)
    none = (None,) * len(flatten(last))
    call.forward(x, *([] if lengths is None else [*none, lengths]))
    shares = layer.time_shares(call.ctx, tuple(flatten((y, last))))
    assert list(shares) == [parameter_name for parameter_name, _ in layer.named_parameters()]
    for parameter_name, parameter in layer.named_parameters():
        assert shares[parameter_name].shape == (T, *parameter.shape)
        np.testing.assert_allclose(shares[parameter_name].sum(0), parameter.grad, rtol=1e-10, atol=1e-12)


def test_the_share_of_a_step_by_hand() -> None:
    """A linear network of one number, h_t = w h_(t-1) + x_t: the share of step t in ∂h_T/∂w is w^(T-t) h_(t-1)."""
    layer = nn.RNN(1, 1, nonlinearity="relu", bias=False).double()
    layer.load_state_dict({"weight_ih_l0": np.ones((1, 1)), "weight_hh_l0": np.full((1, 1), 0.5)})
    call = nn.Call(layer)
    h = call.forward(np.ones((4, 1)))[0].ravel()
    np.testing.assert_array_equal(h, [1, 1.5, 1.75, 1.875])
    shares = layer.time_shares(call.ctx, (None, np.ones((1, 1))))
    np.testing.assert_allclose(shares["weight_hh_l0"].ravel(), [0, 0.25 * 1, 0.5 * 1.5, 1.75], rtol=1e-15)


# ---------------------------------------------------------------------------------------------- refusals

X = np.ones((T, N, IN), np.float32)
REFUSALS: list[tuple[Any, type[NumnetError], str]] = [
    (lambda: nn.GRU(3, H)(X), ShapeError, r"GRU, forward.*\(T, N, in=3\).*input_size"),
    (lambda: nn.GRU(IN, H)(X[None]), ShapeError, r"T, N, in=2.*\(1, 4, 3, 2\)"),
    (lambda: nn.GRU(IN, H)(X[:0]), ShapeError, r"at least one time step.*\(0, 3, 2\).*T N in"),
    (lambda: nn.GRU(IN, H)(X.astype(np.float64)), DtypeError, r"float32.*float64.*astype"),
    (lambda: nn.GRU(IN, H)(X, np.ones((2, N, H), np.float32)), ShapeError, r"h_0 of shape \(1, 3, 3\).*\(2, 3, 3\)"),
    (lambda: nn.GRU(IN, H)(X, (X, X)), DtypeError, r"GRU, forward.*h_0 as one array"),
    (lambda: nn.LSTM(IN, H)(X, X), DtypeError, r"LSTM, forward.*pair \(h_0, c_0\)"),
    (lambda: nn.LSTM(IN, H)(X, (None, np.ones((1, N, 9), np.float32))), ShapeError, r"c_0 of shape \(1, 3, 3\)"),
    (lambda: nn.LSTM(IN, H)(X, lengths=[1, 2]), ShapeError, r"lengths of shape \(3,\).*\(2,\)"),
    (lambda: nn.LSTM(IN, H)(X, lengths=[1, 2, 5]), OptionError, r"lengths from 1 to T = 4.*1 to 5"),
    (lambda: nn.LSTM(IN, H)(X, lengths=[0, 2, 3]), OptionError, r"lengths from 1 to T = 4.*0 to 3"),
    (lambda: nn.LSTM(IN, H)(X, lengths=[1.0, 2.0, 3.0]), DtypeError, r"lengths of integers.*float64"),
    (lambda: nn.LSTM(IN, H)(X[:, 0], lengths=[4]), ShapeError, r"batch of sequences"),
    (lambda: nn.LSTM(IN, H, proj_size=3), OptionError, r"proj_size from 1 to hidden_size - 1 = 2"),
    (lambda: nn.RNN(IN, H, nonlinearity="sin"), OptionError, r"tanh.*relu.*'sin'"),
    (lambda: nn.RNN(IN, 0), OptionError, r"hidden_size of at least 1.*hidden_size=0"),
    (lambda: nn.RNN(IN, H, 2, dropout=1.5), OptionError, r"from 0 to 1.*dropout=1.5"),
    (lambda: nn.LSTMCell(IN, H)(X[0], X[0]), DtypeError, r"LSTMCell, forward.*pair \(h, c\)"),
    (lambda: nn.GRUCell(IN, H)(X), ShapeError, r"GRUCell, forward.*\(N, in=2\).*\(4, 3, 2\)"),
    (lambda: nn.GRUCell(IN, H)(X[0], X[0]), ShapeError, r"h of shape \(3, 3\).*\(3, 2\)"),
]


@pytest.mark.parametrize("attempt, error, message", REFUSALS)
def test_what_does_not_fit_is_named(attempt: Any, error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=rf"(?s)expected.*{message}|{message}"):
        attempt()


def test_dropout_without_a_second_layer_warns() -> None:
    with pytest.warns(UserWarning, match=r"between layers.*LSTM has one"):
        nn.LSTM(IN, H, dropout=0.5)
