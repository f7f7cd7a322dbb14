"""Leaks are refused: test rows, rows on both sides, scalers that have seen too much. And what is no leak is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import numnet
from numnet import nn, optim, train
from numnet.data import ConcatDataset, DataLoader, Subset, SubsetRandomSampler, TensorDataset, random_split
from numnet.errors import DataError, OptionError


def fit(data: Any, validation: Any = None, **options: Any) -> nn.Module:
    numnet.manual_seed(0)
    net = nn.Linear(4, 2).double()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    options = {"epochs": 2, "progress": False, **options}
    train.fit(net, nn.CrossEntropyLoss(), optimizer, data, validation=validation, **options)
    return net


@pytest.fixture
def dataset(problem: Any) -> TensorDataset:
    return TensorDataset(*problem.train)


@pytest.mark.proves("C052")
def test_test_rows_are_for_the_end(dataset: TensorDataset) -> None:
    names = ("train", "validation", "test")
    learned, chosen, test = random_split(dataset, [0.6, 0.2, 0.2], rng=np.random.default_rng(0), names=names)
    assert sorted(np.concatenate([part.indices for part in (learned, chosen, test)])) == list(range(90))
    net = fit(learned, chosen)
    with pytest.raises(DataError) as caught:
        fit(test, chosen)
    assert "expected: rows to learn from, of any role but 'test'\n  got:      18 with role='test' as train" in str(
        caught.value
    )
    with pytest.raises(DataError) as caught:
        fit(learned, test)
    assert "expected: rows to choose by, of any role but 'test'" in str(caught.value)
    assert "train.evaluate(net, loss, test)" in str(caught.value)
    for hidden in (
        DataLoader(test, 4),
        Subset(test, [0, 1]),
        Subset(test, [0], role="train"),
        ConcatDataset([learned, test]),
    ):
        with pytest.raises(DataError, match="role='test' as train"):
            fit(hidden)
    assert train.evaluate(net, nn.CrossEntropyLoss(), test)["loss"] > 0


@pytest.mark.parametrize(
    "parts, text",
    [
        (lambda d: (d, d), "90 in both: 0, 1, 2, … of TensorDataset"),
        (lambda d: (Subset(d, range(60)), Subset(d, range(58, 90))), "2 in both: 58, 59 of TensorDataset"),
        (lambda d: (Subset(d, range(60)), Subset(d, [-40])), "1 in both: 50 of TensorDataset"),
        (lambda d: (Subset(Subset(d, range(40, 90)), [7]), DataLoader(Subset(d, [3, 47]))), "1 in both: 47 of"),
        (lambda d: (ConcatDataset([Subset(d, [1, 2]), Subset(d, [3, 4])]), Subset(d, [3])), "1 in both: 3 of"),
        (lambda d: (d.tensors, d.tensors), "90 in both"),
        (lambda d: (Subset(TensorDataset(*d.tensors), [5, 6]), Subset(d, [6])), "1 in both: 6"),
        (lambda d: (d.tensors, tuple(a[80:] for a in d.tensors)), "slices of one array that overlap"),
        (lambda d: (DataLoader(d, sampler=SubsetRandomSampler([1, 2])), Subset(d, [2])), "1 in both: 2"),
    ],
)
def test_rows_on_both_sides(parts: Any, text: str, dataset: TensorDataset) -> None:
    with pytest.raises(DataError, match=text) as caught:
        fit(*parts(dataset))
    assert "validation rows that training does not see" in str(caught.value)
    assert "random_split" in str(caught.value)


@pytest.mark.parametrize(
    "parts",
    [
        lambda d: (Subset(d, range(60)), Subset(d, range(60, 90))),
        lambda d: (tuple(a[:60] for a in d.tensors), tuple(a[60:] for a in d.tensors)),
        lambda d: (tuple(a[::2] for a in d.tensors), tuple(a[1::2] for a in d.tensors)),
        lambda d: tuple(DataLoader(d, 8, sampler=SubsetRandomSampler(range(i, i + 40))) for i in (0, 40)),
        lambda d: (ConcatDataset([Subset(d, [1, 2]), Subset(d, [3, 4])]), Subset(d, [5])),
        lambda d: (d, [(a, b) for a, b in zip(*d.tensors, strict=True)]),  # what is the same there, nobody can know
    ],
)
def test_rows_that_are_apart_are_not_refused(parts: Any, dataset: TensorDataset) -> None:
    fit(*parts(dataset))


# ---------------------------------------------------------------------------------------------- scalers


@pytest.fixture
def preprocessing() -> Any:
    return pytest.importorskip("sklearn.preprocessing", reason='scikit-learn is not installed: pip install ".[demos]"')


def shifted(problem: Any, dtype: Any = np.float64) -> list[tuple[np.ndarray, np.ndarray]]:
    return [((x * [1, 10, 100, 0.1] + [0, 5, -300, 1e-3]).astype(dtype), y) for x, y in problem]


@pytest.mark.proves("C236")
def test_a_scaler_that_has_seen_validation_rows_is_refused(problem: Any, preprocessing: Any) -> None:
    (x, y), (x_valid, y_valid) = shifted(problem)
    leaking = preprocessing.StandardScaler().fit(np.concatenate([x, x_valid]))
    with pytest.raises(DataError) as caught:
        fit((x, y), (x_valid, y_valid), scaler=leaking)
    right = preprocessing.StandardScaler().fit(x)
    assert "expected: a StandardScaler fitted on the 90 training rows alone" in str(caught.value)
    assert f"mean_ = {leaking.mean_[0]:.6g} in column 0; fitted on these rows it would be {right.mean_[0]:.6g}" in str(
        caught.value
    )
    assert "scaler.fit(x_train), after the split" in str(caught.value)

    net = fit((x, y), (x_valid, y_valid), scaler=right)
    by_hand = fit((right.transform(x), y), (right.transform(x_valid), y_valid))
    np.testing.assert_array_equal(net.weight.data, by_hand.weight.data)
    loss = nn.CrossEntropyLoss()
    found = train.evaluate(net, loss, (x_valid, y_valid), scaler=right)
    assert found == train.evaluate(net, loss, (right.transform(x_valid), y_valid))
    np.testing.assert_array_equal(
        train.predict(net, x_valid, scaler=right), train.predict(net, right.transform(x_valid))
    )


def test_components_that_turn_at_a_touch_are_no_leak() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    x, y = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)  # the last components have no variance
    numnet.manual_seed(0)
    net = nn.Linear(64, 10)
    options = {"epochs": 1, "progress": False, "scaler": decomposition.PCA().fit(x)}
    optimizer = optim.SGD(net.parameters(), lr=1e-3)
    train.fit(net, nn.CrossEntropyLoss(), optimizer, (x.astype(np.float32), y), **options)
    with pytest.raises(DataError, match="PCA fitted on the 1700 training rows alone"):
        train.fit(net, nn.CrossEntropyLoss(), optimizer, (x[:1700].astype(np.float32), y[:1700]), **options)


def test_the_scaler_goes_over_both_sets(problem: Any, preprocessing: Any) -> None:
    (x, y), validation = shifted(problem)
    scaler = preprocessing.StandardScaler().fit(x)
    plain = train.fit(
        net := nn.Linear(4, 2).double(), nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.0), (x, y), epochs=1,
        validation=validation, scaler=scaler, progress=False,
    )  # fmt: skip
    right = train.evaluate(net, nn.CrossEntropyLoss(), (scaler.transform(validation[0]), validation[1]))["loss"]
    assert plain["validation_loss"] == [pytest.approx(right, rel=1e-12)]


@pytest.mark.proves("C055")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "kind", ["centred", "StandardScaler", "MinMaxScaler", "RobustScaler", "QuantileTransformer", "PCA", "Pipeline"]
)
def test_other_transformers(kind: str, dtype: Any, problem: Any, preprocessing: Any) -> None:
    """One extra row that is far off is found; the same rows in another dtype are no leak."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    makers = {
        "centred": lambda: preprocessing.StandardScaler(with_std=False),
        "PCA": lambda: PCA(whiten=True),
        "Pipeline": lambda: make_pipeline(preprocessing.StandardScaler(), PCA()),
        "QuantileTransformer": lambda: preprocessing.QuantileTransformer(n_quantiles=20),
    }
    make = makers.get(kind) or getattr(preprocessing, kind)
    (x, y), _ = shifted(problem, dtype)

    def fitted_fit(scaler: Any) -> None:
        net = nn.Linear(4, 2).to(dtype)
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        train.fit(net, nn.CrossEntropyLoss(), optimizer, (x, y), epochs=1, scaler=scaler, progress=False)

    fitted_fit(make().fit(x.astype(np.float64)))
    with pytest.raises(DataError, match=f"a {type(make()).__name__} fitted on the 90 training rows alone"):
        fitted_fit(make().fit(np.concatenate([x, 30 * x[:1]])))


