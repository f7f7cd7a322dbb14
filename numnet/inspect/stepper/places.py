"""Places: from what a user types to a step: a number, a stage, a layer, a container, an array's name."""

from __future__ import annotations

import difflib
import re

from ...errors import OptionError
from ..recording import Recording
from ..step import Step

__all__ = ["STAGES", "Places", "path_of"]

STAGES = ("forward", "loss", "backward", "update")


def path_of(step: Step) -> str:
    """Where a step is in the network: the path of its layer, or of the layer whose parameter is updated."""
    if step.update is not None:
        return step.update.name.rpartition(".")[0]
    return "" if step.call is None else step.call.path


class Places:
    """The steps of a trace as places to go to.

    Args:
        trace: what was recorded.
        made: the number of the step that made an array, by its name.
    """

    def __init__(self, trace: Recording, made: dict[str, int]) -> None:
        self._steps = trace.steps
        self._made = made

    # ------------------------------------------------------------------ containers

    def containers(self, number: int) -> list[str]:
        """The containers that this step is in, the outermost first: ``encoder``, ``encoder.block1``."""
        step = self._steps[number]
        parts = path_of(step).split(".")[:-1]
        return [".".join(parts[: i + 1]) for i in range(len(parts))]

    def span(self, container: str, number: int) -> range:
        """The steps around ``number``, in the same pass, that are in ``container``.

        What has no path, such as an addition, belongs to it if it stands between two calls of it.
        """
        steps = self._steps
        found = {s.number for s in steps if s.stage == steps[number].stage and _inside(path_of(s), container)}
        first = last = number
        for direction in (-1, 1):
            here = number + direction
            while 0 <= here < len(steps) and (here in found or _is_operation(steps[here])):
                first, last = (min(first, here), max(last, here)) if here in found else (first, last)
                here += direction
        return range(first, last + 1)

    def begun(self, number: int) -> list[str]:
        """The containers whose first step in this pass it is."""
        return [c for c in self.containers(number) if self.span(c, number)[0] == number]

    def over(self, number: int, container: str = "") -> int:
        """The step behind the container that begins here, the outermost; else behind the innermost it is in."""
        if container:
            if container not in self.containers(number):
                within = ", ".join(self.containers(number)) or "no container"
                raise OptionError("a container that this step is in", repr(container), f"it is in {within}")
            chosen = container
        else:
            around = self.begun(number) or self.containers(number)[-1:]
            if not around:
                return number + 1
            chosen = around[0]
        return self.span(chosen, number)[-1] + 1

    def into(self, number: int, container: str = "") -> int | None:
        """The next step at which a container begins, or at which ``container`` does; ``None`` if there is none.

        A container is looked for from here on, then from the beginning.
        """
        if not container:
            return next((n for n in range(number + 1, len(self._steps)) if self.begun(n)), None)
        order = [*range(number + 1, len(self._steps)), *range(number + 1)]
        found = next((n for n in order if container in self.begun(n)), None)
        if found is None:
            known = list(dict.fromkeys(c for n in range(len(self._steps)) for c in self.containers(n)))
            near = difflib.get_close_matches(container, known, n=3)
            cure = f"perhaps {', '.join(near)}" if near else f"there are {', '.join(known) or 'none in this network'}"
            raise OptionError("a container: the beginning of a layer's path", repr(container), cure)
        return found

    # ------------------------------------------------------------------ jumps

    def stage(self, stage: str) -> int:
        """The first step of a stage.

        Raises:
            OptionError: the trace has none.
        """
        for step in self._steps:
            if step.stage == stage:
                return step.number
        cure = "numnet.trace(…, optimizer) takes the optimiser's step too" if stage == "update" else ""
        raise OptionError(f"a step of the stage {stage}", "this trace has none", cure)

    def find(self, text: str) -> int:
        """The step that is meant: ``"6"`` (the first is 1), ``"backward"``, ``"fc1"``, ``"backward 2"``, ``"2.delta"``.

        Raises:
            OptionError: there is no such step.
        """
        words = text.split()
        stage = self._stage_named(words[0]) if words else ""
        if stage and len(words) == 1:
            return self.stage(stage)
        name = words[-1] if words else ""
        if len(words) == 1 and re.fullmatch("[-−]?[0-9]+", name):
            number = int(name.replace("−", "-"))
            if not 1 <= number <= len(self._steps):
                is_layer = any(_is_called(step, name) for step in self._steps)
                layer = f"; layer {name} is at: jump forward {name}" if is_layer else ""
                raise OptionError(f"a step from 1 to {len(self._steps)}", name, f"list shows them all{layer}")
            return number - 1
        if len(words) == 1 and name in self._made:
            return self._made[name]
        if len(words) == (2 if stage else 1):
            within = [s for s in self._steps if not stage or s.stage == stage]
            found = [s for s in within if _is_called(s, name)] or [s for s in within if _inside(path_of(s), name)]
            if found:
                return found[0].number
        paths = list(dict.fromkeys(_name_of(s) for s in self._steps if not stage or s.stage == stage))
        near = difflib.get_close_matches(name, paths, n=3)
        cure = f"perhaps {', '.join(near)}" if near else f"there are {', '.join(paths[:20])}"
        raise OptionError("a step: its number, a stage, a layer, or a stage and a layer", repr(text), cure)

    def other_pass(self, number: int) -> int | None:
        """The same call on its way back, or forward again."""
        call = self._steps[number].call
        found = [s.number for s in self._steps if call is not None and s.call is call and s.number != number]
        return found[0] if found else None

    def _stage_named(self, word: str) -> str:
        return next((stage for stage in STAGES if word == stage or (len(word) > 2 and stage.startswith(word))), "")


def _name_of(step: Step) -> str:
    return step.call.name if step.call is not None else step.update.name if step.update is not None else ""


def _is_called(step: Step, name: str) -> bool:
    return name == _name_of(step) or (step.call is not None and name == f"{step.call.path}#{step.call.use}")


def _inside(path: str, container: str) -> bool:
    return path == container or path.startswith(f"{container}.")


def _is_operation(step: Step) -> bool:
    return step.call is not None and not step.call.is_loss and step.call.path == step.call.kind
