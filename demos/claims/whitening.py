"""PCA and whitening: rotate to uncorrelated axes, then divide each by the square root of its eigenvalue.

The tutorial divides by the eigenvalue itself: then the covariance is not the unit matrix but 1/λ. Convolutional nets
hardly use either: they live on the correlation of neighbouring pixels, which whitening removes.

python demos/claims/whitening.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import numnet
from numnet import nn, optim

PROVES = ("C062", "C063", "C064", "F9")

x, y = load_digits(return_X_y=True)
centred = x - x.mean(axis=0)
covariance = centred.T @ centred / (len(x) - 1)
eigenvalues, axes = np.linalg.eigh(covariance)
order = np.argsort(-eigenvalues)[:40]  # the rest is next to nothing: some pixels are always 0
eigenvalues, axes = eigenvalues[order], axes[:, order]
projected = centred @ axes
theirs = PCA(40, svd_solver="full").fit(x)
signs = np.sign((theirs.components_ * axes.T).sum(axis=1))
difference = abs(theirs.transform(x) * signs - projected).max()
print(f"PCA by hand against scikit-learn's, up to sign: largest difference {difference:.0e}")


def off_unit(z: np.ndarray) -> float:
    """How far a covariance is from the unit matrix, in its worst element."""
    return float(abs(np.cov(z.T) - np.eye(z.shape[1])).max())


correlation = np.corrcoef(x[:, x.std(axis=0) > 0].T)
left = abs(np.corrcoef(projected.T) - np.eye(40)).mean()
print(f"mean |correlation| of two pixels {abs(correlation).mean():.3f}; of two components {left:.0e}")
white = projected / np.sqrt(eigenvalues)
wrong = projected / eigenvalues
print(f"divided by √λ: covariance is the unit matrix to {off_unit(white):.0e}")
variances = wrong.var(axis=0)
print(f"divided by λ, as the tutorial says: off by {off_unit(wrong):.2f}; ", end="")
print(f"variances {variances.min():.4f} to {variances.max():.4f}")

noisy = x + np.random.default_rng(0).normal(scale=4, size=x.shape)
pca = PCA(15).fit(noisy)
denoised = pca.inverse_transform(pca.transform(noisy))
before, after = np.sqrt(((noisy - x) ** 2).mean()), np.sqrt(((denoised - x) ** 2).mean())
print(f"denoising: 15 components of 64 keep the digit; error {before:.2f} grey levels before, {after:.2f} after")


def convolutional(images: np.ndarray) -> float:
    """Accuracy on the last 500 digits of a small convolutional net."""
    numnet.manual_seed(0)
    images = (images / images.std()).astype(np.float32).reshape(-1, 1, 8, 8)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )
    loss: nn.Loss = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    draw = np.random.default_rng(0)
    for _ in range(200):
        rows = draw.choice(1297, 64, replace=False)
        loss(net(images[rows]), y[rows])
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    return float((net(images[1297:]).argmax(axis=1) == y[1297:]).mean())


zca = white @ axes.T  # whitened, and turned back into images
plain, whitened = convolutional(centred), convolutional(zca)
print(f"a convolutional net gets {plain:.1%} right on centred digits, {whitened:.1%} on whitened ones")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axis, image, title in zip(
        figure.subplots(1, 5),
        (x[0], noisy[0], denoised[0], zca[0], axes[:, 0]),
        ("digit", "with noise", "15 components", "whitened", "first component"),
        strict=True,
    ):
        axis.imshow(image.reshape(8, 8), cmap="gray_r")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(sys.argv[1], dpi=110)

assert difference < 1e-9
assert off_unit(white) < 1e-10
assert off_unit(wrong) > 0.5
assert after < 0.7 * before
assert plain > 0.9
assert whitened < plain