def test_a_row_that_changes_no_statistic_is_found_by_the_count(problem: Any, preprocessing: Any) -> None:
    x, y = problem.train
    more = np.concatenate([x, x])
    with pytest.raises(DataError, match="n_samples_seen_ = 180; fitted on these rows it would be 90"):
        fit((x, y), scaler=preprocessing.StandardScaler().fit(more))


def test_rows_that_were_scaled_before(problem: Any, preprocessing: Any) -> None:
    (x, y), _ = shifted(problem)
    scaler = preprocessing.StandardScaler().fit(x)
    with pytest.raises(DataError, match="fit scales both sets itself, so give it rows as they were"):
        fit((scaler.transform(x), y), scaler=scaler)


def test_subsets_and_loaders_in_memory_are_scaled_too(problem: Any, preprocessing: Any) -> None:
    (x, y), _ = shifted(problem)
    dataset = TensorDataset(x, y)
    learned, held_out = Subset(dataset, range(50)), Subset(dataset, range(50, 90))
    scaler = preprocessing.StandardScaler().fit(x[:50])
    nets = [
        fit((x[:50], y[:50]), scaler=scaler, batch_size=8, rng=np.random.default_rng(0)),
        fit(learned, held_out, scaler=scaler, batch_size=8, rng=np.random.default_rng(0)),
        fit(DataLoader(learned, 8, shuffle=True, rng=np.random.default_rng(0)), scaler=scaler),
    ]
    assert all(np.array_equal(net.weight.data, nets[0].weight.data) for net in nets)
    sampled = DataLoader(dataset, 8, sampler=SubsetRandomSampler(range(50)))
    fit(sampled, scaler=scaler)  # it is fitted on those that the sampler gives
    with pytest.raises(DataError, match="the 90 training rows alone"):
        fit(dataset, scaler=scaler)
    with pytest.raises(OptionError, match="list as train"):
        fit([(a, b) for a, b in zip(x, y, strict=True)], scaler=scaler)
