"""Workers: processes that fetch batches, and the sockets between them and the program.

Every worker has a socket of its own, and batch b goes to worker b mod W: so batches come back in order, and no lock is
shared that a killed worker could keep. Arrays travel as the bytes they are, read straight into the memory of the new
array. (Measured on 800 kB: 0.14 ms by socket, 0.8 ms by pipe, 1.2 ms by shared memory, which must be made, mapped and
removed. And what has no name cannot be left behind.)
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..errors import NumnetError
from ..kernels.threads import set_num_threads
from .fetch import Fetch, Task

__all__ = ["WorkerError", "Workers", "context_of"]

BUFFER = 1 << 20  # bytes that a socket holds; what the system has by itself makes large arrays twice as slow
GUARD = (
    'put what the program does under `if __name__ == "__main__":`; a worker imports the program, and must not run it'
)


class WorkerError(NumnetError, RuntimeError):
    """A worker process of a DataLoader that died, took too long, or could not be started."""


def context_of(chosen: Any) -> Any:
    """How processes start: as ``chosen`` (a name, or a context of ``multiprocessing``); fork on Linux, else spawn."""
    import multiprocessing

    if chosen is None:
        chosen = "fork" if sys.platform == "linux" else "spawn"
    return multiprocessing.get_context(chosen) if isinstance(chosen, str) else chosen


class Workers:
    """``count`` processes that fetch batches. Closed when it is no longer referred to, at the latest.

    Args:
        fetch: what makes a batch of a task.
        count: how many processes.
        init: called with the number of the worker, 0 … count - 1, in each of them; or ``None``.
        context: of :func:`context_of`.
        timeout: how many seconds to wait for a batch; 0 for ever.

    Raises:
        WorkerError: processes cannot be started from here.
        Exception: whatever pickling says of a data set that cannot be sent to a process, with a note.
    """

    def __init__(self, fetch: Fetch, count: int, init: Any, context: Any, timeout: float) -> None:
        import multiprocessing

        here = multiprocessing.current_process()
        if getattr(here, "_inheriting", False):  # as multiprocessing asks it itself: is this a child being started?
            raise WorkerError("a program that can be imported", "one that starts processes when it is imported", GUARD)
        if here.daemon:
            got = "one inside of a worker, or of another daemon"
            raise WorkerError("a DataLoader with workers in a program", got, "num_workers=0")
        self.timeout = timeout
        self.method: str = context.get_start_method()
        self.heard = [False] * count  # from whom anything came
        self.sockets: list[Any] = []
        self.processes: list[Any] = []
        self.close = weakref.finalize(self, _close, self.sockets, self.processes, os.getpid())
        setup: Any = (fetch, init)
        if self.method != "fork":
            setup = _pickled(setup, fetch)
        for number in range(count):
            self._start(context, setup, number)

    def _start(self, context: Any, setup: Any, number: int) -> None:
        import socket

        here, there = socket.socketpair()
        for end in (here, there):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.sockets.append(here)
        forked = self.method == "fork"
        parent, copies = (os.getpid(), [*self.sockets]) if forked else (0, [])
        arguments = (there, setup, number, parent, copies)
        process = context.Process(target=_work, args=arguments, name=f"DataLoader worker {number}", daemon=True)
        try:
            with warnings.catch_warnings():
                # From Python 3.12 on: that threads do not live on in a forked child. NumPy's BLAS has some in every
                # program; it and numnet's kernels know how to do without.
                warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)
                process.start()
        finally:
            there.close()
        self.processes.append(process)

    def batches(self, tasks: Iterable[Task], prefetch: int) -> Iterator[Any]:
        """The batches of the tasks, in order. ``prefetch`` tasks are under way in every worker."""
        tasks = iter(tasks)
        owed: deque[tuple[int, Task]] = deque()  # the worker, and what it is to fetch
        count = len(self.processes)

        def assign(worker: int) -> None:
            task = next(tasks, None)
            if task is not None:
                self._send(worker, task)
                owed.append((worker, task))

        for n in range(count * prefetch):
            assign(n % count)
        while owed:
            worker, task = owed.popleft()
            batch, error = self._receive(worker, task)
            if error is not None:
                raise error
            assign(worker)
            yield batch

    def _send(self, worker: int, task: Task) -> None:
        try:
            _send(self.sockets[worker], [b"".join(_encoded(task))])  # all or nothing, should the program be killed
        except OSError:
            raise self._died(worker) from None

    def _receive(self, worker: int, task: Task) -> tuple[Any, Exception | None]:
        from multiprocessing.connection import wait

        end = self.sockets[worker]
        ready = wait([end, *(process.sentinel for process in self.processes)], self.timeout or None)
        if not ready:
            expected = f"batch {task.number} from worker {worker} within timeout={self.timeout:g} seconds"
            raise WorkerError(expected, "none", "a longer timeout, or 0 to wait for ever")
        if end not in ready:
            raise self._died(next(n for n, process in enumerate(self.processes) if process.sentinel in ready))
        try:
            received: tuple[Any, Exception | None] = _decoded(end)
        except OSError:
            raise self._died(worker) from None
        self.heard[worker] = True
        return received

    def _died(self, worker: int) -> WorkerError:
        process = self.processes[worker]
        process.join(1)
        code = process.exitcode
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        cure = "num_workers=0 shows what happens there; SIGKILL often means that memory ran out"
        if self.method != "fork" and not any(self.heard):
            cure = GUARD
        return WorkerError("workers that live", f"worker {worker} (process {process.pid}) {how}", cure)


def _close(sockets: list[Any], processes: list[Any], owner: int) -> None:
    if os.getpid() != owner:  # a forked child has a copy of everything, but the workers are not its own
        return
    for process in processes:
        process.terminate()  # it only reads; what it was about to hand over nobody wants any more
    end = time.monotonic() + 5
    for process in processes:
        process.join(max(0, end - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    for end in sockets:
        end.close()


def _pickled(setup: Any, fetch: Fetch) -> bytes:
    try:
        return pickle.dumps(setup, protocol=5)
    except Exception as error:
        error.add_note(
            f"while sending {type(fetch.dataset).__name__} to a worker: what workers use (the data set, transforms,"
            " collate_fn, worker_init_fn) must be made of functions and classes that a module has by name: no lambdas"
        )
        raise


# ---------------------------------------------------------------------- in the worker


def _work(end: Any, setup: Any, number: int, parent: int, copies: list[Any]) -> None:
    """The life of a worker: fetch what it is told to, until nobody is there to tell it.

    ``copies`` are the program's ends of the sockets that a forked worker was born with: as long as any is open, nobody
    would see that the program is gone.
    """
    for copy in copies:
        copy.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the program, which ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    set_num_threads(1)  # the workers are the parallel part
    outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(
        target=_send_all, args=(end, outbox), daemon=True
    ).start()  # fetch the next while one is on its way
    failed: Exception | None = None
    seed: int | None = None
    try:
        fetch, init = pickle.loads(setup) if isinstance(setup, bytes) else setup
        if init is not None:
            init(number)
    except Exception as error:
        failed = _portable(error, number)
    while (task := _next_task(end, parent)) is not None:
        if task.seed != seed:
            seed = task.seed
            _seed_others(seed, number)
        try:
            message = _encoded((None, failed) if failed else (fetch(task), None))
        except Exception as error:
            message = _encoded((None, _portable(error, number)))
        _flush_prints()
        outbox.put(message)


def _flush_prints() -> None:
    """What a data set printed into a file or pipe stays in a buffer, which would end with the worker."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
            stream.flush()


