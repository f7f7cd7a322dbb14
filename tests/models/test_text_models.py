"""The text classifier, the tagger, sequence to sequence, the small GPT: against PyTorch, and what they promise."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from shared_weights import agree

from numnet import nn, optim
from numnet.data.text.draw import draw
from numnet.errors import DtypeError, LabelError, OptionError, ShapeError
from numnet.io import load, save
from numnet.models import GPT, RNNLanguageModel, Seq2Seq, Tagger, TextClassifier
from numnet.nested import flatten

V, C, E, H, N, T = 7, 3, 4, 5, 3, 6
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
X = np.random.default_rng(0).integers(0, V, (N, T))
LENGTHS = np.array([6, 2, 4])


def rnn_of(torch: ModuleType, cell: str) -> Any:
    return {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]


def reader(torch: ModuleType, cell: str, layers: int, bidirectional: bool, outputs: int, every_step: bool) -> Any:
    """The twin of the classifier, and of the tagger: with lengths by packed sequences."""

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(V, E)
            self.rnn = rnn_of(torch, cell)(E, H, layers, batch_first=True, bidirectional=bidirectional)
            self.linear = torch.nn.Linear(H * (1 + bidirectional), outputs)

        def forward(self, x: Any, lengths: Any = None) -> Any:
            pack = torch.nn.utils.rnn.pack_padded_sequence
            e = self.embedding(x)
            e = e if lengths is None else pack(e, lengths, batch_first=True, enforce_sorted=False)
            output, state = self.rnn(e)
            if every_step:
                if lengths is not None:
                    output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, batch_first=True, total_length=T)
                return self.linear(output).transpose(1, 2)
            h = state[0] if cell == "lstm" else state
            return self.linear(torch.cat([h[-2], h[-1]], 1) if bidirectional else h[-1])

    return Model()


def reader_count(cell: str, layers: int, bidirectional: bool, outputs: int) -> int:
    D, rows = 1 + bidirectional, GATES[cell] * H
    later = (layers - 1) * D * rows * (D * H + H + 2)
    return V * E + D * rows * (E + H + 2) + later + D * H * outputs + outputs


every_reader = pytest.mark.parametrize(
    "cell, layers, bidirectional, lengths",
    [("lstm", 1, False, None), ("gru", 2, True, LENGTHS), ("rnn", 1, True, None), ("lstm", 1, True, LENGTHS)],
)


@pytest.mark.proves("C255")
@every_reader
def test_classifier_against_torch(
    torch: ModuleType, cell: Any, layers: int, bidirectional: bool, lengths: np.ndarray | None
) -> None:
    ours = TextClassifier(V, C, E, H, cell, layers, bidirectional)
    theirs = reader(torch, cell, layers, bidirectional, C, every_step=False)
    inputs = (X,) if lengths is None else (X, lengths)
    agree(torch, ours, theirs, *inputs, count=reader_count(cell, layers, bidirectional, C))
    assert ours(X).shape == (N, C)


@pytest.mark.proves("C257")
@every_reader
def test_tagger_against_torch(
    torch: ModuleType, cell: Any, layers: int, bidirectional: bool, lengths: np.ndarray | None
) -> None:
    ours = Tagger(V, C, E, H, cell, layers, bidirectional)
    theirs = reader(torch, cell, layers, bidirectional, C, every_step=True)
    inputs = (X,) if lengths is None else (X, lengths)
    agree(torch, ours, theirs, *inputs, count=reader_count(cell, layers, bidirectional, C))
    assert ours(X).shape == (N, C, T)
    assert Tagger(V, C, E, H).rnn.bidirectional, "unless told"


@pytest.mark.proves("C256")
@pytest.mark.parametrize("cell, layers", [("gru", 1), ("lstm", 2), ("rnn", 1)])
def test_seq2seq_against_torch(torch: ModuleType, cell: Any, layers: int) -> None:
    target = 9

    class Half(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, size: int) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(size, E)
            self.rnn = rnn_of(torch, cell)(E, H, layers, batch_first=True)

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = Half(V), Half(target)
            self.decoder.linear = torch.nn.Linear(H, target)

        def forward(self, x: Any, y: Any, lengths: Any = None) -> Any:
            e = self.encoder.embedding(x)
            if lengths is not None:
                pack = torch.nn.utils.rnn.pack_padded_sequence
                e = pack(e, lengths, batch_first=True, enforce_sorted=False)
            output, _ = self.decoder.rnn(self.decoder.embedding(y), self.encoder.rnn(e)[1])
            return self.decoder.linear(output).transpose(1, 2)

    rows = GATES[cell] * H
    halves = 2 * (rows * (E + H + 2) + (layers - 1) * rows * (H + H + 2))
    count = (V + target) * E + halves + target * (H + 1)
    ours, theirs = Seq2Seq(V, target, E, H, cell, layers), Model()
    y = np.random.default_rng(1).integers(0, target, (N, 4))
    agree(torch, ours, theirs, X, y, count=count)
    agree(torch, Seq2Seq(V, target, E, H, cell, layers), Model(), X, y, LENGTHS, count=count)
    assert ours(X, y).shape == (N, target, 4)


def gpt(torch: ModuleType, layers: int, heads: int, size: int, context: int, tied: bool) -> Any:
    class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = torch.nn.Embedding(V, size), torch.nn.Embedding(context, size)
            options = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
            block = torch.nn.TransformerEncoderLayer
            self.h = torch.nn.ModuleList([block(size, heads, 4 * size, **options) for _ in range(layers)])
            self.ln_f = torch.nn.LayerNorm(size)
            self.lm_head = torch.nn.Linear(size, V, bias=False)
            if tied:
                self.lm_head.weight = self.wte.weight

        def forward(self, x: Any) -> Any:
            mask = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=torch.float64)
            a = self.wte(x) + self.wpe(torch.arange(x.shape[1]))
            for block in self.h:
                a = block(a, src_mask=mask, is_causal=True)
            return self.lm_head(self.ln_f(a)).transpose(1, 2)

    return Model()


@pytest.mark.parametrize("tied", [True, False])
def test_gpt_against_torch(torch: ModuleType, tied: bool) -> None:
    layers, heads, size, context = 2, 2, 6, 8
    block = 12 * size**2 + 13 * size  # attention 4 s², network 8 s², their biases 4 s + 5 s, two norms 4 s
    count = V * size + context * size + layers * block + 2 * size + (0 if tied else V * size)
    ours = GPT(V, context, size, heads, layers, tie_weights=tied)
    agree(torch, ours, gpt(torch, layers, heads, size, context, tied), X, count=count)
    assert ours(X).shape == (N, V, T)
    assert (ours.lm_head.weight is ours.wte.weight) == tied


def test_gpt_sees_nothing_of_what_follows() -> None:
    model = GPT(V, 8, 6, 2, 2, rng=np.random.default_rng(0)).double()
    z = model(X)
    other = X.copy()
    other[:, 3:] = (other[:, 3:] + 1) % V
    np.testing.assert_array_equal(model(other)[:, :, :3], z[:, :, :3])
    assert (model(other)[:, :, 3:] != z[:, :, 3:]).all()


def test_gpt_starts_as_gpt_2_does() -> None:
    model = GPT(100, 16, 64, 4, 8, rng=np.random.default_rng(0))
    for name, p in model.named_parameters():
        if p.ndim > 1:
            sigma = 0.02 / 4 if name.endswith(("out_proj.weight", "linear2.weight")) else 0.02
            assert p.data.std() == pytest.approx(sigma, rel=0.05), name
        elif name.endswith("bias"):
            assert not p.data.any(), name
    z = model(np.arange(16)[None])
    J = nn.CrossEntropyLoss()(z, np.arange(1, 17)[None])
    assert np.exp(J) == pytest.approx(100, rel=0.1), "it starts out uniform"


def test_gpt_learns_and_generates() -> None:
    rng = np.random.default_rng(0)
    period = rng.permutation(V)
    corpus = np.tile(period, 4)
    model, loss = GPT(V, 8, 16, 2, 1, dropout=0.1, rng=rng), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        starts = rng.integers(0, len(corpus) - 9, 8)
        window = corpus[starts[:, None] + np.arange(9)]
        loss(model(window[:, :-1]), window[:, 1:])
        optimizer.zero_grad()
        model.backward(loss.backward())
        optimizer.step()
    model.ln_f.eval()
    generated = model.generate(period[:2], 19, temperature=0)
    np.testing.assert_array_equal(generated, np.tile(period, 3), "beyond its context")
    assert model.drop.training, "generating leaves the modes as they were"
    assert not model.ln_f.training
    first = model.generate([1], 6, temperature=5.0, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(first, model.generate([1], 6, temperature=5.0, rng=np.random.default_rng(1)))


@pytest.mark.parametrize("temperature", [0.0, 50.0])
def test_gpt_draws_each_token_given_the_context_before_it(temperature: float) -> None:
    model = GPT(V, 4, 6, 2, 1, dropout=0.5, rng=np.random.default_rng(3)).double()
    for p in model.parameters():
        p.data *= 20  # so that places and tokens matter
    tokens, rng = [2, 5], np.random.default_rng(1)
    generated = model.generate(tokens, 9, temperature=temperature, rng=np.random.default_rng(1))
    model.eval()
    for _ in range(9):
        z = model(np.array([tokens[-4:]]))
        tokens.append(int(draw(z[0, :, -1], temperature, rng)))
    np.testing.assert_array_equal(generated, tokens)
    assert len(set(tokens[2:])) > 1


def test_every_dropout_of_gpt_takes_part() -> None:
    model = GPT(V, 8, 6, 2, 2, dropout=0.3).double()
    drops = [module for module in model.modules() if isinstance(module, nn.Dropout | nn.ScaledDotProductAttention)]
    assert [drop.p if isinstance(drop, nn.Dropout) else drop.dropout_p for drop in drops] == [0.3] * (1 + 2 * 4)
    z = model.eval()(X)
    for drop in drops:
        drop.train()
        assert (model(X) != z).any()
        drop.eval()


@pytest.mark.proves("C256")
def test_seq2seq_generates_what_forward_says() -> None:
    model = Seq2Seq(V, 9, E, H, rng=np.random.default_rng(3)).double()
    answers = model.generate(X, start=1, length=5, lengths=LENGTHS)
    y = np.concatenate([np.full((N, 1), 1), answers[:, :-1]], axis=1)
    np.testing.assert_array_equal(model(X, y, LENGTHS).argmax(axis=1), answers)
    stop = int(answers[0, 1])
    stopped = model.generate(X, start=1, length=5, stop=stop, lengths=LENGTHS)
    for row, whole in zip(stopped, answers, strict=True):
        end = list(whole).index(stop) if stop in whole else 5
        assert row.tolist() == [*whole[:end], *[stop] * (5 - end)]


@pytest.mark.parametrize(
    "model",
    [Seq2Seq(V, 9, E, H), TextClassifier(V, C, E, H), Tagger(V, C, E, H), GPT(V, 8, 6, 2, 1), RNNLanguageModel(V, H)],
    ids=lambda model: type(model).__name__,
)
def test_a_model_is_saved_as_a_whole(model: Any, tmp_path: Path) -> None:
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(model)
    inputs = (X, X) if isinstance(model, Seq2Seq) else (X,)
    for z, z_again in zip(flatten(model(*inputs)), flatten(again(*inputs)), strict=True):
        np.testing.assert_array_equal(z, z_again)


def test_refusals() -> None:
    for model in (TextClassifier(V, C, E, H), Tagger(V, C, E, H), GPT(V, 8, 6, 2, 1)):
        with pytest.raises(ShapeError, match=r"x\[None\]"):
            model(X[0])
        with pytest.raises(LabelError, match="0 … 6"):
            model(X + 1)
        with pytest.raises(LabelError, match=r"got:      -1 in x\[1, 0\]"):
            model(np.array([[1, 2], [-1, 3]]))
        with pytest.raises(DtypeError, match="integers"):
            model(X.astype(np.float32))
    with pytest.raises(ShapeError, match="3 and 2"):
        Seq2Seq(V, 9, E, H)(X, X[:2])
    with pytest.raises(LabelError, match=r"7 in x\[1, 0\]"):
        GPT(V, 8, 6, 2, 1)(np.array([[1, 2], [7, 3]]))
    with pytest.raises(ShapeError, match=r"context=4"):
        GPT(V, 4, 6, 2, 1)(X)
    with pytest.raises(OptionError, match="num_heads"):
        GPT(V, 4, 6, 4, 1)
    with pytest.raises(OptionError, match="num_layers=0"):
        GPT(V, 4, 6, 2, 0)
    with pytest.raises(OptionError, match="num_classes=0"):
        TextClassifier(V, 0, E, H)
    with pytest.raises(OptionError, match="num_tags=0"):
        Tagger(V, 0, E, H)
    with pytest.raises(OptionError, match="embedding_size=0"):
        Tagger(V, 2, 0, H)
    with pytest.raises(OptionError, match="lengths"):
        TextClassifier(V, C, E, H)(X, LENGTHS + 1)
    with pytest.raises(ShapeError, match="one token at least"):
        GPT(V, 8, 6, 2, 1).generate([], 3)
    for model in (GPT(V, 8, 6, 2, 1), RNNLanguageModel(V, H)):
        with pytest.raises(OptionError, match="length=-1"):
            model.generate([1], -1)
    with pytest.raises(OptionError, match="length=-1"):
        Seq2Seq(V, 9, E, H).generate(X, 1, -1)
