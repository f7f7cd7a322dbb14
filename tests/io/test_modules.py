"""Whole networks go into a file, class, arguments and numbers, and are made anew from it."""

from __future__ import annotations

import collections
import copy
import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from contract import Example
from examples import collect

from numnet import Parameter, manual_seed, models, nn, no_grad, optim
from numnet.errors import DataError, DtypeError
from numnet.io import load, save
from numnet.nested import flatten
from numnet.nn import functional
from numnet.random import default_rng, drawing_from


def again(net: nn.Module, folder: Path, *classes: type[nn.Module]) -> Any:
    save(net, folder / "net.bin")
    return load(folder / "net.bin", classes=classes)


def assert_same_network(got: nn.Module, right: nn.Module) -> None:
    assert type(got) is type(right)
    assert repr(got) == repr(right)
    ours, theirs = got.state_dict(), right.state_dict()
    assert list(ours) == list(theirs)
    for name, array in theirs.items():
        assert ours[name].dtype == array.dtype
        np.testing.assert_array_equal(ours[name], array)
    assert [m.training for m in got.modules()] == [m.training for m in right.modules()]
    assert [p.requires_grad for p in got.parameters()] == [p.requires_grad for p in right.parameters()]


class Net(nn.Module):
    """As the tutorials write it."""

    def __init__(self, inputs: int, outputs: int = 4, *, p: float = 0.5) -> None:
        super().__init__()
        self.linear1 = nn.Linear(inputs, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(p)
        self.linear2 = nn.Linear(8, outputs)

    def forward(self, x: Any) -> Any:
        return self.linear2(self.drop(functional.relu(self.norm(self.linear1(x)))))


# ---------------------------------------------------------------------------------------------- every layer

LAYERS = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls, found in collect().items() for i, e in enumerate(found)]


@pytest.mark.parametrize("example", LAYERS)
def test_every_layer(tmp_path: Path, example: Example) -> None:
    manual_seed(3)
    layer = example.make().double()
    layer(*example.inputs)  # which moves running statistics and generators
    net = nn.ModuleDict({"inside": layer}).eval()
    restored = again(net, tmp_path)["inside"]
    assert_same_network(restored, layer)
    for mode in (True, False):
        outputs = []
        for one in (layer, restored):
            manual_seed(4)
            outputs.append(flatten(one.train(mode)(*example.inputs)))
        for mine, theirs in zip(*outputs, strict=True):
            np.testing.assert_array_equal(mine, theirs)


COMPOSITES = {
    "OrderedDict": lambda: nn.Sequential(collections.OrderedDict(fc1=nn.Linear(3, 4), act=nn.ReLU())),
    "blocks of blocks": lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.Tanh()), nn.Residual(nn.Linear(3, 3))),
    "empty": nn.Sequential,
    "branches": lambda: nn.Branches(nn.Linear(3, 2), nn.Tanh(), join="concat", dim=-1),
    "lists": lambda: nn.ModuleList(nn.Linear(3, 3) for _ in range(3)),
    "parameters": lambda: nn.ParameterDict({"w": np.ones((2, 3)), "b": Parameter(np.zeros(2, np.float32), False)}),
    "parameter list": lambda: nn.ParameterList([np.ones(2), np.zeros((3, 1), np.float32)]),
    "weight norm": lambda: nn.Sequential(nn.utils.weight_norm(nn.Conv2d(1, 2, 3)), nn.Flatten()),
    "spectral norm": lambda: nn.utils.spectral_norm(nn.Linear(3, 2)),
    "pretrained": lambda: nn.Embedding.from_pretrained(np.arange(6.0).reshape(3, 2)),
    "attention": lambda: nn.MultiheadAttention(4, 2, kdim=3, batch_first=True),
    "transformer": lambda: nn.Transformer(4, 2, 1, 2, 5, 0.1, "gelu"),
    "encoder": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 2, 5, activation=functional.gelu), 2, nn.LayerNorm(4)
    ),
    "distance": lambda: nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(1.0), margin=2.0),
    "wide": lambda: nn.Sequential(*[nn.Linear(2, 2) for _ in range(150)]),
}


@pytest.mark.parametrize("name", COMPOSITES)
def test_every_composite(tmp_path: Path, name: str) -> None:
    net = COMPOSITES[name]()
    with no_grad():
        for parameter in net.parameters():
            parameter.data += 0.25
    assert_same_network(again(net, tmp_path), net)


