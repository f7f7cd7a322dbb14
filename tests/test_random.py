"""The default generator, and generators in its place."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import numnet
from numnet import nn
from numnet.random import default_rng, drawing_from, undisturbed


def test_a_key_decides_what_is_drawn() -> None:
    def drawn(*key: int) -> float:
        with drawing_from((key[0], key[1])):
            return float(default_rng().random())

    values = [drawn(seed, stream) for seed in (0, 1, 2**64 - 1) for stream in (0, 1, 2**60)]
    assert len(set(values)) == len(values)
    assert values == [drawn(seed, stream) for seed in (0, 1, 2**64 - 1) for stream in (0, 1, 2**60)]


def test_within_it_one_generator_goes_on_and_outside_nothing_has_happened() -> None:
    numnet.manual_seed(0)
    expected = numnet.manual_seed(0).random(2)
    numnet.manual_seed(0)
    first = default_rng().random()
    with drawing_from((1, 2)):
        a, b = default_rng().random(2), default_rng().random(2)
        assert not np.any(a == b)
        with drawing_from(np.random.default_rng(5)):
            assert default_rng().random() == np.random.default_rng(5).random()
        with drawing_from((1, 2)):
            np.testing.assert_array_equal(default_rng().random(4), [*a, *b])
    assert [first, default_rng().random()] == expected.tolist()


def test_errors_end_it_too() -> None:
    before = default_rng()
    with pytest.raises(ZeroDivisionError), drawing_from((1, 2)):
        raise ZeroDivisionError
    assert default_rng() is before


def test_layers_draw_from_it() -> None:
    x = np.ones((50, 3), np.float32)
    outputs = []
    for _ in range(2):
        with drawing_from((7, 7)):
            outputs.append(nn.Dropout(0.5)(x))
    np.testing.assert_array_equal(*outputs)


def test_it_is_the_threads_alone() -> None:
    seen = []
    with drawing_from((1, 2)):
        own = default_rng()
        thread = threading.Thread(target=lambda: seen.append(default_rng()))
        thread.start()
        thread.join()
    assert seen[0] is not own
    assert seen[0] is default_rng()


def test_undisturbed_restores_the_default_generator() -> None:
    numnet.manual_seed(0)
    before = default_rng().bit_generator.state
    with undisturbed():
        numnet.manual_seed(1)
        default_rng().random()
    after = default_rng().bit_generator.state
    np.testing.assert_equal(after, before)


def test_undisturbed_is_the_threads_alone() -> None:
    """A file is saved in one thread while another trains: the numbers of the other are as if nothing had been saved."""
    numnet.manual_seed(0)
    expected = default_rng().random(3)
    rng = numnet.manual_seed(0)
    inside, drawn = threading.Event(), threading.Event()

    def save() -> None:
        with undisturbed():
            numnet.manual_seed(5)
            inside.set()
            drawn.wait(5)

    thread = threading.Thread(target=save)
    thread.start()
    assert inside.wait(5)
    numbers = [default_rng().random()]
    with undisturbed():
        default_rng().random()
        drawn.set()
        thread.join()
    numbers += default_rng().random(2).tolist()
    assert default_rng() is rng
    np.testing.assert_array_equal(numbers, expected)
