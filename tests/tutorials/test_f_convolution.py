"""Convolution and pooling: what the tutorials say of them, in numbers."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d

from numnet import nn, summary
from numnet.inspect import trace


@pytest.mark.proves("C115")
def test_a_shifted_image_gives_shifted_features_and_a_far_pixel_none(rng: np.random.Generator) -> None:
    layer = nn.Conv2d(1, 3, 3, padding=1).double()
    x = np.zeros((1, 1, 12, 12))
    x[0, 0, 3:6, 3:6] = rng.normal(size=(3, 3))
    z = layer(x)
    np.testing.assert_allclose(layer(np.roll(x, (2, 4), (2, 3))), np.roll(z, (2, 4), (2, 3)), rtol=1e-12)
    moved = x.copy()
    moved[0, 0, 8, 8] += 1
    changed = np.argwhere((layer(moved) != z).any(axis=(0, 1)))
    assert changed.min() == 7  # locality: only where the 3 × 3 window sees the pixel
    assert changed.max() == 9


@pytest.mark.proves("C116")
def test_a_convolution_is_a_dense_layer_with_most_weights_zero_and_the_others_shared(rng: np.random.Generator) -> None:
    layer = nn.Conv2d(2, 3, (2, 3), bias=False).double()
    x = rng.normal(size=(1, 2, 4, 5))
    W = np.zeros((3, 3, 3, 2, 4, 5))  # dense from (2, 4, 5) to (3, 3, 3): an output (f, i, j) for each input (c, h, w)
    for i in range(3):
        for j in range(3):
            W[:, i, j, :, i : i + 2, j : j + 3] = layer.weight.data  # V[f, c, a, b] = W[f, i, j, c, i + a, j + b]
    dense = nn.Linear(40, 27, bias=False).double()
    dense.weight.data[...] = W.reshape(27, 40)
    np.testing.assert_allclose(layer(x).ravel(), dense(x.reshape(1, 40)).ravel(), rtol=1e-12, atol=1e-14)
    delta = rng.normal(size=(1, 3, 3, 3))
    np.testing.assert_allclose(layer.backward(delta).ravel(), dense.backward(delta.reshape(1, 27)).ravel(), rtol=1e-12)
    assert np.count_nonzero(W) == 27 * 2 * 6  # of 27 · 40
    assert len(np.unique(W)) == 1 + 3 * 2 * 6


@pytest.mark.proves("C117")
def test_cross_correlation_is_convolution_with_the_kernel_flipped(rng: np.random.Generator) -> None:
    layer = nn.Conv2d(1, 1, 3, bias=False).double()
    x, K = rng.normal(size=(6, 7)), layer.weight.data[0, 0]
    z = layer(x[None, None])[0, 0]
    by_hand = [[(x[i : i + 3, j : j + 3] * K).sum() for j in range(5)] for i in range(4)]
    np.testing.assert_allclose(z, by_hand, rtol=1e-12)
    np.testing.assert_allclose(z, convolve2d(x, K[::-1, ::-1], mode="valid"), rtol=1e-10)
    assert not np.allclose(z, convolve2d(x, K, mode="valid"))


@pytest.mark.proves("C118")
def test_the_output_is_smaller_by_the_kernel_less_one(rng: np.random.Generator) -> None:
    """(n − k + 1) per axis; the trace of a network, its summary and the layer's own page show it."""
    net = nn.Sequential(nn.Conv2d(1, 4, 5), nn.Conv2d(4, 2, (3, 2)), nn.Flatten(), nn.Linear(2 * 22 * 27, 2)).double()
    x = rng.normal(size=(2, 1, 28, 32))
    seen = trace(net, x, np.array([0, 1]), nn.CrossEntropyLoss())
    assert seen["0"].output.shape == (2, 4, 28 - 5 + 1, 32 - 5 + 1)
    assert seen["1"].output.shape == (2, 2, 24 - 3 + 1, 28 - 2 + 1)
    rows = str(summary(net, inputs=x)).splitlines()
    shown = {row.split()[0]: row.split()[2] for row in rows if "Conv2d" in row}
    assert shown == {"0": f"2×4×{28 - 5 + 1}×{32 - 5 + 1}", "1": f"2×2×{24 - 3 + 1}×{28 - 2 + 1}"}
    assert "H' = ⌊(H + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1" in (nn.Conv2d.__doc__ or "")


