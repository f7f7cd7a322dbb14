"""The memory of large results: nobody's array is written over, what is not needed goes back."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

import numnet
from numnet import _ext, kernels, nn

runtime = _ext.modules.get("runtime")
pytestmark = pytest.mark.skipif(runtime is None, reason="the compiled kernels are not built")

LARGE = (64, 1024)  # 256 KiB


@pytest.fixture(autouse=True)
def caching() -> Iterator[None]:
    before = runtime.is_caching()
    runtime.set_caching(True)
    if not runtime.is_caching():
        pytest.skip("built for AddressSanitizer")
    numnet.empty_cache()
    yield
    runtime.set_caching(before)


def made(x: np.ndarray) -> np.ndarray:
    """A large result: x, where it is positive."""
    return kernels.relu(x)


def place(a: np.ndarray) -> int:
    return a.__array_interface__["data"][0]


def test_an_output_that_is_held_stays_as_it_is() -> None:
    net = nn.Sequential(nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 512))
    loss = nn.MSELoss()
    rng = np.random.default_rng(0)
    held = []
    for step in range(20):
        x = rng.standard_normal((128, 256), dtype=np.float32)
        z = net(x)
        loss(z, np.zeros_like(z))
        delta_x = net.backward(loss.backward())
        if step % 3 == 0:
            held += [(a, a.copy()) for a in (z, delta_x, net[0].weight.grad, z[3:])]
        net.zero_grad()
    assert all((a == as_it_was).all() for a, as_it_was in held)


def test_memory_is_used_again_and_only_after_its_last_reference_died() -> None:
    x = np.ones(LARGE, np.float32)
    first = made(x)
    view, where = first[10:], place(first)
    assert first.flags.owndata
    assert first.base is None
    assert where % 64 == 0
    del first
    second = made(x)
    assert place(second) != where
    del view
    assert place(made(x)) == where


def test_gaps_side_by_side_become_one() -> None:
    parts = [made(np.ones(LARGE, np.float32)) for _ in range(3)]
    last = made(np.ones(LARGE, np.float32))  # keeps them apart from what is above
    where = min(map(place, parts))
    for order in (0, 1, 0):  # neighbours on either side
        del parts[order]
    assert place(made(np.ones((3 * LARGE[0], LARGE[1]), np.float32))) == where
    assert (last == 1).all()


def test_small_results_and_arrays_of_the_user_are_numpys() -> None:
    live = runtime.cached_bytes()[0]
    keep = made(np.ones((8, 8), np.float32)), np.ones(LARGE), np.empty(LARGE)
    assert runtime.cached_bytes()[0] == live
    keep += (made(np.ones(LARGE)),)
    assert runtime.cached_bytes()[0] > live
    keep += (np.copy(keep[-1]), keep[-1] * 2)
    del keep
    assert runtime.cached_bytes()[0] == live


def test_random_lives_against_a_model() -> None:
    """Each array has a number of its own in it: whoever got memory that is in use would change another's."""
    draw = random.Random(0)
    live = runtime.cached_bytes()[0]
    held: dict[int, np.ndarray] = {}
    for number in range(3000):
        if held and draw.random() < 0.5:
            old = draw.choice(list(held))
            a = held.pop(old)
            assert (a == old).all()
            if draw.random() < 0.1:
                a.resize(draw.randint(1, 300_000), refcheck=False)
                a.fill(number)
                held[number] = a
        elif len(held) < 30:
            shape = int(2 ** draw.uniform(14, 19))
            held[number] = made(np.full(shape, number, np.float32))
        if number % 500 == 0:
            numnet.empty_cache()
    assert all((a == number).all() for number, a in held.items())
    assert runtime.cached_bytes()[0] >= live + sum(a.nbytes for a in held.values() if a.nbytes >= 1 << 17)
    held.clear()
    del a
    assert runtime.cached_bytes()[0] == live


def test_what_is_kept_goes_back_when_asked() -> None:
    made(np.ones((32, *LARGE), np.float32))
    kept = runtime.cached_bytes()[1]
    assert kept >= 8 << 20
    numnet.empty_cache()
    assert runtime.cached_bytes()[1] == 0


def test_what_is_long_of_no_use_goes_back_by_itself() -> None:
    x, big = np.ones(LARGE, np.float32), np.ones((32, *LARGE), np.float32)
    low, first, gap, second, top = made(x), made(x), made(big), made(x), made(big)
    del low, gap, top  # a gap for what follows, one between arrays, one above them all
    assert runtime.cached_bytes()[1] >= 16 << 20
    for _ in range(3 * 1024):
        made(x)
    assert runtime.cached_bytes()[1] <= 1 << 20
    assert (first == second).all()


def test_arrays_may_die_in_any_thread() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        held: list[np.ndarray] = []
        for _ in range(300):
            held.append(made(np.full(LARGE, number, np.float32)))
            if len(held) > 5 and not (held.pop(0) == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_arrays_of_its_own() -> None:
    held, dead = made(np.ones(LARGE, np.float32)), made(np.ones(LARGE, np.float32))
    del dead
    child = os.fork()
    if child == 0:
        empty = runtime.cached_bytes()[1] == 0
        mine = made(np.full(LARGE, 2, np.float32))
        fine = empty and (held == 1).all() and (mine == 2).all()
        held.fill(3)
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (held == 1).all()


def test_tracemalloc_sees_them() -> None:
    x = np.ones(LARGE, np.float32)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        a = made(x)
        during = tracemalloc.get_traced_memory()[0]
        del a
        assert during - before >= x.nbytes > tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def said_by(program: str, **switches: str) -> str:
    """What a program prints that ends well, and says nothing else."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NUMNET_NO_CACHE": "0"} | switches
    done = subprocess.run([sys.executable, "-P", "-c", program], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_switch_and_the_end_of_a_program() -> None:
    program = (
        "import numpy as np; from numnet import _ext, kernels; r = _ext.modules['runtime']\n"
        "kept = kernels.relu(np.ones((64, 1024))); print(r.is_caching(), r.cached_bytes()[0] > 0)"
    )
    assert said_by(program, NUMNET_NO_CACHE="1") == "False False"
    assert said_by(program) == "True True"


def test_what_a_deep_network_needs_again_stays() -> None:
    """How long something is kept hangs on how many arrays live: in a process of its own, no other test's do."""
    program = (
        "import numpy as np; from numnet import _ext, kernels; r = _ext.modules['runtime']\n"
        "x = np.ones((64, 256), np.float32)\n"  # 64 KiB
        "held = [kernels.relu(x) for _ in range(3000)]; held.clear()\n"
        "for _ in range(6000): kernels.relu(x)\n"  # a backward, say
        "print(r.cached_bytes()[1] >= 3000 * x.nbytes)\n"
        "for _ in range(30_000): kernels.relu(x)\n"
        "print(r.cached_bytes()[1] <= 1 << 20)"
    )
    assert said_by(program) == "True\nTrue"


@pytest.mark.parametrize("limit", ["AS", "DATA"])
def test_no_range_where_addresses_count_as_memory(limit: str) -> None:
    """The range would leave nothing to others; and what was refused once is not asked for again."""
    pytest.importorskip("resource")
    program = (
        "import resource, numpy as np; from numnet import _ext, kernels; r = _ext.modules['runtime']\n"
        f"resource.setrlimit(resource.RLIMIT_{limit}, (1 << 46, resource.RLIM_INFINITY))\n"
        "kept = kernels.relu(np.ones((64, 1024))); print(kept.sum(), r.is_caching(), r.cached_bytes())"
    )
    assert said_by(program) == "65536.0 False (0, 0)"