MODELS = {
    "MLP": lambda: models.MLP([4, 5, 3], activation=nn.Tanh, batch_norm=True, dropout=0.5),
    "LeNet": lambda: models.LeNet(activation=nn.ReLU, pool=nn.MaxPool2d),
    "LogisticRegression": lambda: models.LogisticRegression(4, 3),
    "ResNet": lambda: models.ResNet(models.BasicBlock, [1, 1], channels=2, num_classes=3, small_images=True),
    "NiN": lambda: models.NiN(width=0.05),
    "GPT": lambda: models.GPT(7, 5, 4, 2, 2),
    "Tagger": lambda: models.Tagger(7, 3, 4, 5),
    "resnet20": lambda: models.resnet20(num_classes=3),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(tmp_path: Path, name: str) -> None:
    net = MODELS[name]()
    assert_same_network(again(net, tmp_path), net)


# ---------------------------------------------------------------------------------------------- what a file holds


@pytest.mark.proves("C078", "C080")
def test_architecture_and_weights_in_one_file(tmp_path: Path) -> None:
    net = Net(5, 3, p=0.25)
    x = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        loss = nn.CrossEntropyLoss()
        loss(net(x), np.array([0, 1, 2, 0, 1, 2]))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    net.linear1.requires_grad_(False)
    net.eval()
    restored = again(net, tmp_path, Net)
    assert_same_network(restored, net)
    np.testing.assert_array_equal(restored(x), net(x))
    assert safetensors.numpy.load_file(tmp_path / "net.bin").keys() == net.state_dict().keys()
    assert b"pickle" not in (tmp_path / "net.bin").read_bytes()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_stays(tmp_path: Path, dtype: Any) -> None:
    net = Net(3).to(dtype)
    restored = again(net, tmp_path, Net)
    assert restored.linear1.weight.dtype == restored.norm.running_mean.dtype == dtype
    assert_same_network(restored, net)


@pytest.mark.proves("C075")
def test_what_is_shared_is_saved_once_and_shared_again(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(50, 40)
            self.out = nn.Linear(40, 50, bias=False)
            self.out.weight = self.embed.weight

    layer = nn.Linear(3, 3)
    shared = nn.Sequential(layer, nn.Tanh(), layer)
    restored = again(shared, tmp_path)
    assert restored[0] is restored[2] is not restored[1]
    net = Tied()
    restored = again(net, tmp_path, Tied)
    assert restored.out.weight is restored.embed.weight
    assert (tmp_path / "net.bin").stat().st_size < 1.5 * net.embed.weight.data.nbytes

    state = net.state_dict()
    assert list(state) == ["embed.weight", "out.weight"]
    save(state, tmp_path / "state.bin")
    assert (tmp_path / "state.bin").stat().st_size < 1.5 * net.embed.weight.data.nbytes
    assert list(load(tmp_path / "state.bin")) == ["embed.weight", "out.weight"]
    assert list(safetensors.numpy.load_file(tmp_path / "state.bin")) == ["embed.weight"]
    Tied().load_state_dict(load(tmp_path / "state.bin"))

    x = np.ones((2, 3), np.float32)
    shared.zero_grad()
    shared(x)
    shared.backward(np.ones((2, 3), np.float32))
    once = copy.deepcopy(layer), copy.deepcopy(layer)
    apart = nn.Sequential(once[0], nn.Tanh(), once[1])
    apart.zero_grad()
    apart(x)
    apart.backward(np.ones((2, 3), np.float32))
    np.testing.assert_allclose(layer.weight.grad, once[0].weight.grad + once[1].weight.grad, rtol=1e-6)


def test_tied_by_hand_after_it_was_made(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    restored = again(net, tmp_path)
    assert restored[1].weight is restored[0].weight
    assert restored[1].bias is not restored[0].bias


def test_a_checkpoint_of_everything(tmp_path: Path) -> None:
    net = Net(3)
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    for parameter in net.parameters():
        parameter.grad = np.ones_like(parameter.data)
    optimizer.step()
    checkpoint = {"net": net, "optimizer": optimizer.state_dict(), "epoch": 3, "first": net.linear1, "best": math.inf}
    save(checkpoint, tmp_path / "checkpoint.bin")
    got = load(tmp_path / "checkpoint.bin", classes=[Net])
    assert_same_network(got["net"], net)
    assert got["first"].weight is got["net"].linear1.weight
    assert got["epoch"] == 3
    assert got["best"] == math.inf
    other = optim.Adam(got["net"].parameters())
    other.load_state_dict(got["optimizer"])
    for parameter, mine in zip(net.parameters(), got["net"].parameters(), strict=True):
        parameter.grad = np.full_like(parameter.data, 2.0)
        mine.grad = parameter.grad.copy()
    optimizer.step()
    other.step()
    assert_same_network(got["net"], net)


def test_an_argument_that_is_no_child_may_be_saved_beside(tmp_path: Path) -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 5)
    encoder = nn.TransformerEncoder(layer, 2)
    layer.linear1.weight.data += 1  # the encoder has copies
    save([encoder, layer], tmp_path / "both.bin")
    restored = load(tmp_path / "both.bin")
    assert_same_network(restored[0], encoder)
    assert_same_network(restored[1], layer)


def test_generators_go_on_where_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    net = nn.Sequential(nn.Linear(4, 4, rng=rng), nn.Dropout(0.5, rng=rng), nn.Dropout(0.5, rng=rng))
    x = np.ones((2, 4), np.float32)
    net(x)
    restored = again(net, tmp_path)
    assert restored[1].rng is restored[2].rng
    for _ in range(3):
        np.testing.assert_array_equal(restored(x), net(x))


def test_neither_saving_nor_loading_draws_numbers(tmp_path: Path) -> None:
    class Seeding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            manual_seed(0)
            self.linear = nn.Linear(2, 2)

    net = Seeding()
    manual_seed(9)
    expected = default_rng().random(5)
    manual_seed(9)
    again(net, tmp_path, Seeding)
    np.testing.assert_array_equal(default_rng().random(5), expected)
    with drawing_from((1, 2)):
        expected = default_rng().random(5)
    with drawing_from((1, 2)):
        again(net, tmp_path, Seeding)
        np.testing.assert_array_equal(default_rng().random(5), expected)


def test_containers_are_saved_as_they_are_now(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    net.append(nn.Linear(3, 2))
    net[1] = nn.Tanh()
    del net[0]
    assert_same_network(again(net, tmp_path), net)


def test_copies_are_saved_too(tmp_path: Path) -> None:
    net = copy.deepcopy(Net(3))
    assert_same_network(again(net, tmp_path, Net), net)
    net = copy.deepcopy(nn.Sequential(nn.ModuleList(nn.Linear(2, 2) for _ in range(2))))
    assert_same_network(again(net, tmp_path), net)


def test_settings_that_cannot_be_compared_by_equality(tmp_path: Path) -> None:
    class Vocabulary:
        def __init__(self, words: list[str]) -> None:
            self.number = {word: i for i, word in enumerate(words)}
            self.itself = self

    class Words(nn.Module):
        def __init__(self, words: list[str], scale: np.ndarray) -> None:
            super().__init__()
            self.vocabulary = Vocabulary(words)
            self.embed = nn.Embedding(len(words), 2)
            self.scale, self.missing = scale, math.nan
            self.layers = [self.embed]
            self.scaled = functools.partial(np.multiply, scale)
            self.shift = lambda x: x + scale
            self.lookup = self.embed.forward
            self.register_buffer("mask", np.tri(3), persistent=False)

    net = Words(["a", "b"], np.ones(2))
    net.mask *= 2
    restored = again(net, tmp_path, Words)
    assert_same_network(restored, net)
    np.testing.assert_array_equal(restored.mask, 2 * np.tri(3))


# ---------------------------------------------------------------------------------------------- what is refused


def _p(net: Net) -> None:
    net.drop.p = 0.1


def _layer(net: Net) -> None:
    net.linear2 = nn.Linear(8, 9)


def _kind(net: Net) -> None:
    net.drop = nn.Identity()


def _more(net: Net) -> None:
    net.extra = nn.Linear(2, 2)


def _attribute(net: Net) -> None:
    net.note = "trained on Tuesday"


def _none(net: Net) -> None:
    net.linear1.bias = None


def _buffer(net: Net) -> None:
    net.register_buffer("mean", np.zeros(2))


def _hidden(net: Net) -> None:
    net.hidden = [nn.Linear(2, 2)]


def _deleted(net: Net) -> None:
    del net.drop


@pytest.mark.parametrize(
    "change, complaint",
    [
        (_p, r"drop\.p is float 0\.1, made anew float 0\.5"),
        (_layer, r"with linear2\.weight of shape \(4, 8\) for \(9, 8\)"),
        (_kind, "drop is Identity, made anew Dropout"),
        (_more, r"without extra\.weight"),
        (_attribute, "note is str 'trained on Tuesday', made anew absent"),
        (_none, r"with linear1\.bias besides"),
        (_buffer, "without mean"),
        (_hidden, "hidden is list .*, made anew absent"),
        (_deleted, "children"),
    ],
)
def test_a_network_changed_by_hand_is_refused(tmp_path: Path, change: Any, complaint: str) -> None:
    net = Net(3)
    save(net, tmp_path / "net.bin")
    before = (tmp_path / "net.bin").read_bytes()
    change(net)
    with pytest.raises(DataError, match=complaint) as caught:
        save(net, tmp_path / "net.bin")
    assert "state_dict" in caught.value.cure
    assert "net.bin" in str(caught.value)
    assert (tmp_path / "net.bin").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.bin"]


class _Odd(nn.Module):
    def __init__(self, argument: Any) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        for _ in argument if isinstance(argument, list) else ():
            argument.pop()
            self.linear = nn.Linear(2, 3)


def test_arguments_that_cannot_be_kept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DtypeError, match=r"(?s)_Odd\(0\).*object.*state_dict"):
        save(_Odd(object()), tmp_path / "net.bin")
    with pytest.raises(DtypeError, match=r"(?s)_Odd\(argument\).*function.*state_dict"):
        save(_Odd(argument=lambda x: x), tmp_path / "net.bin")
    with pytest.raises(DtypeError, match=r"(?s)generator.*state_dict"):
        save(_Odd(i for i in range(3)), tmp_path / "net.bin")
    with pytest.raises(DataError, match=r"(?s)iterator.*state_dict"):
        save(copy.deepcopy(_Odd(i for i in range(3))), tmp_path / "net.bin")
    with pytest.raises(DataError, match=r"(?s)linear\.weight of shape.*state_dict"):
        save(_Odd([1]), tmp_path / "net.bin")  # it uses its argument up
    local = type("Net", (nn.Module,), {})
    with pytest.raises(DataError, match="two that are called Net"):
        save([Net(2), local()], tmp_path / "net.bin")
    with pytest.raises(DataError, match="_Source"):
        save(nn.utils.weight_norm(nn.Linear(2, 2)).parametrizations.weight, tmp_path / "net.bin")


def test_an_optimiser_is_saved_by_its_state(tmp_path: Path) -> None:
    net = nn.Linear(2, 2)
    with pytest.raises(DtypeError, match=r"got: +SGD .*\n +cure: +save its state_dict\(\)"):
        save({"optimizer": optim.SGD(net.parameters(), lr=0.1)}, tmp_path / "checkpoint.bin")


def test_a_constructor_that_fails_is_named(tmp_path: Path) -> None:
    class Fragile(nn.Module):
        broken = False

        def __init__(self, width: int) -> None:
            super().__init__()
            if self.broken:
                raise TypeError("no width any more")
            self.linear = nn.Linear(width, width)

    save(Fragile(2), tmp_path / "net.bin")
    Fragile.broken = True
    with pytest.raises(
        DataError, match=r"(?s)Fragile to be made.*no width any more.*as it was when the file was saved"
    ):
        load(tmp_path / "net.bin", classes=[Fragile])


def test_a_class_that_has_changed_since(tmp_path: Path) -> None:
    save(Net(3), tmp_path / "net.bin")
    changed = type(
        "Net",
        (nn.Module,),
        {"__init__": lambda self, n: (nn.Module.__init__(self), setattr(self, "a", nn.Linear(n, 1)))[0]},
    )
    with pytest.raises(DataError, match=r"(?s)without linear1\.weight.*and \d+ more.*as it was"):
        load(tmp_path / "net.bin", classes=[changed])


@pytest.mark.proves("C080")
def test_an_unknown_class_is_named_with_the_cure(tmp_path: Path) -> None:
    save(nn.Sequential(Net(3)), tmp_path / "net.bin")
    with pytest.raises(DataError, match=r"(?s)net\.bin.*'Net'.*classes=\[Net\]"):
        load(tmp_path / "net.bin")
    assert isinstance(load(tmp_path / "net.bin", classes=Net)[0], Net)
    with pytest.raises(DtypeError, match="without parentheses"):
        load(tmp_path / "net.bin", classes=[Net(3)])
    with pytest.raises(DataError, match="hand over the one"):
        load(tmp_path / "net.bin", classes=[Net, type("Net", (nn.Module,), {})])
