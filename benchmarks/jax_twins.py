"""The networks of the tables in plain JAX, as its users write them: functions of dictionaries of arrays.

Each takes parameters and buffers under numnet's names, the input and what drops out, and returns the scores; images
have their channels last, (N, H, W, C), and weights PyTorch's shapes. What a batch norm keeps it writes into ``b``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["gpt", "gru", "lenet", "logistic_regression", "lstm", "mlp", "nin", "resnet20", "rnn", "vgg"]

Array = Any
Arrays = dict[str, Array]
Drop = Callable[[Array], Array]


def mlp(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    last = len(p) // 2
    for number in range(1, last):
        x = jax.nn.relu(_linear(p, f"layers.fc{number}", x))
    return _linear(p, f"layers.fc{last}", x)


def logistic_regression(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    return jax.nn.sigmoid(_linear(p, "lr", x))


def lenet(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    x = _average_pool(jax.nn.sigmoid(_conv(p, "features.0", x, padding=2)))
    x = _average_pool(jax.nn.sigmoid(_conv(p, "features.3", x)))
    x = jax.nn.sigmoid(_linear(p, "classifier.1", _flatten(x)))
    x = jax.nn.sigmoid(_linear(p, "classifier.3", x))
    return _linear(p, "classifier.5", x)


def resnet20(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    x = jax.nn.relu(_batch_norm(p, b, "bn1", _conv(p, "conv1", x, padding=1)))
    for stage in (1, 2, 3):
        for block in range(3):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            z = _batch_norm(p, b, f"{at}.bn1", _conv(p, f"{at}.conv1", x, stride, padding=1))
            z = _batch_norm(p, b, f"{at}.bn2", _conv(p, f"{at}.conv2", jax.nn.relu(z), padding=1))
            if stride > 1:
                x = jnp.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (0, x.shape[3])))
            x = jax.nn.relu(z + x)
    return _linear(p, "fc", x.mean((1, 2)))


def vgg(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    for block, number in enumerate((1, 1, 2, 2, 2)):
        for k in range(number):
            x = jax.nn.relu(_conv(p, f"{block}.{2 * k}", x, padding=1))
        x = _max_pool(x, 2)
    x = drop(jax.nn.relu(_linear(p, "6", _flatten(x))))
    x = drop(jax.nn.relu(_linear(p, "9", x)))
    return _linear(p, "12", x)


def nin(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    def block(number: int, x: Array, stride: int, padding: int) -> Array:
        x = jax.nn.relu(_conv(p, f"net.{number}.0", x, stride, padding))
        x = jax.nn.relu(_conv(p, f"net.{number}.2", x))
        return jax.nn.relu(_conv(p, f"net.{number}.4", x))

    x = _max_pool(block(0, x, 4, 0), 3)
    x = _max_pool(block(2, x, 1, 2), 3)
    x = drop(_max_pool(block(4, x, 1, 1), 3))
    return block(7, x, 1, 1).mean((1, 2))


def rnn(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    def cell(h: Array, z: Array) -> tuple[Array, Array]:
        h = jnp.tanh(z + h @ W.T + p["rnn.bias_hh_l0"])
        return h, h

    W = p["rnn.weight_hh_l0"]
    return _language_model(p, x, lambda z, h: lax.scan(cell, h, z)[1])


def lstm(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    def cell(state: tuple[Array, Array], z: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = state
        i, f, g, o = jnp.split(z + h @ W.T + p["rnn.bias_hh_l0"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    W = p["rnn.weight_hh_l0"]
    return _language_model(p, x, lambda z, h: lax.scan(cell, (h, h), z)[1])


def gru(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    def cell(h: Array, z: Array) -> tuple[Array, Array]:
        r, u, n = jnp.split(z, 3, axis=1)
        r_h, u_h, n_h = jnp.split(h @ W.T + p["rnn.bias_hh_l0"], 3, axis=1)
        u = jax.nn.sigmoid(u + u_h)
        h = (1 - u) * jnp.tanh(n + jax.nn.sigmoid(r + r_h) * n_h) + u * h
        return h, h

    W = p["rnn.weight_hh_l0"]
    return _language_model(p, x, lambda z, h: lax.scan(cell, h, z)[1])


def gpt(p: Arrays, b: Arrays, x: Array, drop: Drop) -> Array:
    N, T = x.shape
    heads = 4
    a = p["wte.weight"][x] + p["wpe.weight"][:T]  # (N, T, C)
    for number in range(4):
        at = f"h.{number}"
        z = _layer_norm(p, f"{at}.norm1", a)
        qkv = z @ p[f"{at}.self_attn.in_proj_weight"].T + p[f"{at}.self_attn.in_proj_bias"]  # (N, T, 3 C)
        q, k, v = (part.reshape(N, T, heads, -1) for part in jnp.split(qkv, 3, axis=2))
        z = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(N, T, -1)
        a = a + _linear(p, f"{at}.self_attn.out_proj", z)
        z = jax.nn.gelu(_linear(p, f"{at}.linear1", _layer_norm(p, f"{at}.norm2", a)), approximate=False)
        a = a + _linear(p, f"{at}.linear2", z)
    return _layer_norm(p, "ln_f", a) @ p["wte.weight"].T


def _language_model(p: Arrays, x: Array, recur: Callable[[Array, Array], Array]) -> Array:
    """What comes from the input is one product for all the steps. The scores are (N, T, V)."""
    one_hot = jax.nn.one_hot(x.T, p["linear.weight"].shape[0])  # (T, N, V)
    z = one_hot @ p["rnn.weight_ih_l0"].T + p["rnn.bias_ih_l0"]
    h = recur(z, jnp.zeros((x.shape[0], p["rnn.weight_hh_l0"].shape[1])))  # (T, N, H)
    return _linear(p, "linear", h).transpose(1, 0, 2)


def _linear(p: Arrays, name: str, x: Array) -> Array:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def _conv(p: Arrays, name: str, x: Array, stride: int = 1, padding: int = 0) -> Array:
    layout = ("NHWC", "OIHW", "NHWC")
    z = lax.conv_general_dilated(x, p[f"{name}.weight"], (stride,) * 2, [(padding,) * 2] * 2, dimension_numbers=layout)
    return z + p[f"{name}.bias"] if f"{name}.bias" in p else z


def _average_pool(x: Array) -> Array:
    window = (1, 2, 2, 1)
    return lax.reduce_window(x, 0.0, lax.add, window, window, "VALID") / 4


def _max_pool(x: Array, size: int) -> Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, 2, 2, 1), "VALID")


def _flatten(x: Array) -> Array:
    """In the order of N C H W, which is that of the weights."""
    return x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)


def _batch_norm(p: Arrays, b: Arrays, name: str, x: Array) -> Array:
    n = x.size // x.shape[3]
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    for kept, value in (("mean", mean), ("var", var * n / (n - 1))):
        b[f"{name}.running_{kept}"] = 0.9 * b[f"{name}.running_{kept}"] + 0.1 * value
    return (x - mean) * (lax.rsqrt(var + 1e-5) * p[f"{name}.weight"]) + p[f"{name}.bias"]


def _layer_norm(p: Arrays, name: str, x: Array) -> Array:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]
