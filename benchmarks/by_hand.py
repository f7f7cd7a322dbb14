"""Two networks in NumPy alone, as somebody who knows NumPy well writes them: matrix products, and no layers.

Each function takes the parameters, in the order of numnet's, and returns the loss and a gradient for each of them.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["lenet", "mlp"]

Result = tuple[float, list[np.ndarray]]


def mlp(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Result:
    """784-256-10 with ReLU."""
    W1, b1, W2, b2 = parameters
    a = np.maximum(x @ W1.T + b1, 0)  # (N, 256)
    J, delta = _cross_entropy(a @ W2.T + b2, labels)  # (N, 10)
    delta1 = (delta @ W2) * (a > 0)
    return J, [delta1.T @ x, delta1.sum(0), delta.T @ a, delta.sum(0)]


def lenet(parameters: list[np.ndarray], x: np.ndarray, labels: np.ndarray) -> Result:
    """LeNet with sigmoids and average pooling; images (N, 1, 28, 28), inside with the channels last."""
    K1, c1, K2, c2, W1, b1, W2, b2, W3, b3 = parameters
    N = len(x)
    columns1 = _columns(np.pad(x[:, 0, :, :, None], ((0, 0), (2, 2), (2, 2), (0, 0))))  # (N · 28 · 28, 25)
    a1 = _sigmoid(columns1 @ K1.reshape(6, -1).T + c1).reshape(N, 28, 28, 6)
    columns2 = _columns(_pool(a1))  # (N · 10 · 10, 150)
    a2 = _sigmoid(columns2 @ K2.reshape(16, -1).T + c2).reshape(N, 10, 10, 16)
    p2 = _pool(a2).transpose(0, 3, 1, 2).reshape(N, 400)
    a3 = _sigmoid(p2 @ W1.T + b1)
    a4 = _sigmoid(a3 @ W2.T + b2)
    J, delta5 = _cross_entropy(a4 @ W3.T + b3, labels)
    delta4 = (delta5 @ W3) * a4 * (1 - a4)
    delta3 = (delta4 @ W2) * a3 * (1 - a3)
    delta_p2 = (delta3 @ W1).reshape(N, 16, 5, 5).transpose(0, 2, 3, 1)
    delta2 = (_unpool(delta_p2) * a2 * (1 - a2)).reshape(-1, 16)
    delta_columns = (delta2 @ K2.reshape(16, -1)).reshape(N, 10, 10, 6, 5, 5)
    delta_p1 = np.zeros((N, 14, 14, 6))
    for i in range(5):
        for j in range(5):
            delta_p1[:, i : i + 10, j : j + 10] += delta_columns[..., i, j]
    delta1 = (_unpool(delta_p1) * a1 * (1 - a1)).reshape(-1, 6)
    convolutions = [(delta1.T @ columns1).reshape(K1.shape), delta1.sum(0)]
    convolutions += [(delta2.T @ columns2).reshape(K2.shape), delta2.sum(0)]
    dense = [delta3.T @ p2, delta3.sum(0), delta4.T @ a3, delta4.sum(0), delta5.T @ a4, delta5.sum(0)]
    return J, convolutions + dense


def _cross_entropy(z: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    rows = np.arange(len(z))
    z = z - z.max(1, keepdims=True)
    p = np.exp(z)
    total = p.sum(1, keepdims=True)
    J = float((np.log(total[:, 0]) - z[rows, labels]).mean())
    p /= total
    p[rows, labels] -= 1
    return J, p / len(z)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _columns(x: np.ndarray) -> np.ndarray:
    """The windows of 5 × 5 of (N, H, W, C), a row each: (N · H′ · W′, C · 25)."""
    windows = sliding_window_view(x, (5, 5), (1, 2))  # (N, H′, W′, C, 5, 5)
    return windows.reshape(-1, 25 * x.shape[3])


def _pool(a: np.ndarray) -> np.ndarray:
    return (a[:, ::2, ::2] + a[:, 1::2, ::2] + a[:, ::2, 1::2] + a[:, 1::2, 1::2]) * 0.25


def _unpool(delta: np.ndarray) -> np.ndarray:
    return (delta * 0.25).repeat(2, 1).repeat(2, 2)
