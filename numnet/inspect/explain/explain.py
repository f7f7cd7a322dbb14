"""From a name and an index to an explanation; and from one explanation to the next, back to the loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..formula import formulas
from ..names import Named, expect_index, names_of, resolve
from ..record import ArrayRecord, CallRecord, UpdateRecord
from ..recording import Recording
from .explanation import Explanation, Rule
from .expression import Constant, Expression, Operand, Product, Quotient, Sum, operands_of, total
from .linear import LinearRules
from .page import Index, Page, at, letter_of
from .pattern import Pattern
from .symbols import Axis, NotOnePattern, Symbol
from .table import rules_of
from .update import memory_rule, update_rule

__all__ = ["explain", "pattern_of", "walk"]


def explain(trace: Recording, name: str, index: Any) -> Explanation:
    """The number of the array ``name`` at ``index``, with the arithmetic that made it; see :meth:`.Trace.explain`."""
    name, named = resolve(trace, name)
    place = expect_index(name, named.record, index)
    value = float(named.record.numbers[place])
    return _EXPLAINED[named.what](trace, name, named, place, value)


def pattern_of(trace: Recording, name: str) -> Pattern | None:
    """The arithmetic of all numbers of the array at once; ``None`` where it is not the same for all of them."""
    name, named = resolve(trace, name)
    rank = len(named.record.shape)
    if not rank or named.record.array is None:
        return None
    index: Any = tuple(Symbol({Axis(i): 1}) for i in range(rank))
    try:
        rule = _EXPLAINED[named.what](trace, name, named, index, math.nan).rule
        if rule is None:
            return None
        pattern = Pattern(rank, rule.symbols, rule.expression, rule.note)
        pattern.to_plain()
    except (NotOnePattern, TypeError, IndexError):  # NumPy's words for a symbol are the last two
        return None
    return pattern


def walk(trace: Recording, name: str, index: Any) -> list[Explanation]:
    """From one number to the loss, by the largest operand of each explanation; see :meth:`.Trace.walk`."""
    found = [explain(trace, name, index)]
    seen = {(found[0].name, found[0].index)}
    while (following := _largest(trace, found[-1])) is not None and (following.name, following.index) not in seen:
        seen.add((following.name, following.index))
        found.append(explain(trace, following.name, following.index))
    return found


def _largest(trace: Recording, explanation: Explanation) -> Operand | None:
    """The largest term with a factor that came from the loss, and that factor; without any, of the largest term."""
    if explanation.expression is None:
        return None
    terms = sorted(explanation.terms, key=lambda term: -abs(math.prod(f.value for f in term[1])))
    named = [f for _, factors in terms for f in factors if f.name]
    flowing = [f for f in named if _flows(trace, f)]
    return next(iter(flowing or named or explanation.operands), None)


def _flows(trace: Recording, operand: Operand) -> bool:
    """Whether it is a δ, a gradient, or what an optimiser has made of one."""
    named = names_of(trace)[operand.name]
    return named.what in ("delta", "input_delta", "share", "gradient", "memory") or (
        named.what == "inner" and ".delta_" in operand.name
    )


# ---------------------------------------------------------------------------------------------- kinds of arrays


def _given(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    texts = {
        "given": "given to the network" if name != "target" else "given to the loss",
        "before": "the gradient that was there before this step",
        "memory_before": "the optimiser's memory from before this step",
    }
    return Explanation(name, index, value, _symbol(name, index), remark=texts[named.what])


def _value(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    later = [u.name for u in trace.updates if u.name == name]
    remark = "a parameter, as it was during the step" + (f"; what became of it is {later[0]}.after" if later else "")
    return Explanation(name, index, value, _symbol(name, index), remark=remark)


def _input(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    return Explanation(name, index, value, _symbol(name, index), remark="given; no layer of the trace made it")


def _output(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    call: CallRecord = named.owner
    rules, page = rules_of(call.formulas_of), Page(trace, call, index)
    rule = None if rules is None else rules.output(page, index, named.part)
    symbol = "J" if call.is_loss and not index else _symbol("y" if named.part == 0 else f"y{named.part}", index)
    return _explained(trace, name, index, value, symbol, rule, call, "forward")


def _saved(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    call: CallRecord = named.owner
    rules = rules_of(call.formulas_of)
    rule = None if rules is None else rules.saved(Page(trace, call, index), named.part, index)
    symbol = _symbol(named.part, index)
    if rule is None:  # often the very input or output
        for part, record in call.inputs.items():
            if record is not None and _same(record, named.record):
                x = Page(trace, call, index).x(index, part=part)
                rule = Rule(x.symbol, x, "the input itself")
        for number, record in enumerate(call.outputs):
            if _same(record, named.record):
                y = Page(trace, call, index).y(index, number=number)
                rule = Rule(y.symbol, y, "the output itself")
    if rule is None:
        drawn = "; it was drawn at random" if getattr(call.formulas_of, "rng", call) is not call else ""
        remark = f"what {call.kind} saved for its backward{drawn}"
        return Explanation(name, index, value, symbol, remark=remark, source=call.forward_source)
    return _explained(trace, name, index, value, symbol, rule, call, "forward")


def _inner(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    call: CallRecord = named.owner
    rules = rules_of(call.formulas_of)
    rule = None if rules is None else rules.inner(Page(trace, call, index), named.part, index)
    ending = named.part.rpartition(".")[2].replace("delta_", "δ").replace("_before", "⁻")
    direction = "backward" if "delta_" in named.part else "forward"
    return _explained(trace, name, index, value, _symbol(ending, index), rule, call, direction)


def _delta(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    """δ at an output: what its consumers handed back, added up."""
    call: CallRecord = named.owner
    output = f"{call.name}.output" + (f".{named.part}" if named.part else "")
    consumers = trace.consumers.get(output, [])
    found = [(c, part) for c, part in consumers if c.input_deltas.get(part) is not None]
    if not found:
        if call.is_loss and not index:
            note = "the recursion starts here: ∂J/∂J = 1"
            return Explanation(name, index, value, "∂J/∂J", Rule("1", Constant(1.0), note))
        return Explanation(name, index, value, _symbol("δ", index), remark="given from outside of the trace")
    return _handed_back(trace, name, index, value, _symbol("δ", index), found)


def _given_delta(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    """∂J/∂x."""
    found = [(c, part) for c, part in trace.consumers.get(named.part, []) if c.input_deltas.get(part) is not None]
    return _handed_back(trace, name, index, value, _symbol("∂J/∂x", index), found)


def _handed_back(
    trace: Recording, name: str, index: Index, value: float, symbol: str, consumers: list[tuple[CallRecord, str]]
) -> Explanation:
    if len(consumers) == 1:
        call, part = consumers[0]
        return _through(trace, name, index, value, _symbol(f"∂J/∂{part}", index), call, part)
    terms = [at(_input_delta_name(call, part), call.input_deltas[part], index, "δ") for call, part in consumers]
    names = ", ".join(dict.fromkeys(_place(call) for call, _ in consumers))
    note = f"it was read {len(consumers)} times, by {names}: what each hands back adds up"
    rule = Rule(" + ".join(["δ"] * len(terms)) if len(terms) < 5 else "Σ δ", total(terms), note)
    return Explanation(name, index, value, symbol, rule)


def _input_delta(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    return _through(trace, name, index, value, _symbol(f"∂J/∂{named.part}", index), named.owner, named.part)


def _through(
    trace: Recording, name: str, index: Index, value: float, symbol: str, call: CallRecord, part: str
) -> Explanation:
    """What one call hands back for one of its inputs."""
    rules, page = rules_of(call.formulas_of), Page(trace, call, index)
    rule = None
    if rules is not None:
        is_parameter = part in getattr(call.layer, "names", ())  # of a function of nn.functional
        rule = rules.gradient(page, part, index) if is_parameter else rules.input_delta(page, part, index)
    if rule is not None and _is_activation(call):
        rule = _with_the_sum(trace, call, rule)
    return _explained(trace, name, index, value, symbol, rule, call, "backward")


def _is_activation(call: CallRecord) -> bool:
    return type(rules_of(call.formulas_of)).__module__.endswith(".activation") and len(call.outputs) == 1


def _with_the_sum(trace: Recording, call: CallRecord, rule: Rule) -> Rule:
    """δ ⊙ σ′(z), with δ written out as the Σₖ Wₖ δₖ of the Linear that it came through: the textbooks' recursion."""
    deltas = {o.symbol: o for o in operands_of(rule.expression) if o.name == f"{call.name}.delta"}
    consumers = trace.consumers.get(f"{call.name}.output", [])
    if len(deltas) != 1 or len(consumers) != 1:
        return rule
    (delta,), (behind, part) = deltas.values(), consumers[0]
    linear = rules_of(behind.formulas_of)
    if not isinstance(linear, LinearRules):
        return rule
    inside = linear.input_delta(Page(trace, behind, delta.index), part, delta.index)
    if inside is None:
        return rule
    symbols = rule.symbols.replace(delta.symbol, f"({inside.symbols})", 1)
    note = f"Σ is δ at the output of {_place(call)}, which comes through {_place(behind)}"
    return Rule(
        symbols, _replaced(rule.expression, delta, inside.expression), "; ".join(filter(None, [note, rule.note]))
    )