@pytest.mark.proves("C119")
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6, 7])
def test_padding_of_the_kernel_less_one_keeps_the_size(k: int) -> None:
    x = np.ones((1, 1, 9, 8), np.float32)
    assert nn.Conv2d(1, 1, k, padding="same")(x).shape == x.shape
    total = k - 1
    if total % 2 == 0:  # an odd kernel: the same on both sides
        assert nn.Conv2d(1, 1, k, padding=total // 2)(x).shape == x.shape
    else:  # an even one: one more behind
        padded = nn.ZeroPad2d((total // 2, total - total // 2, total // 2, total - total // 2))(x)
        assert nn.Conv2d(1, 1, k)(padded).shape == x.shape


@pytest.mark.proves("C118", "C120")
@given(st.data())
def test_the_formula_of_the_size(data: st.DataObject) -> None:
    """⌊(n + 2p − k) / s⌋ + 1."""
    k, s, p = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
    n = data.draw(st.integers(max(1, k - 2 * p), 14))
    x = np.ones((1, 1, n, n), np.float32)
    size = (n + 2 * p - k) // s + 1
    assert nn.Conv2d(1, 2, k, stride=s, padding=p)(x).shape == (1, 2, size, size)
    if 2 * p <= k:
        assert nn.MaxPool2d(k, stride=s, padding=p)(x).shape == (1, 1, size, size)


@pytest.mark.proves("C121")
def test_channels_are_added_up_for_each_filter(rng: np.random.Generator) -> None:
    layer = nn.Conv2d(3, 2, 3).double()
    x = rng.normal(size=(1, 3, 5, 5))
    for f in range(2):
        singles = []
        for c in range(3):
            single = nn.Conv2d(1, 1, 3, bias=False).double()
            single.weight.data[...] = layer.weight.data[f, c]
            singles.append(single(x[:, c : c + 1])[0, 0])
        np.testing.assert_allclose(layer(x)[0, f], sum(singles) + layer.bias.data[f], rtol=1e-12)


@pytest.mark.proves("C122")
def test_a_kernel_of_one_pixel_is_a_dense_layer_on_every_pixel(rng: np.random.Generator) -> None:
    conv, dense = nn.Conv2d(5, 3, 1).double(), nn.Linear(5, 3).double()
    dense.weight.data[...], dense.bias.data[...] = conv.weight.data[:, :, 0, 0], conv.bias.data
    x, delta = rng.normal(size=(2, 5, 4, 6)), rng.normal(size=(2, 3, 4, 6))
    by_pixel = dense(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(conv(x), by_pixel, rtol=1e-12)
    delta_x = dense.backward(delta.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(conv.backward(delta), delta_x, rtol=1e-12)
    np.testing.assert_allclose(conv.weight.grad[:, :, 0, 0], dense.weight.grad, rtol=1e-11)


@pytest.mark.proves("C123")
@pytest.mark.parametrize("arguments", [(1, 6, 5, 1, 2), (6, 16, 5), (3, 8, 3, 2, 1), (3, 4, 11, 4), (4, 4, 1)], ids=str)
def test_conv2d_is_pytorchs_to_twelve_digits(
    torch: ModuleType, arguments: tuple[int, ...], rng: np.random.Generator
) -> None:
    ours, theirs = nn.Conv2d(*arguments).double(), torch.nn.Conv2d(*arguments).double()
    ours.load_state_dict(theirs.state_dict())
    x = rng.normal(size=(2, arguments[0], 14, 15))
    leaf = torch.from_numpy(x).requires_grad_()
    right, z = theirs(leaf), ours(x)
    delta = rng.normal(size=z.shape)
    right.backward(torch.from_numpy(delta))
    pairs = [(z, right), (ours.backward(delta), leaf.grad)]
    pairs += [(ours.weight.grad, theirs.weight.grad), (ours.bias.grad, theirs.bias.grad)]
    for a, b in pairs:
        b = b.detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(b).max())


@pytest.mark.proves("C124")
def test_average_pooling_two_by_two() -> None:
    layer = nn.AvgPool2d(2, stride=2)
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(layer(x)[0, 0], [[2.5, 4.5], [10.5, 12.5]])
    delta = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(layer.backward(delta[None, None])[0, 0], np.kron(delta, np.full((2, 2), 0.25)))


@pytest.mark.proves("C125")
def test_overlapping_windows_add_up_where_they_share_their_maximum() -> None:
    layer = nn.MaxPool2d(3, stride=2)
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 2, 2] = 9.0  # in all four windows
    np.testing.assert_array_equal(layer(x)[0, 0], [[9, 9], [9, 9]])
    delta_x = layer.backward(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
    assert delta_x[0, 0, 2, 2] == 1 + 2 + 3 + 4
    assert np.count_nonzero(delta_x) == 1


@pytest.mark.proves("C126")
@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20))
def test_global_average_pooling_takes_any_size(channels: int, height: int, width: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, channels, height, width))
    layer = nn.AdaptiveAvgPool2d((1, 1))
    np.testing.assert_allclose(layer(x), x.mean(axis=(2, 3), keepdims=True), rtol=1e-12, atol=1e-15)
    delta_x = layer.backward(np.ones((2, channels, 1, 1)))
    np.testing.assert_allclose(delta_x, np.full_like(x, 1 / (height * width)), rtol=1e-12)
