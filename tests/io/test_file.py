"""Files of others, damaged files, and files that mean harm."""

from __future__ import annotations

import contextlib
import hashlib
import json
import pickle
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numnet import nn, optim
from numnet.errors import DataError, MissingExtraError, NumnetError, StateDictError
from numnet.io import file, load, save


class PhonePriceModel(nn.Module):
    """The network of tutorial 004."""

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(input_dim, 128)
        self.linear2 = nn.Linear(128, 256)
        self.linear3 = nn.Linear(256, output_dim)

    def forward(self, x: Any) -> Any:
        return self.linear3(nn.functional.relu(self.linear2(nn.functional.relu(self.linear1(x)))))


def torch_model(torch: ModuleType) -> Any:
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear1 = torch.nn.Linear(20, 128)
            self.linear2 = torch.nn.Linear(128, 256)
            self.linear3 = torch.nn.Linear(256, 4)

        def forward(self, x: Any) -> Any:
            return self.linear3(torch.relu(self.linear2(torch.relu(self.linear1(x)))))

    return Model()


# ---------------------------------------------------------------------------------------------- to and from PyTorch


@pytest.mark.proves("C079")
def test_a_state_dict_is_a_safetensors_file_with_the_names_of_pytorch(tmp_path: Path, torch: ModuleType) -> None:
    net, theirs = PhonePriceModel(20, 4), torch_model(torch)
    assert list(net.state_dict()) == list(theirs.state_dict())
    save(net.state_dict(), tmp_path / "net.bin")
    for read in (safetensors.numpy.load_file, load):
        got = read(tmp_path / "net.bin")
        assert got.keys() == net.state_dict().keys()
        for name, array in net.state_dict().items():
            np.testing.assert_array_equal(got[name], array)
    from safetensors.torch import load_file

    theirs.load_state_dict(load_file(tmp_path / "net.bin"))
    x = np.random.default_rng(0).standard_normal((5, 20)).astype(np.float32)
    np.testing.assert_allclose(theirs(torch.from_numpy(x)).detach().numpy(), net(x), rtol=1e-5, atol=1e-6)


@pytest.mark.proves("C079")
def test_a_file_that_pytorch_wrote(tmp_path: Path, torch: ModuleType) -> None:
    from safetensors.torch import save_file

    net, theirs = PhonePriceModel(20, 4), torch_model(torch)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors", metadata={"format": "pt"})
    net.load_state_dict(load(tmp_path / "theirs.safetensors"))
    x = np.random.default_rng(0).standard_normal((5, 20)).astype(np.float32)
    np.testing.assert_allclose(net(x), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    save_file({"half": torch.ones(3, dtype=torch.bfloat16)}, tmp_path / "theirs.safetensors")
    with pytest.raises(DataError, match=r"(?s)'half'.*BF16.*float32"):
        load(tmp_path / "theirs.safetensors")


@pytest.mark.proves("C238", "C082")
def test_save_to_bin_load_evaluate(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 20)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64) + 2 * (x[:, 1] > 0)
    model, criterion = PhonePriceModel(20, 4), nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for _, p in model.named_parameters()]
    start, before = criterion(model(x), y), model.state_dict()
    for _ in range(20):
        criterion(model(x), y)
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
    assert criterion(model(x), y) < start
    assert all((model.state_dict()[name] != array).any() for name, array in before.items())  # each of them has moved
    save(model.state_dict(), tmp_path / "model" / "phone-price-model.bin")  # the folder is made

    evaluated = PhonePriceModel(20, 4)
    evaluated.load_state_dict(load(tmp_path / "model" / "phone-price-model.bin"))
    correct = (np.argmax(evaluated(x), axis=1) == y).sum()
    assert correct == (np.argmax(model(x), axis=1) == y).sum()
    np.testing.assert_array_equal(evaluated(x), model(x))


@pytest.mark.proves("C081")
def test_load_state_dict_strict_and_not(tmp_path: Path) -> None:
    save(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict(), tmp_path / "net.bin")
    state = load(tmp_path / "net.bin")
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Identity(), nn.Linear(4, 2))
    before = net.state_dict()
    with pytest.raises(StateDictError, match=r"missing keys 3\.weight, 3\.bias; unexpected keys 2\.weight, 2\.bias"):
        net.load_state_dict(state)
    for name, array in before.items():
        np.testing.assert_array_equal(net.state_dict()[name], array)  # all or nothing
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert missing == ["3.weight", "3.bias"]
    assert unexpected == ["2.weight", "2.bias"]
    np.testing.assert_array_equal(net[0].weight.data, state["0.weight"])
    np.testing.assert_array_equal(net.state_dict()["3.weight"], before["3.weight"])
    with pytest.raises(StateDictError, match=r"0\.weight \(4, 3\) for \(9, 3\)"):
        nn.Sequential(nn.Linear(3, 9)).load_state_dict(state, strict=False)


