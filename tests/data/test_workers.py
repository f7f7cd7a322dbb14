"""Worker processes: the same batches, errors that arrive, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import samples

import numnet
from numnet import tensor
from numnet.data import DataLoader, Dataset, TensorDataset, WorkerError
from numnet.data.workers import Workers, context_of
from numnet.errors import ShapeError

HERE = ["fork", "spawn", "forkserver"] if sys.platform == "linux" else ["spawn"]


def epochs(loader: DataLoader, n: int = 2) -> list[Any]:
    return [batch for _ in range(n) for batch in loader]


def assert_same(a: list[Any], b: list[Any]) -> None:
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - {"pid"}:
            np.testing.assert_array_equal(one[name], other[name])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_dead(pids: set[int], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, f"still alive: {[pid for pid in pids if alive(pid)]}"
        time.sleep(0.02)


@pytest.mark.proves("C037")
def test_any_number_of_workers_gives_the_same_batches() -> None:
    def made(num_workers: int) -> list[Any]:
        numnet.manual_seed(3)
        return epochs(DataLoader(samples.Noisy(), 4, True, num_workers=num_workers))

    alone = made(0)
    assert {int(pid) for batch in alone for pid in batch["pid"]} == {os.getpid()}
    for num_workers in (1, 3):
        together = made(num_workers)
        assert_same(alone, together)
        pids = {int(pid) for batch in together for pid in batch["pid"]}
        assert os.getpid() not in pids
        assert len(pids) == 2 * num_workers  # new processes every epoch
        wait_until_dead(pids)


@pytest.mark.proves("C037")
@pytest.mark.parametrize("method", HERE)
def test_every_way_to_start_a_process_gives_the_same_batches(method: str) -> None:
    options = {"batch_size": 5, "shuffle": True}
    alone = epochs(DataLoader(samples.Noisy(), **options, rng=np.random.default_rng(1)))
    loader = DataLoader(
        samples.Noisy(),
        **options,
        rng=np.random.default_rng(1),
        num_workers=1,
        multiprocessing_context=method,
        persistent_workers=True,
    )
    together = epochs(loader)
    assert_same(alone, together)
    assert len({int(pid) for batch in together for pid in batch["pid"]}) == 1  # the same process in both epochs


def test_linux_forks_and_the_others_do_not() -> None:
    assert context_of(None).get_start_method() == ("fork" if sys.platform == "linux" else "spawn")
    assert context_of(context_of("spawn")).get_start_method() == "spawn"


def test_tensors_arrive_as_tensors() -> None:
    ((x, y),) = DataLoader(TensorDataset(tensor([[1.0], [2.0]]), tensor([3, 4])), 2, num_workers=1)
    assert repr(x) == "tensor([[1.],\n        [2.]])"
    assert y.tolist() == [3, 4]


def test_arrays_that_arrive_can_be_written_into() -> None:
    (batch,) = DataLoader(samples.Numbers(3), 3, num_workers=1)
    batch += 1
    assert batch.tolist() == [[1], [2], [3]]


# ---------------------------------------------------------------------- errors


@pytest.mark.proves("C037")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_error_names_the_sample_and_keeps_its_type(num_workers: int) -> None:
    with pytest.raises(KeyError, match="no picture 7") as raised:
        epochs(DataLoader(samples.Numbers(12, 7, "raise"), 3, num_workers=num_workers))
    notes = "\n".join(raised.value.__notes__)
    assert "sample 7 of Numbers, for batch 2 of a DataLoader" in notes
    if num_workers:
        assert "In worker 0 of the DataLoader (process" in notes
        assert 'raise KeyError(f"no picture {index}")' in notes


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_data_set_cannot_end_an_epoch_early(num_workers: int) -> None:
    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        epochs(DataLoader(samples.Numbers(12, 7, "stop"), 3, num_workers=num_workers))
    assert "sample 7 of Numbers, for batch 2" in "\n".join(raised.value.__cause__.__notes__)


def test_an_error_that_cannot_travel_arrives_as_text() -> None:
    with pytest.raises(WorkerError, match="Unpicklable: 1 and 2") as raised:
        epochs(DataLoader(samples.Numbers(12, 7, "unpicklable"), 3, num_workers=1))
    assert "sample 7 of Numbers" in "\n".join(raised.value.__notes__)


class Ragged(samples.Numbers):
    def __getitem__(self, index: int) -> np.ndarray:
        return np.zeros((index // 10 + 1, 2))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_ragged_batch_names_the_samples(num_workers: int) -> None:
    with pytest.raises(ShapeError, match=r"shape \(1, 2\), as in sample 9") as raised:
        epochs(DataLoader(Ragged(12), 3, num_workers=num_workers))
    assert "shape (2, 2) in sample 10" in str(raised.value)


def test_a_batch_that_cannot_travel_says_so() -> None:
    with pytest.raises(Exception, match=r"(?i)pickle.*lambda"):
        epochs(DataLoader(samples.Numbers(), collate_fn=lambda batch: lambda: batch, num_workers=1))


@pytest.mark.proves("C041")
def test_worker_init_fn_runs_in_every_worker(tmp_path: Path) -> None:
    def init(number: int) -> None:
        (tmp_path / f"{number}").write_text(f"{os.getpid()}")

    loader = DataLoader(samples.Noisy(), 4, num_workers=2, worker_init_fn=init, multiprocessing_context="fork")
    pids = {int(pid) for batch in loader for pid in batch["pid"]}
    assert {int((tmp_path / name).read_text()) for name in ("0", "1")} == pids


def test_a_worker_init_fn_that_fails_is_heard() -> None:
    with pytest.raises(ValueError, match="worker 0 has no disk"):
        epochs(DataLoader(samples.Numbers(), num_workers=2, worker_init_fn=samples.refuse))


@pytest.mark.proves("C041")
def test_a_worker_that_takes_too_long() -> None:
    start = time.monotonic()
    loader = DataLoader(samples.Numbers(12, 2, "sleep"), num_workers=2, timeout=0.3)
    with pytest.raises(WorkerError, match=r"batch 2 from worker 0 within timeout=0\.3 seconds"):
        epochs(loader)
    assert time.monotonic() - start < 10


def test_a_worker_that_ends_by_itself_is_named() -> None:
    with pytest.raises(WorkerError, match=r"worker 1 \(process \d+\) ended with exit code 3"):
        epochs(DataLoader(samples.Numbers(12, 1, "exit"), num_workers=2))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_worker_is_named_at_once() -> None:
    loader = DataLoader(samples.Noisy(1000), num_workers=2)
    batches = iter(loader)
    victim = int(next(batches)["pid"][0])
    os.kill(victim, signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(WorkerError, match=rf"worker 0 \(process {victim}\) was killed by SIGKILL"):
        list(batches)
    assert time.monotonic() - start < 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_killed_between_epochs_is_named_and_then_replaced() -> None:
    loader = DataLoader(samples.Noisy(4), num_workers=1, persistent_workers=True)
    victim = int(epochs(loader, 1)[0]["pid"][0])
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(WorkerError, match=rf"process {victim}\) was killed by SIGKILL"):
        epochs(loader, 1)
    assert victim not in {int(batch["pid"][0]) for batch in epochs(loader, 1)}


def test_kernels_run_in_workers_of_a_program_that_ran_them() -> None:
    multiplied = samples.Multiplied()
    alone = epochs(DataLoader(multiplied, 2))  # starts the threads that a forked child does not have
    for num_workers in (1, 2):
        for a, b in zip(alone, epochs(DataLoader(multiplied, 2, num_workers=num_workers)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_cannot_be_sent_to_a_process() -> None:
    class Local(Dataset):
        def __len__(self) -> int:
            return 3

    loader = DataLoader(Local(), num_workers=1, multiprocessing_context="spawn")
    with pytest.raises(Exception, match="while sending Local to a worker") as raised:
        epochs(loader)
    assert "no lambdas" in "".join(raised.value.__notes__)


# ---------------------------------------------------------------------- ends


@pytest.mark.proves("C037")
def test_an_epoch_broken_off_leaves_nobody_behind() -> None:
    start = time.monotonic()
    loader = DataLoader(samples.Noisy(1000), num_workers=3, prefetch_factor=4)
    for batch in loader:
        pid = int(batch["pid"][0])
        break
    wait_until_dead({pid})
    assert time.monotonic() - start < 5


def test_workers_stuck_in_a_full_socket_end_too() -> None:
    for n, batch in enumerate(DataLoader(samples.Large(), num_workers=2, prefetch_factor=8)):
        assert batch.shape == (1, 256, 784)
        assert np.all(batch == n)
        if n == 5:
            break


def test_orders_longer_than_a_socket_holds() -> None:
    n = 1_000_000
    x = np.arange(n)
    batches = list(DataLoader(TensorDataset(x), n // 2, num_workers=1, prefetch_factor=2))
    np.testing.assert_array_equal(np.concatenate([batch[0] for batch in batches]), x)


def test_workers_that_stay_end_with_their_loader() -> None:
    loader = DataLoader(samples.Noisy(), 4, num_workers=1, persistent_workers=True)
    pids = {int(pid) for batch in epochs(loader) for pid in batch["pid"]}
    assert len(pids) == 1
    assert alive(*pids)
    del loader
    wait_until_dead(pids)


def test_two_epochs_at_once_have_workers_each() -> None:
    loader = DataLoader(samples.Noisy(8), 4, num_workers=1, persistent_workers=True)
    list(loader)
    for a, b in zip(loader, loader, strict=True):
        assert a["y"].tolist() == b["y"].tolist()
        assert a["pid"][0] != b["pid"][0]


def test_other_generators_differ_between_workers_and_come_again() -> None:
    def drawn(seed: int) -> list[float]:
        loader = DataLoader(samples.Others(), 1, num_workers=2, rng=np.random.default_rng(seed))
        return [float(value) for batch in epochs(loader) for column in batch for value in column]

    one = drawn(1)
    assert len(set(one)) == len(one) == 2 * 8 * 2
    assert drawn(1) == one
    assert not set(drawn(2)) & set(one)


def test_a_loader_within_a_worker_is_refused() -> None:
    with pytest.raises(WorkerError, match="one inside of a worker"):
        epochs(DataLoader(Nested(), num_workers=1))


class Nested(samples.Numbers):
    def __getitem__(self, index: int) -> np.ndarray:
        return np.array(list(DataLoader(samples.Numbers(), num_workers=1)))


def test_a_copy_in_a_forked_child_does_not_end_the_workers() -> None:
    from numnet.data.workers import _close

    class Process:
        def terminate(self) -> None:
            raise AssertionError

    _close([], [Process()], os.getpid() + 1)


# ---------------------------------------------------------------------- programs


def run(program: str, tmp_path: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(program))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([p for p in sys.path if p])}
    environment.pop("PYTHONUNBUFFERED", None)  # which would hide what is left in a buffer
    return subprocess.run(
        [sys.executable, path], capture_output=True, text=True, timeout=60, env=environment, **options
    )


@pytest.mark.proves("C037")
def test_a_program_without_a_guard_gets_an_error_and_not_a_thousand_processes(tmp_path: Path) -> None:
    done = run(
        """
        from samples import Numbers
        from numnet.data import DataLoader
        print("imported")
        print(list(DataLoader(Numbers(), num_workers=2, multiprocessing_context="spawn")))
        """,
        tmp_path,
    )
    assert done.returncode == 1
    assert done.stdout.count("imported") <= 3
    last = done.stderr[done.stderr.rindex("Traceback") :]
    assert "numnet.data.workers.WorkerError" in last
    assert 'if __name__ == "__main__":' in last


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_program_that_is_stopped_takes_its_workers_along(how: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
            from samples import Noisy
            from numnet.data import DataLoader
            if __name__ == "__main__":
                for batch in DataLoader(Noisy(10**9), num_workers=2):
                    print(*batch["pid"], flush=True)
            """)
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([p for p in sys.path if p])}
    process = subprocess.Popen(
        [sys.executable, program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stderr
    pids = {int(process.stdout.readline()) for _ in range(2)}
    if sys.platform == "linux":  # with a copy of the program's end a worker would not see that the program is gone
        for pid in pids:
            files = [file.readlink() for file in Path(f"/proc/{pid}/fd").iterdir()]
            assert sum(str(file).startswith("socket:") for file in files) == 1
    if how == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal: to the workers too
    else:
        process.kill()
    with process:
        _, errors = process.communicate(timeout=20)
    wait_until_dead(pids)
    if how == "SIGINT":
        assert errors.count("Traceback") == 1  # the program's own, and none of the workers'
        assert errors.rstrip().endswith("KeyboardInterrupt")


def test_what_a_data_set_prints_is_not_lost(tmp_path: Path) -> None:
    done = run(
        """
        from samples import Talking
        from numnet.data import DataLoader
        if __name__ == "__main__":
            for batch in DataLoader(Talking(), 2, num_workers=2):
                pass
        """,
        tmp_path,
    )
    assert sorted(done.stdout.splitlines()) == [f"loading {i}" for i in range(4)], done.stderr


@pytest.mark.proves("C037")
def test_a_class_of_a_notebook_reaches_its_workers(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere processes are spawned, and import their classes")
    done = run(
        """
        from numnet.data import DataLoader, Dataset
        class InACell(Dataset):
            scale = staticmethod(lambda x: 2 * x)
            def __getitem__(self, i): return self.scale(i)
            def __len__(self): return 4
        print([batch.tolist() for batch in DataLoader(InACell(), 2, num_workers=2)])
        """,
        tmp_path,
    )
    assert done.stdout == "[[0, 2], [4, 6]]\n", done.stderr


def test_nothing_is_imported_for_workers_before_they_are_wanted(tmp_path: Path) -> None:
    done = run(
        """
        import sys
        import numnet.data
        print({"multiprocessing"} & set(sys.modules))
        """,
        tmp_path,
    )
    assert done.stdout == "set()\n", done.stdout + done.stderr


def test_the_processes_of_closed_workers_are_gone() -> None:
    from numnet.data.collate import default_collate
    from numnet.data.fetch import Fetch

    workers = Workers(Fetch(samples.Numbers(), default_collate, True), 2, None, context_of("fork"), 0)
    pids = {process.pid for process in workers.processes}
    assert all(alive(pid) for pid in pids)
    workers.close()
    assert not any(alive(pid) for pid in pids)
    workers.close()  # a second time it does nothing
