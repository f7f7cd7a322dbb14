"""Scaling the inputs: what each scaler does, why it helps, and four rules of thumb.

numnet stands in a scikit-learn Pipeline. The scalers are scikit-learn's, and each is fitted on the training rows alone:
the Pipeline sees to that.

python demos/claims/scaling.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import numnet
from numnet import nn, optim

PROVES = ("C055", "C056", "C057", "C058", "C059", "C060", "C061", "F13")


class Net(ClassifierMixin, BaseEstimator):
    """A network as the last step of a Pipeline."""

    def __init__(self, hidden: int = 16, steps: int = 200, lr: float = 0.1) -> None:
        self.hidden, self.steps, self.lr = hidden, steps, lr

    def fit(self, x: np.ndarray, y: np.ndarray) -> Net:
        numnet.manual_seed(0)
        self.classes_ = np.unique(y)
        self.net_ = nn.Sequential(
            nn.Linear(x.shape[1], self.hidden), nn.Tanh(), nn.Linear(self.hidden, len(self.classes_))
        ).double()
        loss: nn.Loss = nn.CrossEntropyLoss()
        optimizer = optim.SGD(self.net_.parameters(), lr=self.lr, momentum=0.9)
        self.losses_ = []
        for _ in range(self.steps):
            self.losses_.append(float(loss(self.net_(x), y)))
            optimizer.zero_grad()
            self.net_.backward(loss.backward())
            optimizer.step()
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.classes_[self.net_(x).argmax(axis=1)]


def right(*steps: object) -> float:
    """Accuracy of a Pipeline of these steps and a net on the wines, five folds."""
    return float(cross_val_score(make_pipeline(*steps, Net()), wine, kind, cv=5).mean())


wine, kind = load_wine(return_X_y=True)
rng = np.random.default_rng(0)
column = np.array([[1.0], [2.0], [3.0], [4.0], [100.0]])
print("what each makes of the column 1, 2, 3, 4, 100")
scaled = {}
for name, scaler in (
    ("centred", StandardScaler(with_std=False)),
    ("StandardScaler", StandardScaler()),
    ("MinMaxScaler", MinMaxScaler()),
    ("MaxAbsScaler", MaxAbsScaler()),
    ("RobustScaler", RobustScaler()),
):
    scaled[name] = z = scaler.fit_transform(column)[:, 0]
    print(f"   {name:<15}" + "".join(f"{value:8.3f}" for value in z) + f"   mean {z.mean():6.3f}, std {z.std():7.3f}")
skew = ((scaled["StandardScaler"] ** 3).mean(), (((column - column.mean()) / column.std()) ** 3).mean())
print(f"   standardised is not standard normal: mean 0, std 1, and the skewness is still {skew[0]:.2f}")

print()
print("two benefits, on 178 wines with 13 measurements from 0.1 to 1,700")
curves = {}
for name, steps in (("as they are", ()), ("standardised", (StandardScaler(),))):
    model: Pipeline = make_pipeline(*steps, Net(steps=400)).fit(wine, kind)
    curves[name] = model[-1].losses_
    below = [i for i, J in enumerate(curves[name]) if J < 0.1]
    reached = str(below[0]) if below else "never in 400"
    print(f"   {name:<13} steps to a loss of 0.1: {reached:<13} accuracy in five folds: {right(*steps):.1%}")

print()
print("rule 1: before PCA, and wherever distances count, StandardScaler; rule 3: MinMaxScaler leaves the")
print("   variances unequal, and PCA goes by variances. On these wines that does no harm; no scaler at all does")
rule1 = {}
for name, scaler in (
    ("none", FunctionTransformer()),
    ("MinMaxScaler", MinMaxScaler()),
    ("StandardScaler", StandardScaler()),
):
    pca = make_pipeline(scaler, PCA(2)).fit(wine)
    loadings = abs(pca[-1].components_[0])
    shares = loadings**2
    rule1[name] = shares.max(), right(scaler, PCA(2), StandardScaler())
    print(f"   {name:<15} share of the first component that one measurement has: {rule1[name][0]:6.1%}", end="")
    print(f"   net on two components: {rule1[name][1]:.1%}")
spread_minmax = MinMaxScaler().fit_transform(wine).var(axis=0)
ratio = spread_minmax.max() / spread_minmax.min()
print(f"   after MinMaxScaler the variances still differ {ratio:.1f} times; after StandardScaler not at all")

print("rule 2: pixels lie in a known range [0, 255], so MinMaxScaler: here 0 … 16 of scikit-learn's digits")
digits, label = load_digits(return_X_y=True)
rule2 = {}
for name, scaler in (
    ("none", FunctionTransformer()),
    ("MinMaxScaler", MinMaxScaler()),
    ("StandardScaler", StandardScaler()),
):
    z = scaler.fit_transform(digits)
    rule2[name] = float(abs(z).max())
    accuracy = cross_val_score(make_pipeline(scaler, Net(hidden=32)), digits, label, cv=3).mean()
    print(f"   {name:<15} largest input {rule2[name]:6.2f}   accuracy {accuracy:.1%}")
print(
    "   (StandardScaler blows a pixel that is nearly always 0 up to 42: a stain on the border is worth 42 grey levels)"
)

print("rule 4: with outliers RobustScaler: 5 % of the wines mismeasured a hundredfold")
spoilt = wine.copy()
spoilt[rng.random(len(wine)) < 0.05] *= 100
rule4 = {}
for name, scaler in (
    ("StandardScaler", StandardScaler()),
    ("MinMaxScaler", MinMaxScaler()),
    ("RobustScaler", RobustScaler()),
):
    z = scaler.fit_transform(spoilt)
    good = (abs(spoilt) <= abs(wine)).all(axis=1)
    width = float(np.median(z[good].std(axis=0)))
    rule4[name] = width
    print(f"   {name:<15} standard deviation that is left to the good wines: {width:.3f}")

sparse = scipy.sparse.random(1000, 500, density=0.01, random_state=0, format="csr")
kept = MaxAbsScaler().fit_transform(sparse)
print(f"sparse data: MaxAbsScaler keeps {kept.nnz:,} of {sparse.nnz:,} stored numbers; ", end="")
print(f"centring would store {sparse.shape[0] * sparse.shape[1]:,}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axes = figure.subplots(1, 4)
    for name, J in curves.items():
        axes[0].semilogy(J, label=name)
    axes[0].set(xlabel="step", title="J on the wines")
    axes[0].legend(fontsize=8)
    for axis, (name, scaler) in zip(
        axes[1:],
        (("as they are", FunctionTransformer()), ("MinMax", MinMaxScaler()), ("Standard", StandardScaler())),
        strict=True,
    ):
        z = make_pipeline(scaler, PCA(2)).fit_transform(wine)
        axis.scatter(*z.T, c=kind, s=9, cmap="viridis")
        axis.set_title(f"PCA, {name}", fontsize=9)
    figure.savefig(sys.argv[1], dpi=110)

direct = (wine - wine.mean(axis=0)) / wine.std(axis=0)
assert abs(StandardScaler().fit_transform(wine) - direct).max() < 1e-12, "by the standard deviation, not the variance"
assert abs(MinMaxScaler().fit_transform(wine) - (wine - wine.min(0)) / np.ptp(wine, axis=0)).max() < 1e-12
assert abs(MaxAbsScaler().fit_transform(wine) - wine / abs(wine).max(axis=0)).max() < 1e-12
low, middle, high = np.percentile(wine, [25, 50, 75], axis=0)
assert abs(RobustScaler().fit_transform(wine) - (wine - middle) / (high - low)).max() < 1e-12
assert abs(skew[0] - skew[1]) < 1e-12, "the shape of the distribution is what it was"
assert min(curves["standardised"]) < 0.01 < 0.5 < min(curves["as they are"])
assert rule1["none"][0] > 0.99, "without a scaler the first component is the measurement with the largest numbers"
assert min(rule1["StandardScaler"][1], rule1["MinMaxScaler"][1]) > rule1["none"][1] + 0.1
assert rule1["StandardScaler"][0] < rule1["MinMaxScaler"][0], "MinMaxScaler still favours some measurements"
assert ratio > 2
assert rule2["StandardScaler"] > 30
assert rule4["RobustScaler"] > 5 * rule4["StandardScaler"] > rule4["MinMaxScaler"]
assert kept.nnz == sparse.nnz