# ---------------------------------------------------------------------------------------------- what is no such file


def test_other_formats_are_named(tmp_path: Path, torch: ModuleType) -> None:
    path = tmp_path / "model.pt"

    def refused(*words: str) -> None:
        with pytest.raises(DataError) as caught:
            load(path)
        assert all(word in str(caught.value) for word in ("model.pt", *words)), str(caught.value)

    torch.save({"w": torch.ones(2)}, path)
    refused("zip", "torch.save", "safetensors.torch.save_file")
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    refused("pickle", "safetensors.torch.save_file")
    path.write_bytes(pickle.dumps({"w": 1}, protocol=2))
    refused("pickle")
    with path.open("wb") as f:
        np.savez(f, w=np.ones(3))
    refused("zip", "np.load")
    with path.open("wb") as f:
        np.save(f, np.ones(3))
    refused("np.save", "np.load(path)")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    refused("zip")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    refused("HDF5")
    path.write_text("epoch,loss\n1,0.5\n")
    refused("another kind of file")
    path.write_bytes(b"")
    refused("0 bytes")
    path.unlink()
    refused("no such file")
    path.mkdir()
    refused("a folder")
    path = tmp_path / "no" / "model.pt"
    refused("no folder")


class _Evil:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("pwned"),))


def test_a_pickle_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.bin").write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(DataError, match="pickle"):
        load("model.bin")
    assert not Path("pwned").exists()


def _example() -> Any:
    class_weights = np.array([0.5, 2.0])
    net = nn.Sequential(nn.Linear(2, 2, rng=np.random.default_rng(0)), nn.BatchNorm1d(2), nn.Dropout(0.25))
    return {
        "net": net,
        "loss": nn.CrossEntropyLoss(class_weights),
        "epoch": 3,
        "t": (1.5, None),
        7: [True, np.float32(1)],
    }


