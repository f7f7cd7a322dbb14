"""The recurrent language model, and what the tutorials say of recurrent networks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from shared_weights import agree

from numnet import Tensor, cat, nn, optim, tensor
from numnet.data.text import Vocab, seq_iter_sequential, tokenize
from numnet.data.text.draw import draw
from numnet.errors import DtypeError, LabelError, OptionError, ShapeError
from numnet.metrics import perplexity
from numnet.models import RNNLanguageModel

V, H, E, N, T = 7, 5, 4, 3, 6
RNG = np.random.default_rng(0)
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
X, Y = RNG.integers(0, V, (N, T)), RNG.integers(0, V, (N, T))


def language_model(torch: ModuleType, cell: str, layers: int, embedding: int | None) -> Any:
    """The twin in PyTorch."""

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            if embedding is not None:
                self.embedding = torch.nn.Embedding(V, embedding)
            rnn = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
            self.rnn = rnn(embedding or V, H, layers, batch_first=True)
            self.linear = torch.nn.Linear(H, V)

        def forward(self, x: Any, state: Any = None) -> Any:
            one_hot = torch.nn.functional.one_hot(x, V).double()
            output, state = self.rnn(one_hot if embedding is None else self.embedding(x), state)
            return self.linear(output).transpose(1, 2), state

    return Model()


def zeros(cell: str, layers: int) -> Any:
    state = RNG.normal(size=(layers, N, H))
    return (state, RNG.normal(size=(layers, N, H))) if cell == "lstm" else state


@pytest.mark.proves("C249")
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("embedding", [None, E])
@pytest.mark.parametrize("cell, layers", [("rnn", 1), ("gru", 1), ("lstm", 2)])
def test_against_torch(torch: ModuleType, cell: Any, layers: int, embedding: int | None, with_state: bool) -> None:
    rows, width = GATES[cell] * H, embedding or V
    count = rows * (width + H + 2) + (layers - 1) * rows * (H + H + 2) + H * V + V
    count += V * E if embedding else 0
    ours = RNNLanguageModel(V, H, cell, layers, embedding)
    inputs = (X, zeros(cell, layers)) if with_state else (X,)
    agree(torch, ours, language_model(torch, cell, layers, embedding), *inputs, count=count)


def test_shapes_and_names() -> None:
    model = RNNLanguageModel(28, 256)
    assert [name for name, _ in model.named_children()] == ["rnn", "linear"]
    assert sum(p.data.size for p in model.parameters()) == 256 * (28 + 256 + 2) + 28 * 257
    z, state = model(np.zeros((2, 35), int))
    assert (z.shape, z.dtype, state.shape) == ((2, 28, 35), np.float32, (1, 2, 256))
    _, (h, c) = RNNLanguageModel(28, 8, "lstm", 2, embedding_size=3)(np.zeros((2, 5), int))
    assert h.shape == c.shape == (2, 2, 8)


def gradients(net: nn.Module) -> dict[str, np.ndarray]:
    found = {name: p.grad for name, p in net.named_parameters()}
    net.zero_grad()
    return found


@pytest.mark.proves("C248")
def test_the_state_is_carried_and_delta_is_cut_or_handed_on() -> None:
    model, loss = RNNLanguageModel(V, H).double(), nn.CrossEntropyLoss(reduction="sum")
    whole, last = model(X)
    loss(whole, Y)
    model.backward((loss.backward(), None))
    right = gradients(model)

    first, state = model(X[:, :2])
    second, end = model(X[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=2), whole, rtol=1e-12)
    np.testing.assert_allclose(end, last, rtol=1e-12)

    def halves(hand_on: bool) -> dict[str, np.ndarray]:
        loss(second, Y[:, 2:])
        model(X[:, 2:], state)
        delta_state = model.backward((loss.backward(), None))
        loss(first, Y[:, :2])
        model(X[:, :2])
        model.backward((loss.backward(), delta_state if hand_on else None))
        return gradients(model)

    for name, g in halves(hand_on=True).items():
        np.testing.assert_allclose(g, right[name], rtol=1e-10, err_msg=name)
    cut = halves(hand_on=False)
    assert np.abs(cut["rnn.weight_hh_l0"] - right["rnn.weight_hh_l0"]).max() > 1e-3, "δ was cut"
    np.testing.assert_allclose(cut["linear.weight"], right["linear.weight"], rtol=1e-10)

    z, carried = model(tensor(X[:, :2]))  # PyTorch's way
    z, _ = model(tensor(X[:, 2:]), carried.detach())
    loss(z, tensor(Y[:, 2:])).backward()
    imperative = gradients(model)
    loss(second, Y[:, 2:])
    model(X[:, 2:], state)
    model.backward((loss.backward(), None))
    for name, g in gradients(model).items():
        np.testing.assert_array_equal(g, imperative[name], err_msg=name)


class Steps(nn.Module):
    """The RNN written out: a cell of its own for every time step, so that each step has a gradient of its own."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.cells = nn.ModuleList([nn.RNNCell(V, H).double() for _ in range(T)])
        for cell in self.cells:
            cell.load_state_dict({k.removesuffix("_l0"): v for k, v in model.rnn.state_dict().items()})
        self.linear = model.linear

    def forward(self, x: Any) -> Tensor:
        h, outputs = Tensor(np.zeros((N, H))), []
        for t, cell in enumerate(self.cells):
            h = cell(Tensor(np.eye(V)[x.data[:, t]]), h)
            outputs.append(self.linear(h).unsqueeze(2))
        return cat(outputs, 2)


