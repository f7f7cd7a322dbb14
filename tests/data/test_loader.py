"""The loader: its options, its order, its state."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import samples

import numnet
from numnet import tensor
from numnet.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
)
from numnet.errors import DtypeError, NumnetError, OptionError, StateDictError

theirs = pytest.importorskip("torch.utils.data")

X = np.arange(10)


def rows(loader: Any) -> list[list[int]]:
    return [batch[0].tolist() for batch in loader]


@pytest.mark.proves("C032", "C033")
def test_the_signature_is_the_tutorials() -> None:
    printed = (
        "dataset, batch_size=1, shuffle=False, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None,"
        " pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None"
    )
    parameters = list(inspect.signature(DataLoader).parameters.values())
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    ours = ", ".join(p.name if p.default is p.empty else f"{p.name}={p.default}" for p in positional)
    assert ours == printed
    assert DataLoader([1]).collate_fn is default_collate
    names = [p.name for p in positional]
    assert names == list(inspect.signature(theirs.DataLoader).parameters)[: len(names)]


@pytest.mark.proves("C032")
def test_every_option_of_the_signature_in_its_place() -> None:
    loader = DataLoader(TensorDataset(X), 4, True, None, None, 0, None, False, True, 0, None)
    batches = rows(loader)
    assert [len(batch) for batch in batches] == [4, 4]
    order = list(itertools.chain(*batches))
    assert order != sorted(order)
    assert len(set(order)) == 8
    assert set(order) <= set(X)


@pytest.mark.proves("C033")
def test_one_sample_a_batch_unless_told() -> None:
    assert rows(DataLoader(TensorDataset(X))) == [[i] for i in X]


@pytest.mark.proves("C040")
@pytest.mark.parametrize("n, batch_size", [(10, 4), (8, 4), (3, 4), (4, 4), (0, 4)])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_are_pytorchs(n: int, batch_size: int, drop_last: bool) -> None:
    data = list(range(n))
    ours = DataLoader(data, batch_size, drop_last=drop_last)
    torchs = theirs.DataLoader(data, batch_size, drop_last=drop_last)
    assert [batch.tolist() for batch in ours] == [batch.tolist() for batch in torchs]
    assert len(ours) == len(torchs) == len(list(ours))


def test_an_empty_data_set_has_no_batches_in_any_order() -> None:
    assert list(DataLoader(TensorDataset(np.zeros((0, 3))), 4, shuffle=True)) == []


@pytest.mark.proves("C034")
def test_a_new_order_every_epoch_and_the_same_with_the_same_seed() -> None:
    numnet.manual_seed(5)
    loader = DataLoader(TensorDataset(np.arange(100)), 8, shuffle=True)
    epochs = [list(itertools.chain(*rows(loader))) for _ in range(3)]
    assert all(sorted(epoch) == list(range(100)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    numnet.manual_seed(5)
    assert [list(itertools.chain(*rows(loader))) for _ in range(3)] == epochs
    own = DataLoader(TensorDataset(np.arange(100)), 8, shuffle=True, rng=np.random.default_rng(5))
    assert [len(batch) for batch in rows(own)] == [8] * 12 + [4]


@pytest.mark.proves("C034")
def test_what_the_loop_draws_does_not_change_the_order_of_its_epoch() -> None:
    orders = []
    for noise in (0, 7):
        numnet.manual_seed(5)
        order = []
        for batch in DataLoader(samples.Noisy(), 4, shuffle=True):
            numnet.random.default_rng().random(noise)
            order.append(batch["x"])
        orders.append(np.concatenate(order))
    np.testing.assert_array_equal(*orders)


def test_a_sample_that_comes_twice_is_not_augmented_alike() -> None:
    (batch,) = DataLoader(samples.Noisy(), 4, sampler=[3, 3, 3, 3])
    assert len(np.unique(batch["x"])) == 4 * 6


def test_two_iterators_at_once_do_not_disturb_each_other() -> None:
    loader = DataLoader(TensorDataset(X), 3, shuffle=True)
    pairs = [(a[0].tolist(), b[0].tolist()) for a in loader for b in loader]
    assert len(pairs) == 16
    for k in range(0, 16, 4):
        assert len({tuple(a) for a, _ in pairs[k : k + 4]}) == 1
        assert sorted(itertools.chain(*(b for _, b in pairs[k : k + 4]))) == list(X)
    assert sorted(itertools.chain(*(a for a, _ in pairs[::4]))) == list(X)


@pytest.mark.proves("C035")
def test_a_sampler_decides_the_order() -> None:
    assert rows(DataLoader(TensorDataset(X), 2, sampler=[5, 1, 1, 9, 0])) == [[5, 1], [1, 9], [0]]
    loader = DataLoader(TensorDataset(X), 5, sampler=RandomSampler(X, rng=np.random.default_rng(0)))
    a, b = rows(loader), rows(loader)
    assert a != b
    assert sorted(itertools.chain(*a)) == list(X)


@pytest.mark.proves("C036")
def test_a_batch_sampler_decides_the_batches() -> None:
    lists = [[0, 1, 2], [9], [4, 4]]
    loader = DataLoader(TensorDataset(X), batch_sampler=lists)
    assert rows(loader) == lists
    assert len(loader) == 3
    assert loader.batch_size is None
    made = BatchSampler(SequentialSampler(X), 4, True)
    assert rows(DataLoader(TensorDataset(X), batch_sampler=made)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_keys_of_any_kind() -> None:
    words = {"a": 1, "b": 2}
    assert [batch.tolist() for batch in DataLoader(words, 2, sampler=["b", "a"])] == [[2, 1]]


def test_no_batches_at_all() -> None:
    loader = DataLoader([(np.zeros(2), 1), (np.ones(2), 2)], batch_size=None)
    assert [(x.tolist(), y) for x, y in loader] == [([0, 0], 1), ([1, 1], 2)]
    assert len(loader) == 2


C = SequentialSampler(X)


@pytest.mark.proves("C035", "C036")
@pytest.mark.parametrize(
    "options, words",
    [
        ({"sampler": C, "shuffle": True}, "shuffle=True and sampler=SequentialSampler.*cure: +shuffle=False"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "also batch_size=2.*leave out batch_size"),
        ({"batch_sampler": [[0]], "shuffle": True}, "also shuffle=True.*leave out shuffle"),
        ({"batch_sampler": [[0]], "drop_last": True}, "also drop_last=True"),
        ({"batch_sampler": [[0]], "sampler": C, "batch_size": 3}, "batch_size=3, sampler=SequentialSampler"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 2.0}, "batch_size=2.0"),
        ({"sampler": iter([1, 2])}, r"which one uses up.*list\(sampler\)"),
        ({"num_workers": -1}, "num_workers=-1"),
        ({"timeout": -1}, "timeout=-1"),
        ({"prefetch_factor": 0}, "prefetch_factor=0"),
        ({"persistent_workers": True}, "num_workers=0"),
    ],
)
def test_options_that_exclude_each_other(options: Any, words: str) -> None:
    with pytest.raises(OptionError, match=f"(?s){words}"):
        DataLoader(TensorDataset(X), **options)


@pytest.mark.parametrize(
    "dataset", [iter([1]), 3, iter(i for i in X), samples.Noisy], ids=["list", "int", "gen", "class"]
)
def test_what_has_no_numbered_samples(dataset: Any) -> None:
    with pytest.raises(DtypeError, match=r"dataset\[i\] and len\(dataset\)") as raised:
        DataLoader(dataset)
    assert ("Noisy(…), with parentheses" in str(raised.value)) == isinstance(dataset, type)
    with pytest.raises(DtypeError, match="rng as a generator"):
        DataLoader([1], rng=7)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [X > 3, [1.0, 2.5], ["a"]], ids=["mask", "floats", "words"])
def test_a_mask_is_not_taken_for_numbers(order: Any) -> None:
    whole = TensorDataset(X)
    for dataset in (whole, Subset(whole, X)):
        with pytest.raises(DtypeError, match="indices as integers") as raised:
            list(DataLoader(dataset, 2, sampler=order))
        assert ("np.flatnonzero" in str(raised.value)) == isinstance(order, np.ndarray)
        assert "for batch 0 of a DataLoader" in str(raised.value.__notes__)


def test_a_batch_sampler_of_single_numbers() -> None:
    with pytest.raises(DtypeError, match=r"(?s)0 as batch 0.*sampler= takes numbers"):
        list(DataLoader(TensorDataset(X), batch_sampler=SequentialSampler(X)))


def test_an_index_outside_names_the_batch() -> None:
    for dataset in (TensorDataset(X), list(X)):
        with pytest.raises(IndexError) as raised:
            list(DataLoader(dataset, 2, sampler=[1, 2, 3, 99]))
        assert "99" in str(raised.value.__notes__)
        assert "batch 1 of a DataLoader" in str(raised.value.__notes__)


# ---------------------------------------------------------------------- pinned memory


@pytest.mark.proves("C039")
def test_memory_is_pinned_with_cupy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    data = TensorDataset(np.arange(12, dtype=np.float32).reshape(4, 3), np.arange(4))
    assert "cupy" not in sys.modules
    plain = list(DataLoader(data, 3, pin_memory=True))
    allocated = []

    def alloc(size: int) -> bytearray:
        allocated.append(size)
        return bytearray(size + 512)  # CuPy's too may be larger

    monkeypatch.setitem(
        sys.modules,
        "cupy",
        SimpleNamespace(cuda=SimpleNamespace(alloc_pinned_memory=alloc), ndarray=type("ndarray", (), {})),
    )
    pinned = list(DataLoader(data, 3, pin_memory=True))
    assert allocated == [36, 24, 12, 8]
    for one, other in zip(plain, pinned, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    (x,) = next(iter(DataLoader(TensorDataset(tensor([[1.0, 2.0]])), pin_memory=True)))
    assert x.tolist() == [[1.0, 2.0]]
    assert allocated[-1] == 8


# ---------------------------------------------------------------------- state


MAKES: dict[str, Any] = {
    "default generator": {"shuffle": True},
    "its own generator": {"shuffle": True, "rng": 1},
    "in order": {},
    "a sampler's generator": {"sampler": 2},
    "one for both": {"sampler": 3, "rng": 3},
    "workers": {"shuffle": True, "num_workers": 2},
}


def made(options: dict[str, Any]) -> DataLoader:
    """A loader with fresh generators for the numbers in the options."""
    generators = {n: np.random.default_rng(n) for n in (1, 2, 3)}
    options = dict(options)
    if "rng" in options:
        options["rng"] = generators[options["rng"]]
    if "sampler" in options:
        options["sampler"] = RandomSampler(range(23), rng=generators[options["sampler"]])
    return DataLoader(samples.Noisy(), 3, **options)


def through_json(state: Any) -> Any:
    """As a file of arrays and JSON gives it back."""
    if isinstance(state, dict):
        return {key: through_json(value) for key, value in state.items()}
    return state.copy() if isinstance(state, np.ndarray) else json.loads(json.dumps(state))


@pytest.mark.proves("C034")
@pytest.mark.parametrize("how, after", [(how, k) for how in MAKES for k in ([5] if how == "workers" else [0, 1, 5, 8])])
def test_a_resumed_epoch_has_exactly_the_batches_that_were_left(how: str, after: int) -> None:
    options = MAKES[how]
    numnet.manual_seed(11)
    loader = made(options)
    list(loader)  # an epoch before
    iterator = iter(loader)
    for _ in range(after):
        next(iterator)
    state = through_json(loader.state_dict())
    default = numnet.random.default_rng().bit_generator.state
    rest = [batch["x"] for batch in iterator]
    later = [batch["x"] for batch in loader]

    numnet.manual_seed(99)  # another program
    other = made(options)
    other.load_state_dict(state)
    numnet.random.default_rng().bit_generator.state = default
    assert through_json(other.state_dict())["batch"] == after
    resumed, after_it = [batch["x"] for batch in other], [batch["x"] for batch in other]
    assert len(resumed) == len(rest) == 8 - after
    for a, b in zip([*rest, *later], [*resumed, *after_it], strict=True):
        np.testing.assert_array_equal(a, b)


def test_between_epochs_the_next_is_a_whole_one() -> None:
    loader = DataLoader(samples.Noisy(), 3, True, rng=np.random.default_rng(0))
    list(loader)
    state = loader.state_dict()
    assert (state["seed"], state["batch"]) == (None, 0)
    expected = [batch["x"] for batch in loader]
    loader.load_state_dict(state)
    np.testing.assert_array_equal(np.concatenate([batch["x"] for batch in loader]), np.concatenate(expected))


def test_an_epoch_broken_off_is_not_gone_on_with_unasked() -> None:
    loader = DataLoader(TensorDataset(X), 3)
    for _ in loader:
        break
    state = loader.state_dict()
    assert state["batch"] == 1
    assert rows(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    loader.load_state_dict(state)
    assert rows(loader) == [[3, 4, 5], [6, 7, 8], [9]]
    assert rows(loader) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"batches": 5}, "an epoch of 4 batches.*one of 5"),
        ({"rng": np.random.default_rng(0).bit_generator.state}, "a generator as rng.*none in this loader"),
    ],
)
def test_a_state_of_something_else_is_refused(change: dict[str, Any], words: str) -> None:
    loader = DataLoader(TensorDataset(X), 3)
    with pytest.raises(StateDictError, match=f"(?s){words}"):
        loader.load_state_dict(loader.state_dict() | change)
    with pytest.raises(NumnetError, match="a loader's state"):
        loader.load_state_dict({"seed": 3})
