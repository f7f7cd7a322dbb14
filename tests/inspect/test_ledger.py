"""The recurrent ledger: its rows add up to the gradient; truncated it is what PyTorch's detached chunks give."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import Tensor, nn, optim
from numnet.data import DataLoader, TensorDataset
from numnet.errors import OptionError
from numnet.inspect import ledger
from numnet.train import fit

T, N, IN, H = 7, 3, 2, 4
RNG = np.random.default_rng(0)
X, TARGET = RNG.standard_normal((T, N, IN)), RNG.standard_normal((T, N, 2))


class Reader(nn.Module):
    """A recurrent layer, and at every time step a linear one."""

    def __init__(self, kind: Any, lengths: Any = None, **options: Any) -> None:
        self.rnn = kind(IN, H, **options)
        self.out = nn.Linear(H * (2 if options.get("bidirectional") else 1), 2)
        self.lengths = lengths

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x, lengths=self.lengths)[0])


def gradients(net: nn.Module, x: np.ndarray = X, y: np.ndarray = TARGET) -> dict[str, np.ndarray]:
    loss: nn.Loss = nn.MSELoss()
    net.zero_grad()
    loss(net(x), y)
    net.backward(loss.backward())
    found = {name: p.grad.copy() for name, p in net.named_parameters()}
    net.zero_grad()
    return found


@pytest.mark.proves("C249")
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}, {"lengths": np.array([7, 3, 5])}], ids=str
)
def test_the_rows_add_up_to_the_gradient(kind: Any, options: dict[str, Any]) -> None:
    net = Reader(kind, **options).double()
    right = gradients(net)
    for name, _ in net.rnn.named_parameters():
        found = ledger(net, X, TARGET, nn.MSELoss(), name)
        total = np.sum([row.share for row in found.rows], axis=0)
        np.testing.assert_allclose(total, right[f"rnn.{name}"], rtol=1e-12, atol=1e-15, err_msg=name)
        np.testing.assert_allclose(found.gradient, right[f"rnn.{name}"], rtol=1e-12, atol=1e-15)
        assert sum(row.part for row in found.rows) == pytest.approx(1, abs=1e-12)
        assert found.rows[-1].so_far == pytest.approx(found.norm, rel=1e-12)
        back = list(range(T)) if name.endswith("_reverse") else list(range(T))[::-1]
        assert [row.step for row in found.rows] == back
        assert found.total_norm == pytest.approx(np.sqrt(sum(np.square(g).sum() for g in right.values())))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_truncated_is_what_detached_chunks_of_pytorch_give(torch: ModuleType, kind: str, chunk: int) -> None:
    net = Reader(getattr(nn, kind), num_layers=2).double()
    rnn, out = getattr(torch.nn, kind)(IN, H, num_layers=2).double(), torch.nn.Linear(H, 2).double()
    rnn.load_state_dict({name: torch.from_numpy(a) for name, a in net.rnn.state_dict().items()})
    out.load_state_dict({name: torch.from_numpy(a) for name, a in net.out.state_dict().items()})
    state: Any = None
    J: Any = 0
    for start in range(0, T, chunk):
        z, state = rnn(torch.from_numpy(X[start : start + chunk]), state)
        J = J + ((out(z) - torch.from_numpy(TARGET[start : start + chunk])) ** 2).sum() / TARGET.size
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    J.backward()
    for name, p in rnn.named_parameters():
        found = ledger(net, X, TARGET, nn.MSELoss(), name, chunk=chunk)
        assert found.truncated is not None
        np.testing.assert_allclose(found.truncated, p.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=name)
        if chunk == T:
            np.testing.assert_array_equal(found.truncated, found.gradient)


def test_truncated_where_sequences_end_early_and_in_both_directions() -> None:
    """Each sequence by itself, without padding, gives the same account."""
    lengths = np.array([7, 3, 5])

    class Ends(Reader):
        def forward(self, x: Tensor) -> Tensor:
            output, h = self.rnn(x, lengths=self.lengths)
            return self.out(output).sum(0) + h.sum(0)[:, :2]

    net: Any = Ends(nn.RNN, lengths, bidirectional=True).double()
    loss, y = nn.MSELoss(reduction="sum"), np.zeros((N, 2))
    for name in ("weight_hh_l0", "weight_hh_l0_reverse"):
        together = ledger(net, X, y, loss, name, chunk=2)
        alone: Any = 0
        bias = net.out.bias.array
        for i, n in enumerate(lengths):
            net.lengths = None
            target = (T - n) * -bias[None]  # beyond its end the padded one adds the bias alone
            alone = alone + ledger(net, X[:n, i : i + 1], target, loss, name, chunk=2).truncated
        net.lengths = lengths
        assert together.truncated is not None
        np.testing.assert_allclose(together.truncated, alone, rtol=1e-12)


def test_clipping_is_marked() -> None:
    net = Reader(nn.RNN).double()
    found = ledger(net, X, TARGET, nn.MSELoss(), clip_norm=0.01)
    assert found.clipped
    gradients(net)
    loss: nn.Loss = nn.MSELoss()
    loss(net(X), TARGET)
    net.backward(loss.backward())
    norm = nn.utils.clip_grad_norm_(net.parameters(), 0.01)
    assert found.total_norm == pytest.approx(float(norm))
    np.testing.assert_allclose(found.clip_factor * found.gradient, net.rnn.weight_hh_l0.grad, rtol=1e-12)
    assert re.search(r"clip: the norm of all gradients is [\d.]+ > 0\.01: every row is multiplied by", str(found))
    calm = ledger(net, X, TARGET, nn.MSELoss(), clip_norm=100.0)
    assert not calm.clipped
    assert calm.clip_factor == 1
    assert "≤ 100: it is not clipped" in str(calm)


def test_the_clipped_steps_of_a_training() -> None:
    class Last(Reader):
        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.rnn(x)[0])[:, -1]

    net = Last(nn.RNN, batch_first=True)
    x, y = RNG.standard_normal((12, T, IN)).astype(np.float32), RNG.standard_normal((12, 2)).astype(np.float32)
    loader = DataLoader(TensorDataset(x, y), batch_size=4)
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    history = fit(net, nn.MSELoss(), optimizer, loader, epochs=1, clip_norm=1e-3, progress=False)
    assert len(history.clips) == 3
    found = ledger(net, x, y, nn.MSELoss(), clips=history.clips)
    assert found.clips == tuple(history.clips)
    assert re.search(r"clipped steps of the training, with the size before: 1 \([\d.]+\), 2 \(", str(found))


def test_a_layer_called_twice_has_two_accounts() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.rnn = nn.GRU(H, H)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(self.rnn(x)[0])[0]

    net = Twice().double()
    x = RNG.standard_normal((T, N, H))
    accounts = [ledger(net, x, x, nn.MSELoss(), path=path) for path in ("rnn", "rnn#2")]
    right = gradients(net, x, x)["rnn.weight_hh_l0"]
    np.testing.assert_allclose(accounts[0].gradient + accounts[1].gradient, right, rtol=1e-12)


def test_the_text() -> None:
    net = Reader(nn.LSTM).double()
    text = str(ledger(net, X, TARGET, nn.MSELoss(), chunk=3, clip_norm=0.01))
    lines = text.splitlines()
    assert lines[0] == "∂J/∂weight_hh_l0 of rnn, in the order of the way back"
    assert lines[1].split()[-1] == "clipped"
    assert lines[2].split()[0] == str(T - 1)
    assert lines[T + 2].split()[0] == "sum"
    assert re.search(r"^truncated after 3 steps it is off by [\d.]+% of its length$", text, re.MULTILINE)
    assert max(map(len, lines)) <= 80


def test_what_it_refuses() -> None:
    net = Reader(nn.RNN).double()
    with pytest.raises(OptionError, match=r"a parameter among .*weight_hh_l0"):
        ledger(net, X, TARGET, nn.MSELoss(), "weight_hh_l1")
    with pytest.raises(OptionError, match="a recurrent layer among"):
        ledger(net, X, TARGET, nn.MSELoss(), path="out")
    with pytest.raises(OptionError, match="clip_norm above 0"):
        ledger(net, X, TARGET, nn.MSELoss(), clip_norm=0)
    with pytest.raises(OptionError, match="chunk=-1"):
        ledger(net, X, TARGET, nn.MSELoss(), chunk=-1)