@pytest.mark.proves("C249")
def test_the_shares_of_the_time_steps_add_up_to_the_gradient() -> None:
    model, loss = RNNLanguageModel(V, H).double(), nn.CrossEntropyLoss()
    loss(model(X)[0], Y)
    delta = loss.backward()  # (N, V, T)
    model.backward((delta, None))
    summed = gradients(model)

    call = nn.Call(model.rnn)
    call.forward(np.eye(V)[X])
    delta_H = delta.transpose(0, 2, 1) @ model.linear.weight.data  # (N, T, H)
    shares = model.rnn.time_shares(call.ctx, (delta_H, None))
    for name, share in shares.items():
        assert len(share) == T
        np.testing.assert_allclose(share.sum(axis=0), summed[f"rnn.{name}"], rtol=1e-10, atol=1e-15, err_msg=name)

    written_out = Steps(model)
    loss(written_out(X), Y)
    written_out.backward(loss.backward())
    for t, cell in enumerate(written_out.cells):  # the share of a step is the gradient of a W_hh used in that step only
        np.testing.assert_allclose(shares["weight_hh_l0"][t], cell.weight_hh.grad, rtol=1e-9, atol=1e-15)
    assert not shares["weight_hh_l0"][0].any(), "the first step has no state before it"
    assert all(np.abs(share).max() > 1e-5 for share in shares["weight_hh_l0"][1:])