def _shape_of(value: Any) -> Any:
    """What a value is made of, without its numbers."""
    if isinstance(value, dict):
        return {key: _shape_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [_shape_of(item) for item in value]
    if isinstance(value, nn.Module):
        return repr(value), {name: a.tobytes() for name, a in value.state_dict().items()}
    return value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "value.bin"
    save(_example(), path)
    return path.read_bytes()


def test_every_flipped_bit_is_noticed(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "value.bin"
    path.write_bytes(whole)
    right = _shape_of(load(path))
    rng = np.random.default_rng(0)
    accepted = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            got = load(path)
        except DataError:
            continue
        accepted += 1
        assert _shape_of(got) == right  # such as a blank between two words of the header
    assert accepted < len(whole) / 100


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_of_every_kind(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    path = tmp_path / "value.bin"
    path.write_bytes(whole)
    right = _shape_of(load(path))
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[stop:]
    path.write_bytes(damaged)
    try:
        assert _shape_of(load(path)) == right
    except DataError:
        assert damaged != whole


WORDS = ["dtype", "shape", "data_offsets", "__metadata__", "numnet", "w"]
headers = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.sampled_from(["F32", "numnet", "__metadata__"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), header=headers)
def test_any_header_at_all(tmp_path: Path, content: bytes, header: Any) -> None:
    path = tmp_path / "value.bin"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    with contextlib.suppress(DataError):
        assert isinstance(load(path), dict)


# ---------------------------------------------------------------------------------------------- what means harm


def forge(path: Path, structure: Any) -> None:
    """A file with this structure and a right checksum."""
    file.write(path, {"w": np.ones(2, np.float32)}, structure)


def module(name: Any, *arguments: Any, **options: Any) -> Any:
    return {"$": "module", "class": name, "arguments": list(arguments), "options": options}


@pytest.mark.proves("C080")
@pytest.mark.parametrize(
    "name",
    [
        "os.system", "builtins.eval", "builtins.exec", "subprocess.Popen", "eval", "print", "Module", "object",
        "numnet.errors.NumnetError", "numnet.nn.module.Module", "numnet.nn.Parameter", "numnet.nn.Call",
        "numnet.nn.init", "numnet.nn.functional.relu", "numnet.nn.utils.clip_grad_norm_", "numnet.nn.__init__",
        "numnet.nn.linear.np.load", "numnet.nn.linear.Linear", "numnet.nn.container._Network", "numnet.nn._Network",
        "numnet.nn.utils.reparametrize._Source", "numnet.nn.functools", "numnet.__main__.main", "numnet.cli.main",
        "numnet.nn.", ".Linear", "", ".", "numnet.nn.Linear.__init__", "numnet.nn.__class__",
        "numnet.models.__loader__", "numnet.models.os", None, 3, [], {"a": 1}, ["numnet.nn.Linear"],
    ],
    ids=str,
)  # fmt: skip
def test_no_class_but_public_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.system", lambda *a: pytest.fail("code was run"))
    for kind in (module(name, "touch pwned"), {"$": "class", "class": name}):
        forge(tmp_path / "evil.bin", {"net": kind})
        with pytest.raises(DataError, match=r"evil\.bin"):
            load(tmp_path / "evil.bin")
    assert [p.name for p in tmp_path.iterdir()] == ["evil.bin"]


W = {"$": "parameter", "name": "w", "requires_grad": True}
LINEAR = module("numnet.nn.Linear", 2, 1, bias=False)


@pytest.mark.parametrize(
    "structure",
    [
        module("numnet.nn.Linear", 3),
        module("numnet.nn.Linear", "a", "b"),
        module("numnet.nn.Linear", -1, 3),
        {"$": "module", "class": "numnet.nn.Linear", "arguments": 3, "options": {}},
        {"$": "module", "class": "numnet.nn.Linear", "arguments": [1, 2], "options": []},
        {"$": "module"},
        {"$": "network", "module": LINEAR, "state": [["weight", W]], "evaluating": []},
        {"$": "network", "module": LINEAR, "state": [], "evaluating": []},
        {"$": "network", "module": LINEAR, "state": [["__class__", W]], "evaluating": []},
        {"$": "network", "module": LINEAR, "state": [["weight", None]], "evaluating": []},
        {"$": "network", "module": LINEAR, "state": [["weight", W], ["forward", W]], "evaluating": []},
        {"$": "network", "module": [1], "state": [], "evaluating": []},
        {"$": "array", "name": "other"},
        {"$": "array"},
        {"$": "eval", "text": "1"},
        {"$": None},
        {"$": []},
        {"$": "same", "number": 3},
        {"$": "function", "name": "__builtins__"},
        {"$": "function", "name": "kernels"},
        {"$": "function", "name": "__import__"},
        {"$": "generator", "state": {"bit_generator": "BitGenerator"}},
        {"$": "generator", "state": {"bit_generator": "PCG64", "state": "?"}},
        {"$": "numbers", "dtype": "object", "shape": [1], "hex": "00" * 8},
        {"$": "numbers", "dtype": "float64", "shape": [2], "hex": "00" * 8},
        {"$": "int", "hex": "print(1)"},
        {"$": "float", "text": "one"},
        {"$": "dict", "items": [[[1], 2]]},
        {"$": "tuple", "items": 3},
    ],
    ids=lambda s: json.dumps(s)[:60],
)
def test_a_forged_structure(tmp_path: Path, structure: Any) -> None:
    forge(tmp_path / "evil.bin", {"part": structure})
    with pytest.raises(DataError, match=r"evil\.bin"):
        load(tmp_path / "evil.bin")


def test_headers_made_to_exhaust(tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    for text in ("[" * 100_000, '{"a":' * 100_000, '{"a": ' + "9" * 100_000 + "}"):
        path.write_bytes(len(text).to_bytes(8, "little") + text.encode())
        with pytest.raises(DataError):
            load(path)
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    text = json.dumps(deep)
    ours = f"1 {hashlib.sha256(text.encode()).hexdigest()} {text}"
    safetensors.numpy.save_file({}, path, metadata={"numnet": ours})
    with pytest.raises(DataError):
        load(path)


def test_a_file_of_a_later_version(tmp_path: Path) -> None:
    safetensors.numpy.save_file({}, tmp_path / "later.bin", metadata={"numnet": "2 abc {}"})
    with pytest.raises(DataError, match=r"(?s)version 2.*upgrade"):
        load(tmp_path / "later.bin")


def test_without_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(MissingExtraError, match=r"numnet\[io\]"):
        save({"a": 1}, tmp_path / "a.bin")
    with pytest.raises(NumnetError, match=r"numnet\[io\]"):
        load(tmp_path / "a.bin")
    assert not list(tmp_path.iterdir())