def _replaced(e: Expression, old: Operand, new: Expression) -> Expression:
    if e == old:
        return new
    if isinstance(e, Product):
        return Product(tuple(_replaced(f, old, new) for f in e.factors))
    if isinstance(e, Sum):
        return Sum(tuple(_replaced(f, old, new) for f in e.terms))
    if isinstance(e, Quotient):
        return Quotient(_replaced(e.top, old, new), _replaced(e.bottom, old, new))
    return e


def _share(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    """What one call added to the gradient of one parameter."""
    call, part = named.owner, named.part
    symbol = _symbol(f"∂J/∂{letter_of(call, part)}", index)
    if part in call.inputs:
        return _through(trace, name, index, value, symbol, call, part)
    rules = rules_of(call.formulas_of)
    rule = None if rules is None else rules.gradient(Page(trace, call, index), part, index)
    return _explained(trace, name, index, value, symbol, rule, call, "backward")


def _gradient(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    """The gradient of a parameter: the shares of all its uses, and what was there before."""
    parameter = named.owner
    part = parameter.name.rpartition(".")[2]
    symbol = _symbol(f"∂J/∂{part}", index)
    if parameter.before is None and len(parameter.shares) == 1:
        call, key, record = parameter.shares[0]
        return _share(trace, name, Named(record, "share", call, key), index, value)
    terms = []
    if parameter.before is not None:
        terms.append(at(f"{parameter.name}.grad.before", parameter.before, index, "before"))
    for call, key, record in parameter.shares:
        terms.append(at(f"{call.path}#{call.use}.{key}.grad", record, index, f"share of {call.name}"))
    note = f"{len(parameter.shares)} uses" + (", on top of what was there" if parameter.before is not None else "")
    return Explanation(name, index, value, symbol, Rule(" + ".join(t.symbol for t in terms), total(terms), note))


def _after(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    update: UpdateRecord = named.owner
    return _updated(update, name, index, value, _symbol("W", index), update_rule(update, index))


def _memory(trace: Recording, name: str, named: Named, index: Index, value: float) -> Explanation:
    update: UpdateRecord = named.owner
    return _updated(update, name, index, value, _symbol(named.part, index), memory_rule(update, named.part, index))


def _updated(
    update: UpdateRecord, name: str, index: Index, value: float, symbol: str, rule: Rule | None
) -> Explanation:
    kind = type(update.optimizer).__name__
    remark = (
        "" if rule is not None else f"the arithmetic of {kind} is not written out here; its formula and operands are"
    )
    beside: tuple[str, ...] = ()
    if rule is None:
        beside = tuple(
            f"{letter} = {float(record.numbers[index]):.6g}"
            for letter, record in (("W before", update.before), ("∂J/∂W", update.gradient), ("W after", update.after))
        )
    lines = formulas(type(update.optimizer)).forward
    return Explanation(name, index, value, symbol, rule, lines, f"{kind}, update", remark=remark, beside=beside)


_EXPLAINED = {
    "given": _given,
    "before": _given,
    "memory_before": _given,
    "value": _value,
    "input": _input,
    "output": _output,
    "saved": _saved,
    "inner": _inner,
    "delta": _delta,
    "given_delta": _given_delta,
    "input_delta": _input_delta,
    "share": _share,
    "gradient": _gradient,
    "after": _after,
    "memory": _memory,
}

# ---------------------------------------------------------------------------------------------- helpers


def _explained(
    trace: Recording,
    name: str,
    index: Index,
    value: float,
    symbol: str,
    rule: Rule | None,
    call: CallRecord,
    direction: str,
) -> Explanation:
    lines = call.formulas.forward if direction == "forward" else call.formulas.backward
    source = call.forward_source if direction == "forward" else call.backward_source
    remark, beside = "", tuple[str, ...]()
    if rule is None:
        remark = f"the arithmetic of {call.kind} is not known here; what it is made of is"
        beside = _beside(call, direction)
    place = f"{_place(call)}, {direction}"
    return Explanation(name, index, value, symbol, rule, lines, place, source, remark, beside)


def _beside(call: CallRecord, direction: str) -> tuple[str, ...]:
    """The operands of a call by name: inputs, parameters, what it saved, δ."""
    arrays: dict[str, ArrayRecord | None] = {f"input {name}": a for name, a in call.inputs.items()}
    arrays |= {f"parameter {name}": p.value for name, p in call.parameters.items()}
    arrays |= {f"saved {name}": a for name, a in call.saved.items() if isinstance(a, ArrayRecord)}
    if direction == "backward":
        arrays |= {"δ" if i == 0 else f"δ of output {i}": a for i, a in enumerate(call.deltas)}
    return tuple(
        f"{name}: {a.dtype} {a.shape}, from {a.digest.least:.4g} to {a.digest.largest:.4g}, mean {a.digest.mean:.4g}"
        for name, a in arrays.items()
        if a is not None
    )


def _same(a: ArrayRecord, b: ArrayRecord) -> bool:
    if not isinstance(a.array, np.ndarray) or not isinstance(b.array, np.ndarray) or a.shape != b.shape:
        return False
    return a.array is b.array or a.array.__array_interface__["data"] == b.array.__array_interface__["data"]


def _place(call: CallRecord) -> str:
    return call.name if call.path == call.kind else f"{call.name} ({call.kind})"


def _input_delta_name(call: CallRecord, part: str) -> str:
    return f"{call.name}.input_delta" + ("" if part == next(iter(call.inputs)) else f".{part}")


def _symbol(letter: str, index: Index) -> str:
    return f"{letter}[{', '.join(map(str, index))}]" if index else letter