@pytest.mark.proves("C250")
def test_without_the_state_before_it_is_an_mlp() -> None:
    model, loss = RNNLanguageModel(V, H).double(), nn.CrossEntropyLoss()
    model.rnn.weight_hh_l0.data[...] = 0
    model.rnn.bias_hh_l0.data[...] = 0
    mlp = nn.Sequential(nn.Linear(V, H), nn.Tanh(), nn.Linear(H, V)).double()
    mlp[0].weight.data[...], mlp[0].bias.data[...] = model.rnn.weight_ih_l0.data, model.rnn.bias_ih_l0.data
    mlp[2].load_state_dict(model.linear.state_dict())
    z, _ = model(X)
    x, y = np.eye(V)[X.ravel()], Y.ravel()  # every token by itself
    np.testing.assert_allclose(z.transpose(0, 2, 1).reshape(-1, V), mlp(x), rtol=1e-13)
    loss(z, Y)
    model.backward((loss.backward(), None))
    loss(mlp(x), y)
    mlp.backward(loss.backward())
    np.testing.assert_allclose(model.rnn.weight_ih_l0.grad, mlp[0].weight.grad, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(model.linear.weight.grad, mlp[2].weight.grad, rtol=1e-10, atol=1e-16)
    model.rnn.weight_hh_l0.data[...] = 1
    assert np.abs(model(X)[0] - z)[:, :, 1:].max() > 0.1, "with the state before it is not"


@pytest.mark.proves("C251")
def test_the_input_is_the_label_too() -> None:
    sentence = "the time machine"
    vocab = Vocab(tokenize([sentence], "char"))
    batches = list(seq_iter_sequential(vocab[list(sentence)], 1, 5))
    assert batches
    for x, y in batches:
        inputs, labels = ("".join(vocab.to_tokens(tokens[0])) for tokens in (x, y))
        start = sentence.index(inputs)
        assert labels == sentence[start + 1 : start + 6]
        np.testing.assert_array_equal(x[:, 1:], y[:, :-1])


@pytest.mark.proves("C252")
def test_perplexity_is_the_exponential_of_the_mean_cross_entropy() -> None:
    model, loss = RNNLanguageModel(V, H).double(), nn.CrossEntropyLoss()
    for p in model.linear.parameters():
        p.data[...] = 0
    assert perplexity(model(X)[0], Y) == pytest.approx(V, rel=1e-12), "uniform: V equally probable tokens"
    perfect = np.where(np.arange(V)[:, None] == Y[:, None], 1e3, 0.0)  # (N, V, T)
    assert perplexity(perfect, Y) == pytest.approx(1, abs=1e-12)
    z, _ = RNNLanguageModel(V, H).double()(X)
    assert perplexity(z, Y) == pytest.approx(float(np.exp(loss(z, Y))), rel=1e-14)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = np.take_along_axis(p / p.sum(axis=1, keepdims=True), Y[:, None], 1)
    assert perplexity(z, Y) == pytest.approx(float(np.prod(1 / p)) ** (1 / p.size)), "the geometric mean of 1/p"


@pytest.mark.proves("C253")
def test_clipping_keeps_the_direction_and_bounds_the_global_norm() -> None:
    model, loss = RNNLanguageModel(V, H).double(), nn.CrossEntropyLoss(reduction="sum")
    for p in model.parameters():
        p.data *= 4
    loss(model(X)[0], Y)
    model.backward((loss.backward(), None))
    before = {name: p.grad.copy() for name, p in model.named_parameters()}
    norm = np.sqrt(sum(np.square(g).sum() for g in before.values()))
    assert norm > 1
    assert nn.utils.clip_grad_norm_(model.parameters(), 1.0) == pytest.approx(norm)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(p.grad, before[name] / norm, rtol=1e-5, err_msg=name)
    assert nn.utils.get_total_norm([p.grad for p in model.parameters()]) == pytest.approx(1, rel=1e-5)
    unclipped = [p.grad.copy() for p in model.parameters()]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0 + 1e-5)
    for p, g in zip(model.parameters(), unclipped, strict=True):
        np.testing.assert_array_equal(p.grad, g)


@pytest.mark.proves("C254")
def test_it_learns_a_text_and_generates_it() -> None:
    sentence = "time travels on and on. "
    vocab = Vocab(list(sentence))
    corpus = vocab[list(sentence * 12)]
    model, loss = RNNLanguageModel(len(vocab), 32, rng=np.random.default_rng(0)), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(25):
        state = None
        for x, y in seq_iter_sequential(corpus, 2, 12, rng=np.random.default_rng(0)):
            z, state = model(x, state)
            J = loss(z, y)
            optimizer.zero_grad()
            model.backward((loss.backward(), None))
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    assert np.exp(float(J)) < 1.1
    generated = model.generate(vocab[list("time ")], len(sentence) - 5, temperature=0)
    assert "".join(vocab.to_tokens(generated)) == sentence


