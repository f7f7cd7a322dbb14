"""The table of a network: against numbers by hand and PyTorch's, and that the network stays as it was."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, models, nn
from numnet.errors import OptionError, ShapeError
from numnet.inspect import summary
from numnet.random import default_rng


def test_lenet_row_by_row() -> None:
    found = summary(models.LeNet(), (1, 1, 28, 28))
    by_hand = {  # output, parameters, multiply-adds
        "features.0": ((1, 6, 28, 28), 6 * 25 + 6, 6 * 28 * 28 * 25),
        "features.2": ((1, 6, 14, 14), 0, 0),
        "features.3": ((1, 16, 10, 10), 16 * 150 + 16, 16 * 10 * 10 * 150),
        "classifier.1": ((1, 120), 400 * 120 + 120, 400 * 120),
        "classifier.3": ((1, 84), 120 * 84 + 84, 120 * 84),
        "classifier.5": ((1, 10), 84 * 10 + 10, 84 * 10),
    }
    for path, (shape, parameters, products) in by_hand.items():
        row = found[path]
        assert (row.output_shapes, row.parameters, row.multiply_adds) == ((shape,), parameters, products), path
    assert found["features"].output_shapes == ((1, 16, 5, 5),)
    assert found[""].output_shapes == ((1, 10),)
    assert (found.parameters, found.trainable, found.frozen) == (61_706, 61_706, 0)
    assert found.multiply_adds == 416_520
    assert found.input_bytes == 28 * 28 * 4
    assert found.parameter_bytes == found.gradient_bytes == 61_706 * 4
    numbers = 2 * 6 * 784 + 6 * 196 + 2 * 1600 + 400 + 2 * 120 + 2 * 84 + 10  # Flatten is a view
    assert found.output_bytes == numbers * 4
    kept = 6 * 784 + 6 * 196 + 1600 + 400 + 120 + 84  # a of each sigmoid, x of each layer with weights, once each
    assert found.kept_bytes == kept * 4


def test_resnet18_at_the_size_of_imagenet() -> None:
    """torchvision gives 11,689,512 parameters and 1.814 G multiply-adds."""
    found = summary(models.resnet18(), (1, 3, 224, 224))
    assert found.parameters == 11_689_512
    assert found.multiply_adds == 1_814_073_344
    assert found["layer1.0.relu"].calls == 2
    assert found["layer4"].output_shapes == ((1, 512, 7, 7),)
    assert max(map(len, str(found).splitlines())) <= 80


def test_network_in_network() -> None:
    found = summary(models.NiN(), (1, 1, 224, 224))
    blocks = [(1, 96, 121, 54), (96, 256, 25, 26), (256, 384, 9, 12), (384, 10, 9, 5)]  # C, F, K², size
    assert found.multiply_adds == sum(F * (C * K + 2 * F) * size**2 for C, F, K, size in blocks)
    assert found.parameters == sum(F * (C * K + 1) + 2 * F * (F + 1) for C, F, K, _ in blocks)


def test_a_small_gpt_with_tied_weights() -> None:
    V, T, E, L, N = 50, 8, 12, 2, 3
    found = summary(models.GPT(V, T, E, 2, L), (N, T), dtypes=np.int64)
    block = 4 * E * E + 2 * T * E + 8 * E * E  # projections, attention, the two linear layers: for each token
    assert found.multiply_adds == N * T * (L * block + E * V)
    assert found.parameters == V * E + T * E + L * (12 * E * E + 13 * E) + 2 * E
    assert found["lm_head"].shared == (("weight", "wte"),)
    assert found["lm_head"].parameters == 0
    assert re.search(r"lm_head Linear +3×8×50 +as wte", str(found))


def test_frozen_parameters() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    net[0].requires_grad_(False)
    found = summary(net, (1, 3))
    assert (found.trainable, found.frozen) == (10, 16)
    assert found.gradient_bytes == 40
    assert "(16)" in str(found)


def test_several_inputs_of_several_dtypes_and_several_outputs() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            self.embedding = nn.Embedding(7, 3)
            self.rnn = nn.LSTM(5, 4, batch_first=True)

        def forward(self, tokens: Any, features: Any) -> Any:
            from numnet import cat

            return self.rnn(cat([self.embedding(tokens), features], 2))

    found = summary(Reader().double(), [(2, 6), (2, 6, 2)], dtypes=[np.int32, np.float64])
    assert found["rnn"].output_shapes == ((2, 6, 4), (1, 2, 4), (1, 2, 4))
    assert found[""].output_shapes == found["rnn"].output_shapes
    assert found.input_bytes == 12 * 4 + 24 * 8
    x = np.zeros((2, 6), np.int64), np.ones((2, 6, 2))
    assert summary(Reader().double(), inputs=x)["rnn"].output_shapes == found["rnn"].output_shapes


def test_the_network_stays_as_it_was() -> None:
    net: Any = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    net[1].bias.requires_grad_(False)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    net(x)
    before = {name: array.copy() for name, array in net.state_dict().items()}
    manual_seed(3)
    drawn = default_rng().bit_generator.state["state"]["counter"].copy()
    names = [sorted(vars(module)) for module in net.modules()]
    found = summary(net, (5, 3))
    assert found[""].output_shapes == ((5, 2),)
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name], name)
    np.testing.assert_array_equal(default_rng().bit_generator.state["state"]["counter"], drawn)
    assert [sorted(vars(module)) for module in net.modules()] == names
    assert all(p.grad is None for p in net.parameters())
    assert net.training
    assert net.backward(np.ones((5, 2), np.float32)).shape == (5, 3)  # the latest call is still there
    gradient = net[0].weight.grad.copy()
    summary(net.eval(), (1, 3))
    np.testing.assert_array_equal(net[0].weight.grad, gradient)


def test_what_is_kept_is_what_stays_in_memory() -> None:
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    x = np.ones((4, 3, 64, 64), np.float32)
    net(x)
    net.backward(np.ones((4, 16 * 32 * 32), np.float32))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = net(x)
    held = tracemalloc.get_traced_memory()[0] - before - y.nbytes
    tracemalloc.stop()
    found = summary(net, x.shape)
    assert held == pytest.approx(found.kept_bytes, rel=0.02)


def test_depth_sums_what_it_leaves_out() -> None:
    whole, short = (summary(models.LeNet(), (1, 1, 28, 28), depth=depth) for depth in (None, 1))
    assert [row.path for row in short.rows] == ["", "features", "classifier"]
    assert short["classifier"].parameters == 48_120 + 10_164 + 850
    for name in ("parameters", "multiply_adds", "output_bytes", "kept_bytes"):
        assert getattr(short, name) == getattr(whole, name)


def test_as_html(tmp_path: Path) -> None:
    found = summary(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (1, 3))
    assert found._repr_html_().count("<tr>") == 1 + 3
    assert "<b>Linear</b>" in found._repr_html_()
    found.to_html(tmp_path / "net.html")
    page = (tmp_path / "net.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "16 parameters" in page
    assert "http" not in page


def test_what_it_refuses() -> None:
    net = nn.Linear(3, 4)
    with pytest.raises(OptionError, match="neither"):
        summary(net)
    with pytest.raises(OptionError, match="both"):
        summary(net, (1, 3), inputs=np.ones((1, 3), np.float32))
    with pytest.raises(ShapeError, match="whole numbers"):
        summary(net, (1, -3))
    with pytest.raises(ShapeError, match="in=3"):
        summary(net, (1, 4))
    with pytest.raises(OptionError, match="one for each input"):
        summary(net, (1, 3), dtypes=[np.float32, np.int64])
    with pytest.raises(OptionError, match="a path among"):
        summary(net, (1, 3))["fc"]


def test_parameters_as_pytorch_counts_them(torch: ModuleType) -> None:
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 16)
    found = summary(nn.TransformerEncoderLayer(8, 2, 16), (3, 2, 8))
    assert found.parameters == sum(p.numel() for p in theirs.parameters())
