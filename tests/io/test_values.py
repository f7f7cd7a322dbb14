"""Nested values go into a file and come out of it as they were."""

from __future__ import annotations

import collections
import math
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numnet import Parameter, Tensor
from numnet.errors import DataError, DtypeError
from numnet.io import load, save

DTYPES = ["bool", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)), "float16", "float32", "float64"]


def round_trip(value: Any, folder: Path) -> Any:
    save(value, folder / "value.bin")
    return load(folder / "value.bin")


def assert_alike(got: Any, right: Any) -> None:
    """The same types, the same bits."""
    assert type(got) is type(right)
    if isinstance(right, np.ndarray | np.generic):
        assert got.shape == right.shape
        assert got.dtype == right.dtype.newbyteorder("=")
        assert got.tobytes() == np.asarray(right, right.dtype.newbyteorder("=")).tobytes()
    elif isinstance(right, Tensor):
        assert_alike(got.array, right.array)
        assert got.requires_grad == right.requires_grad
    elif isinstance(right, dict):
        assert [*map(repr, got)] == [*map(repr, right)]
        assert [*map(type, got)] == [*map(type, right)]
        for mine, theirs in zip(got.values(), right.values(), strict=True):
            assert_alike(mine, theirs)
    elif isinstance(right, list | tuple):
        assert len(got) == len(right)
        for mine, theirs in zip(got, right, strict=True):
            assert_alike(mine, theirs)
    elif isinstance(right, float):
        assert repr(got) == repr(right)  # NaN, infinities and -0.0 too
    else:
        assert got == right


arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: st.sampled_from("<>").flatmap(
        lambda order: hnp.arrays(
            np.dtype(name).newbyteorder(order), hnp.array_shapes(min_dims=0, min_side=0, max_side=3)
        )
    )
)
laid_out = st.tuples(arrays, st.sampled_from(["as it is", "transposed", "strided", "reversed", "read-only"])).map(
    lambda drawn: {
        "transposed": lambda a: a.T,
        "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
        "reversed": lambda a: a[::-1] if a.ndim else a,
        "as it is": lambda a: a,
        "read-only": lambda a: np.broadcast_to(a, (2, *a.shape)),
    }[drawn[1]](drawn[0])
)
keys = st.one_of(
    st.text(max_size=5),
    st.integers(),
    st.booleans(),
    st.none(),
    st.sampled_from(["$", "__metadata__", "a.b", ""]),
    st.tuples(st.integers(), st.text(max_size=2)),
)
scalars = arrays.filter(lambda a: a.ndim == 0).map(lambda a: a.astype(a.dtype.newbyteorder("="))[()])
parameters = laid_out.filter(lambda a: a.dtype.kind == "f").map(lambda a: Parameter(a, requires_grad=a.size % 2 == 0))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**30, 10**40),
    st.floats(),
    st.text(st.characters(), max_size=8),
    laid_out,
    scalars,
    laid_out.map(Tensor),
    parameters,
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(value=values)
def test_whatever_it_is(tmp_path: Path, value: Any) -> None:
    assert_alike(round_trip(value, tmp_path), value)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(12.0, dtype=np.float32).reshape(3, 4).T,
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.arange(12).reshape(3, 4)[::-1],
        np.array(3.0),
        np.float32(0.1),
        np.zeros((0, 3), np.float16),
        np.arange(4, dtype=">i8"),
        {0: {"step": 3, "exp_avg": np.ones(2)}, 1: {}},
        {"state": {}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0, 1], "foreach": None}]},
        [math.nan, math.inf, -math.inf, -0.0, 5e-324, 2**63, -(2**63), 10**5000],
        {
            "a": {"b": np.ones(1)},
            "a.b": np.zeros(2),
            "__metadata__": np.ones(3),
            "\ud800": np.ones(4),
            "x\0\n": np.ones(1),
        },
        list(range(100_000)),
        {},
        [],
        "",
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_easily_lost(tmp_path: Path, value: Any) -> None:
    assert_alike(round_trip(value, tmp_path), value)


def test_an_array_met_twice_is_one_array(tmp_path: Path) -> None:
    a = np.ones((300, 300))
    b = round_trip({"one": a, "two": [a, Tensor(a)]}, tmp_path)
    assert b["one"] is b["two"][0] is b["two"][1].array
    assert (tmp_path / "value.bin").stat().st_size < 1.1 * a.nbytes
    t = Tensor(a)
    first, second = round_trip([t, t], tmp_path)
    assert first is second


def test_what_comes_out_may_be_written_into(tmp_path: Path) -> None:
    a = np.zeros(3)
    a.flags.writeable = False
    round_trip(a, tmp_path)[0] = 1


def test_mappings_become_dicts(tmp_path: Path) -> None:
    ordered = collections.OrderedDict(b=1, a=2)
    assert_alike(round_trip(ordered, tmp_path), {"b": 1, "a": 2})


def test_a_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    kinds = [np.random.Philox, np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.SFC64]
    generators = [np.random.Generator(kind(7)) for kind in kinds]
    for rng in generators:
        rng.integers(10, size=3, dtype=np.int32)  # which leaves half a draw behind
    again = round_trip([*generators, generators[0]], tmp_path)
    assert again[-1] is again[0]
    for mine, theirs in zip(generators, again, strict=False):
        np.testing.assert_array_equal(
            mine.integers(1000, size=9, dtype=np.int32), theirs.integers(1000, size=9, dtype=np.int32)
        )


@pytest.mark.parametrize(
    "value, complaint",
    [
        ({"model": {"labels": {1, 2}}}, r"at model\.labels(?s:.*)got: +set"),
        ([1, object()], r"at 1(?s:.*)object"),
        (np.array(["a"]), r"(?s)<U1.*tolist"),
        (np.ones(2, np.complex64), "complex64"),
        (np.array([None]), "object"),
        (np.ones(2, np.longdouble), "longdouble|float128"),
        (1j, "complex"),
        (b"bytes", "bytes"),
        (lambda: 0, "function"),
        (np.random.RandomState(0), "RandomState"),
    ],
    ids=range(10),  # repr(object()) differs from process to process, and pytest-xdist compares
)
def test_what_has_no_place_in_a_file_is_named(tmp_path: Path, value: Any, complaint: str) -> None:
    with pytest.raises(DtypeError, match=complaint) as caught:
        save(value, tmp_path / "value.bin")
    assert "value.bin" in str(caught.value)
    assert caught.value.cure
    assert not list(tmp_path.iterdir())


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DataError, match="holds itself"):
        save(endless, tmp_path / "value.bin")
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(DataError, match="up to 100"):
        save(deep, tmp_path / "value.bin")


def test_a_header_beyond_the_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numnet.io.file.LARGEST_HEADER", 1000)
    save({"losses": [0.5] * 100}, tmp_path / "value.bin")
    with pytest.raises(DataError, match="into arrays"):
        save({"losses": [0.5] * 1000}, tmp_path / "value.bin")
    assert load(tmp_path / "value.bin") == {"losses": [0.5] * 100}
