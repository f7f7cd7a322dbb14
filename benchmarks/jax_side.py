"""JAX beside us: a network's whole training step as one compiled function. Imported only where JAX is installed."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.backend import clear_backends

from . import jax_twins
from .networks import RATE, Network

__all__ = ["Jax", "use_threads"]

Tree = Any

_threads = 0


def use_threads(n: int) -> bool:
    """Give JAX ``n`` threads from now on, and forget what it holds; False where it cannot be held to so many.

    It has as many as it finds processors when it first looks, and no switch. So it looks while this thread may run on
    ``n`` only, which its own threads then keep to.
    """
    global _threads
    if n == _threads:
        return True
    if not hasattr(os, "sched_setaffinity"):
        return False
    allowed = os.sched_getaffinity(0)
    if n > len(allowed):
        return False
    clear_backends()
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    os.sched_setaffinity(0, sorted(allowed)[:n])
    try:
        jax.devices()
    finally:
        os.sched_setaffinity(0, allowed)
    _threads = n
    return True


class Jax:
    """The twin of a network in JAX, in float32; images with their channels last."""

    def __init__(self, network: Network, batch: int | None = None) -> None:
        self.network = network
        self.forward = getattr(jax_twins, network.in_jax)
        x, y = network.batch_of(batch or network.batch)
        self.x = jnp.asarray(x.transpose(0, 2, 3, 1) if network.images else x)
        self.y = jnp.asarray(y.astype(np.int32) if y.dtype.kind == "i" else y)
        self.training: Tree = None
        self.found: dict[str, np.ndarray] = {}

    def take_weights(self, ours: Any) -> None:
        """Parameters and buffers as numnet's are."""
        parameters = {name: jnp.array(p.array) for name, p in ours.net.named_parameters()}
        buffers = {name: jnp.array(b) for name, b in ours.net.named_buffers() if np.ndim(b)}
        memory = _begin(self.network.optimizer, parameters)
        self.training = parameters, buffers, memory, jax.random.key(0)

    def back(self) -> float:
        """Forward, loss, backward, without dropout."""
        parameters, buffers, _, _ = self.training
        (J, _), found = self._gradients(parameters, buffers, self.x, self.y, None)
        self.found = {name: np.asarray(gradient) for name, gradient in found.items()}
        return float(J)

    def gradients(self) -> dict[str, np.ndarray]:
        """∂J/∂(parameter) by name, as the latest ``back`` found them."""
        return self.found

    def step(self) -> None:
        """One step of training, waited for."""
        self.training, J = self._step(self.training, self.x, self.y)
        jax.block_until_ready((self.training, J))

    @partial(jax.jit, static_argnums=0, donate_argnums=1)
    def _step(self, training: Tree, x: Tree, y: Tree) -> tuple[Tree, Tree]:
        parameters, buffers, memory, key = training
        (J, (buffers, key)), gradients = self._gradients(parameters, buffers, x, y, key)
        if self.network.clip:
            norm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradients.values()))
            factor = jnp.minimum(1.0, self.network.clip / (norm + 1e-6))
            gradients = {name: factor * g for name, g in gradients.items()}
        parameters, memory = _update(self.network, parameters, gradients, memory)
        return (parameters, buffers, memory, key), J

    @partial(jax.jit, static_argnums=0)
    def _gradients(self, parameters: Tree, buffers: Tree, x: Tree, y: Tree, key: Tree) -> Tree:
        def objective(parameters: Tree) -> tuple[Tree, Tree]:
            kept, drop = dict(buffers), _Drop(key)
            z = self.forward(parameters, kept, x, drop)
            return _LOSSES[self.network.loss](z, y), (kept, drop.key)

        return jax.value_and_grad(objective, has_aux=True)(parameters)


class _Drop:
    """Dropout with p = ½, a new key each time; none without a key."""

    def __init__(self, key: Tree) -> None:
        self.key = key

    def __call__(self, a: Tree) -> Tree:
        if self.key is None:
            return a
        self.key, now = jax.random.split(self.key)
        return jnp.where(jax.random.bernoulli(now, 0.5, a.shape), 2 * a, 0.0)


def _cross_entropy(z: Tree, y: Tree) -> Tree:
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1).mean()


def _mean_square(z: Tree, y: Tree) -> Tree:
    return jnp.mean((z - y) ** 2)


def _binary(p: Tree, y: Tree) -> Tree:
    return -jnp.mean(y * jnp.maximum(jnp.log(p), -100) + (1 - y) * jnp.maximum(jnp.log1p(-p), -100))


_LOSSES = {"CrossEntropyLoss": _cross_entropy, "MSELoss": _mean_square, "BCELoss": _binary}


def _begin(optimizer: str, parameters: Tree) -> Tree:
    """What the optimiser remembers: a count, and an array or two for each parameter."""
    zeros = {name: jnp.zeros_like(p) for name, p in parameters.items()}
    return jnp.zeros((), jnp.int32), zeros, {} if optimizer == "SGD" else jax.tree.map(jnp.copy, zeros)


def _update(network: Network, parameters: Tree, gradients: Tree, memory: Tree) -> tuple[Tree, Tree]:
    count, m, v = memory
    count = count + 1
    if network.optimizer == "SGD":
        decay, momentum = (network.options.get(name, 0.0) for name in ("weight_decay", "momentum"))
        if decay:
            gradients = jax.tree.map(lambda p, g: g + decay * p, parameters, gradients)
        if momentum:
            gradients = m = jax.tree.map(lambda m, g: momentum * m + g, m, gradients)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients), (count, m, v)
    decay = 0.01 if network.optimizer == "AdamW" else 0.0  # PyTorch's default
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, gradients)
    c1, c2 = 1 - 0.9**count, 1 - 0.999**count

    def moved(p: Tree, m: Tree, v: Tree) -> Tree:
        return p * (1 - RATE * decay) - RATE * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)

    return jax.tree.map(moved, parameters, m, v), (count, m, v)
