"""The rules of optimisers: one number of a parameter before and after the step."""

from __future__ import annotations

from math import sqrt
from typing import Any

from ...optim import SGD, Adam, AdamW
from ..record import UpdateRecord
from .explanation import Rule
from .expression import Apply, Constant, Expression, Quotient, Sum, difference, negative, product, square, total
from .page import Index, at

__all__ = ["memory_rule", "update_rule"]


def update_rule(update: UpdateRecord, index: Index) -> Rule | None:
    """The new W; ``None`` for an optimiser whose arithmetic is not written out here."""
    if isinstance(update.optimizer, SGD):
        return _sgd(update, index)
    if isinstance(update.optimizer, (Adam, AdamW)):
        return _adam(update, index)
    return None


def memory_rule(update: UpdateRecord, part: str, index: Index) -> Rule | None:
    """One number of the optimiser's memory after the step."""
    if isinstance(update.optimizer, SGD) and part == "momentum_buffer":
        return _velocity(update, index)
    if isinstance(update.optimizer, (Adam, AdamW)):
        beta1, beta2 = update.options["betas"]
        d, before = _descent(update, index), _memory_before(update, part, index)
        if part == "exp_avg":
            symbols = f"{beta1:g} · m + (1 − {beta1:g}) · d"
            return Rule(symbols, Sum((product(beta1, before), product(1 - beta1, d))), "m before; d the gradient")
        if part == "exp_avg_sq":
            symbols = f"{beta2:g} · v + (1 − {beta2:g}) · d²"
            return Rule(
                symbols, Sum((product(beta2, before), product(1 - beta2, square(d)))), "v before; d the gradient"
            )
        if part == "max_exp_avg_sq":
            v = at(f"{update.name}.exp_avg_sq", update.memory["exp_avg_sq"], index, "v")
            return Rule(f"max(v⁺, {v.symbol})", Apply("max", (before, v)), "v⁺ is the largest v so far")
    return None


def _descent(update: UpdateRecord, index: Index) -> Expression:
    """d = g + λ W, or -g with ``maximize``."""
    options = update.options
    g: Expression = at(f"{update.name}.grad", update.gradient, index, "g")
    g = negative(g) if options["maximize"] else g
    decay = options["weight_decay"]
    if not decay or options.get("decoupled_weight_decay"):
        return g
    return Sum((g, product(Constant(decay, "λ"), _before(update, index))))


def _before(update: UpdateRecord, index: Index) -> Any:
    return at(update.name, update.before, index, "W")


def _memory_before(update: UpdateRecord, part: str, index: Index) -> Expression:
    letter = {"exp_avg": "m", "exp_avg_sq": "v", "momentum_buffer": "v"}.get(part, part)
    if part not in update.memory_before:
        return Constant(0.0, letter)
    return at(f"{update.name}.{part}.before", update.memory_before[part], index, letter)


def _velocity(update: UpdateRecord, index: Index) -> Rule:
    d, momentum, dampening = _descent(update, index), update.options["momentum"], update.options["dampening"]
    if "momentum_buffer" not in update.memory_before:
        return Rule("d", d, "the first step: v is d, the gradient with weight decay")
    before = _memory_before(update, "momentum_buffer", index)
    found = Sum((product(Constant(momentum, "μ"), before), product(Constant(1 - dampening), d)))
    return Rule("μ · v + (1 − τ) · d", found, f"μ is {momentum:g}, τ is {dampening:g}")


def _sgd(update: UpdateRecord, index: Index) -> Rule:
    options, W = update.options, _before(update, index)
    lr, momentum = Constant(options["lr"], "η"), options["momentum"]
    d, symbols = _descent(update, index), "W − η · d"
    if momentum:
        v = at(f"{update.name}.momentum_buffer", update.memory["momentum_buffer"], index, "v")
        d, symbols = (
            (Sum((d, product(Constant(momentum, "μ"), v))), "W − η · (d + μ · v)")
            if options["nesterov"]
            else (v, "W − η · v")
        )
    note = f"η is {options['lr']:g}" + ("; d is g + λ W" if options["weight_decay"] else "; d is g, the gradient")
    return Rule(symbols, difference(W, product(lr, d)), note)


def _adam(update: UpdateRecord, index: Index) -> Rule:
    options = update.options
    (beta1, beta2), t = options["betas"], update.memory["step"]
    W: Expression = _before(update, index)
    symbols = "W − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)"
    if options.get("decoupled_weight_decay") and options["weight_decay"]:
        W = product(Constant(1 - options["lr"] * options["weight_decay"], "1 − η λ"), W)
        symbols = symbols.replace("W", "(1 − η λ) · W")
    m = at(f"{update.name}.exp_avg", update.memory["exp_avg"], index, "m")
    largest = "max_exp_avg_sq" if options["amsgrad"] else "exp_avg_sq"
    v = at(f"{update.name}.{largest}", update.memory[largest], index, "v")
    top = Quotient(m, Constant(1 - beta1**t, "1 − β₁ᵗ"))
    root = Quotient(Apply("√", (v,)), Constant(sqrt(1 - beta2**t), "√(1 − β₂ᵗ)"))
    step = Quotient(top, total([root, Constant(options["eps"], "ε")]))
    note = f"η is {options['lr']:g}, t is {t}, β is {beta1:g} and {beta2:g}"
    return Rule(symbols, difference(W, product(Constant(options["lr"], "η"), step)), note)
