"""Layers whose weight is computed from other parameters in every call: weight norm and spectral norm."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ...arrays import Array
from ...call import no_grad
from ...errors import DtypeError, OptionError, ShapeError, describe
from ...tape import apply
from ...tensor import Parameter, Tensor
from ..conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..functional.run import Functional
from ..layer import Layer
from ..module import Module
from ..weight_norm import SpectralNorm, WeightNorm, norm_except

__all__ = ["Reparametrized", "remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class _Source(Module):
    """The parameters that are trained in the place of a weight, and the layer ``0`` that makes the weight of them."""

    def __init__(self, norm: Layer, originals: dict[str, Array], requires_grad: bool) -> None:
        super().__init__()
        for name, array in originals.items():
            setattr(self, name, Parameter(array, requires_grad))
        setattr(self, "0", norm)

    def weight(self) -> Tensor:
        """The weight, on the tape: ∂J/∂weight reaches the originals."""
        norm: Any = vars(self)["0"]
        weight: Tensor = norm(*self.parameters(recurse=False))
        return weight


class Reparametrized(Module):
    """A layer that gets its weight from another layer in every call.

        z = layer(x) with W = norm(originals)

    It stands where the layer stood. Each call runs the formulas of a copy of the layer that has this call's weight, so
    a layer used twice has the gradient of each use; they flow on through the formulas of the norm. The names in its
    state dict are those of ``torch.nn.utils.parametrizations``: ``bias``, ``parametrizations.weight.original0``.

    Args:
        layer: a layer with parameters and without buffers or children; it is not changed, and its other
            parameters are shared.
        name: which parameter is replaced.
        norm: the layer that makes it.
        originals: what the norm makes it from, by name.

    Raises:
        DtypeError: ``layer`` is not such a layer. OptionError: it has no parameter of that name.
    """

    def __init__(self, layer: Layer, name: str, norm: Layer, originals: dict[str, Array]) -> None:
        super().__init__()
        weight = _parameter_of(layer, name)
        self.layer = copy.copy(layer)
        self.name = name
        for other, value in vars(layer).items():
            if isinstance(value, Parameter):
                setattr(self.layer, other, None)
                if other != name:
                    setattr(self, other, value)
        self.parametrizations = Module()
        setattr(self.parametrizations, name, _Source(norm, originals, weight.requires_grad))

    def forward(self, *inputs: Any) -> Any:
        others = {n: p for n, p in vars(self).items() if isinstance(p, Parameter)}
        formulas = Functional(copy.copy(self.layer), (self.name, *others))
        return apply(formulas, *inputs, self._source().weight(), *others.values())

    def value(self) -> Array:
        """The weight as a call in evaluation mode would have it now."""
        mode = self.training
        with no_grad():
            W: Array = self.eval()._source().weight().array
        self.train(mode)
        return W

    def plain(self) -> Layer:
        """The layer with the weight as it is now, and the other parameters, which it shares."""
        layer = copy.copy(self.layer)
        requires_grad = any(p.requires_grad for p in self.parametrizations.parameters())
        setattr(layer, self.name, Parameter(self.value().copy(), requires_grad))
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                setattr(layer, name, value)
        return layer

    def __repr__(self) -> str:
        return f"{self.plain()!r} with {self.name} = {vars(self._source())['0']!r}"

    def _source(self) -> _Source:
        source: _Source = vars(self.parametrizations)[self.name]
        return source


def weight_norm(module: Layer, name: str = "weight", dim: int | None = 0) -> Reparametrized:
    """The layer with W = g v / ‖v‖ for its weight, g and v trained in its place: :class:`~numnet.nn.WeightNorm`.

    Where PyTorch changes the layer, this returns a new one to put in its place::

        nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)), nn.Tanh())

    Args:
        module: the layer, with the first weight.
        name: which of its parameters.
        dim: the axis of the weight that keeps a length for each slice; one length for all if ``None``.

    Raises:
        DtypeError: not a layer with parameters alone. OptionError: no parameter of that name. ShapeError: no such axis.
    """
    W = _parameter_of(module, name).array
    norm = WeightNorm(dim)
    if norm.dim is not None and not -W.ndim <= norm.dim < W.ndim:
        raise ShapeError(f"a weight with an axis {dim}", f"shape {W.shape}", "dim=0 is the axis of the units")
    return Reparametrized(module, name, norm, {"original0": norm_except(W, norm.dim), "original1": W.copy()})


def spectral_norm(
    module: Layer,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Reparametrized:
    """The layer with W / σ for its weight, σ the largest singular value of W: :class:`~numnet.nn.SpectralNorm`.

    Where PyTorch changes the layer, this returns a new one to put in its place.

    Args:
        module: the layer, with the first weight.
        name: which of its parameters.
        n_power_iterations: steps towards the singular vectors in every call in training mode.
        eps: the least length that is divided by in a step.
        dim: the axis of the units; 0 if ``None``, but 1 for a transposed convolution.
        rng: where the first singular vectors are drawn from; the default generator if ``None``.

    Raises:
        DtypeError: not a layer with parameters alone. OptionError: no parameter of that name, or less than one step.
        ShapeError: a weight with less than two axes.
    """
    W = _parameter_of(module, name).array
    if dim is None:
        dim = 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d) else 0
    return Reparametrized(module, name, SpectralNorm(W, n_power_iterations, eps, dim, rng=rng), {"original": W.copy()})


def remove_weight_norm(module: Reparametrized) -> Layer:
    """The layer by itself, with the weight that :func:`weight_norm` made of g and v last.

    Raises:
        DtypeError: ``module`` has no weight norm.
    """
    return _plain(module, WeightNorm)


def remove_spectral_norm(module: Reparametrized) -> Layer:
    """The layer by itself, with the weight that :func:`spectral_norm` divided by σ last.

    Raises:
        DtypeError: ``module`` has no spectral norm.
    """
    return _plain(module, SpectralNorm)


def _plain(module: Reparametrized, kind: type[Layer]) -> Layer:
    if not isinstance(module, Reparametrized) or not any(isinstance(m, kind) for m in module.modules()):
        wanted = "weight_norm" if kind is WeightNorm else "spectral_norm"
        raise DtypeError(f"what {wanted} returned", type(module).__name__, f"pass the module that {wanted}(layer) made")
    return module.plain()


def _parameter_of(layer: Layer, name: str) -> Parameter:
    if not isinstance(layer, Layer) or list(layer.buffers()) or list(layer.children()):
        cure = "give it a single layer, such as Linear or Conv2d, before it goes into a network"
        raise DtypeError("a layer of parameters alone", describe(layer), cure)
    parameter = vars(layer).get(name)
    if not isinstance(parameter, Parameter):
        known = [n for n, _ in layer.named_parameters()]
        raise OptionError(
            f"the name of a parameter of {type(layer).__name__}: {known}", f"{name!r}", "'weight' is usual"
        )
    return parameter
