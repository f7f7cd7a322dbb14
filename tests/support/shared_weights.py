"""A model and its twin in PyTorch, with the same weights: the same scores and the same gradients."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from numnet.nested import flatten


def agree(torch: ModuleType, ours: Any, theirs: Any, *inputs: Any, count: int, floor: float = 0.0) -> None:
    """Both have ``count`` parameters, of the same names; in float64 everything agrees to 1e-10.

    The parameters are drawn anew, so that no bias is 0. Every output gets a δ, and inputs of floats are differentiated.
    ``floor`` is the part of the largest gradient from which on a gradient counts: before batch norm that of a bias is
    0, and what both have there is rounding.
    """
    rng = np.random.default_rng(0)
    ours.double()
    theirs.double()
    assert sum(p.data.size for p in ours.parameters()) == count
    assert sum(p.numel() for p in theirs.parameters()) == count
    assert list(ours.state_dict()) == list(theirs.state_dict())
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape)) / 2))
    ours.load_state_dict(theirs.state_dict())

    def twin(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple([twin(part) for part in value])
        if value is None:
            return None
        leaf = torch.from_numpy(value.copy())
        return leaf.requires_grad_() if value.dtype.kind == "f" else leaf

    leaves = twin(inputs)
    right = flatten(theirs(*leaves))
    got = flatten(ours(*inputs))
    deltas = [rng.normal(size=y.shape) for y in got]
    for y, y_right in zip(got, right, strict=True):
        close(y, y_right.detach().numpy(), "output")
    torch.autograd.backward(right, [torch.from_numpy(delta) for delta in deltas])
    delta_x = flatten(ours.backward(tuple(deltas) if len(deltas) > 1 else deltas[0]))
    floats = [leaf for leaf in flatten(leaves) if leaf is not None and leaf.requires_grad]
    for d, leaf in zip([d for d in delta_x if d is not None], floats, strict=True):
        close(d, leaf.grad.numpy(), "∂J/∂x")
    gradients = dict(theirs.named_parameters())
    largest = max(float(p.grad.abs().max()) for p in gradients.values())
    assert [name for name, _ in ours.named_parameters()] == list(gradients)
    for name, p in ours.named_parameters():
        close(p.grad, gradients[name].grad.numpy(), name, floor * largest)


def close(got: np.ndarray, right: np.ndarray, what: str, floor: float = 0.0) -> None:
    assert got.dtype == right.dtype == np.float64, what
    np.testing.assert_allclose(got, right, 1e-10, 1e-10 * max(np.abs(right).max(), floor, 1e-300), err_msg=what)