def _seed_others(seed: int, number: int) -> None:
    """Numbers from ``random`` and ``np.random`` differ between workers and epochs, and come again with the seed."""
    import random

    random.seed(f"{seed} {number}")
    np.random.seed(np.random.SeedSequence((seed, number)).generate_state(4))  # noqa: NPY002


def _next_task(end: Any, parent: int) -> Task | None:
    from multiprocessing.connection import wait

    while not wait([end], timeout=1):
        if parent and os.getppid() != parent:  # a process that the program forked later may hold copies of its ends
            return None
    try:
        task: Task = _decoded(end)
    except OSError:
        return None
    return task


def _send_all(end: Any, outbox: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            _send(end, outbox.get())
        except OSError:
            return  # nobody reads any more


def _portable(error: Exception, number: int) -> Exception:
    """The error with its traceback as a note, in a form that survives pickling."""
    text = "".join(traceback.format_exception(error)).rstrip()
    note = f"In worker {number} of the DataLoader (process {os.getpid()}):\n\n{text}"
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            error.add_note(note)
            return error
    except Exception:  # an error may be anything, and so may what comes of pickling it
        pass
    replaced = WorkerError("samples from a worker", f"{type(error).__name__}: {error}")
    replaced.add_note(note)
    return replaced


# ---------------------------------------------------------------------- messages: pickle, protocol 5, arrays apart


def _encoded(value: Any) -> list[Any]:
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(body), *(buffer.raw() for buffer in buffers)]
    sizes = np.array([len(parts), *(part.nbytes for part in parts)], np.int64)
    return [sizes[:1].tobytes(), sizes[1:].tobytes(), *parts]


def _send(end: Any, message: list[Any]) -> None:
    for part in message:
        end.sendall(part)


def _decoded(end: Any) -> Any:
    (count,) = np.frombuffer(_read(end, 8), np.int64)
    body, *buffers = [_read(end, int(size)) for size in np.frombuffer(_read(end, 8 * int(count)), np.int64)]
    return pickle.loads(body, buffers=buffers)


def _read(end: Any, size: int) -> Any:
    data: Any = np.empty(size, np.uint8)
    view, done = memoryview(data), 0
    while done < size:
        received = end.recv_into(view[done:])
        if not received:
            raise ConnectionResetError
        done += received
    return data