def test_generating() -> None:
    model = RNNLanguageModel(V, H, "lstm", embedding_size=E)
    first = model.generate([1, 2], 10, rng=np.random.default_rng(1))
    assert first[:2].tolist() == [1, 2]
    assert (first.shape, first.dtype) == ((12,), np.int64)
    np.testing.assert_array_equal(first, model.generate(np.array([1, 2]), 10, rng=np.random.default_rng(1)))
    assert (first != model.generate([1, 2], 10, rng=np.random.default_rng(2))).any()
    np.testing.assert_array_equal(model.generate([3], 0), [3])
    tokens, rng = [1, 2], np.random.default_rng(4)
    for _ in range(6):  # from the start each time, where generate carries the state
        tokens.append(int(draw(model(np.array([tokens]))[0][0, :, -1], 0.5, rng)))
    np.testing.assert_array_equal(model.generate([1, 2], 6, temperature=0.5, rng=np.random.default_rng(4)), tokens)
    z, _ = model(X)
    model.generate([1], 3)
    model.backward((np.ones_like(z), None, None))
    assert model.linear.weight.grad is not None, "generating leaves the latest call alone"


def test_refusals() -> None:
    with pytest.raises(OptionError, match="'elman'"):
        RNNLanguageModel(V, H, "elman")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="hidden_size"):
        RNNLanguageModel(V, 0)
    for embedding in (None, E):
        model = RNNLanguageModel(V, H, embedding_size=embedding)
        with pytest.raises(ShapeError, match=r"x\[None\]"):
            model(X[0])
        with pytest.raises(LabelError, match="0 … 6"):
            model(X + 1)
        with pytest.raises(DtypeError, match="integers"):
            model(X.astype(np.float32))
    with pytest.raises(ShapeError, match="one token at least"):
        model.generate([], 3)
    with pytest.raises(DtypeError, match="list"):
        model.generate("time", 3)
    with pytest.raises(DtypeError, match="vocab"):
        model.generate(list("time"), 3)
    with pytest.raises(ShapeError, match="h_0"):
        model(X, np.zeros((1, N + 1, H), np.float32))


@pytest.mark.proves("C248", "C253")
def test_training_steps_are_those_of_pytorch(torch: ModuleType) -> None:
    """Carried state, cut δ, clipped gradients, gradient descent: after eight steps the weights still agree."""
    ours, theirs = RNNLanguageModel(V, H).double(), language_model(torch, "rnn", 1, None).double()
    ours.load_state_dict(theirs.state_dict())
    loss, optimizer = nn.CrossEntropyLoss(), optim.SGD(ours.parameters(), lr=1.0)
    loss_right, optimizer_right = torch.nn.CrossEntropyLoss(), torch.optim.SGD(theirs.parameters(), lr=1.0)
    corpus = np.random.default_rng(4).integers(0, V, 8 * N * T + T)
    state, state_right, norms = None, None, []
    for x, y in list(seq_iter_sequential(corpus, N, T, rng=np.random.default_rng(0)))[:8]:
        z, state = ours(x, state)
        loss(z, y)
        optimizer.zero_grad()
        ours.backward((loss.backward(), None))
        norms.append(float(nn.utils.clip_grad_norm_(ours.parameters(), 0.3)))
        optimizer.step()

        z_right, state_right = theirs(torch.from_numpy(x), state_right)
        state_right = state_right.detach()
        optimizer_right.zero_grad()
        loss_right(z_right, torch.from_numpy(y)).backward()
        norm_right = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
        optimizer_right.step()
        np.testing.assert_allclose(norms[-1], float(norm_right), rtol=1e-9)
    assert len(norms) >= 7
    assert max(norms) > 0.3, "some gradients were clipped"
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-8, atol=1e-12, err_msg=name)
