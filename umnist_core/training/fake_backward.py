"""Gradients of fake tensors: autograd's graph walked node by node, in the order of its engine.

PyTorch's own engine asks the device's driver for streams, and so does not run where there is no
such device. Its nodes can be called one by one all the same. What is kept and given back here
follows the engine, so that memory can be counted: a node lets go of what it saved when it is done,
sums are made in place where nobody else holds the first summand, and the gradient of a weight is
the node's own tensor. On real tensors gradients are the engine's, bit for bit.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge, saved_tensors_hooks

from umnist_core.errors import InvalidValueError


class _Saved:
    """A tensor that a node keeps until it is done."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor: Tensor | None = tensor


class SavedTensors(saved_tensors_hooks):
    """What autograd keeps while this is entered, and lets go of node by node."""

    def __init__(self) -> None:
        self._used: list[_Saved] = []
        super().__init__(_Saved, self._take)

    def __enter__(self) -> Self:  # type: ignore[override]
        super().__enter__()
        return self

    def _take(self, saved: _Saved) -> Tensor:
        if saved.tensor is None:
            raise InvalidValueError(
                "Expected to go back through a graph once, found a second time; keep it with "
                "retain_graph=True."
            )
        self._used.append(saved)
        return saved.tensor

    def release(self, *, is_kept: bool) -> None:
        """Let go of what was taken since the last call, unless it is kept."""
        for saved in () if is_kept else self._used:
            saved.tensor = None
        self._used.clear()


def accumulate_gradients(
    root: Tensor, gradient: Tensor | None, saved: SavedTensors, *, is_kept: bool = False
) -> None:
    """Do the work of ``root.backward``: add gradients to those of the leaves.

    Parameters
    ----------
    root
        With one number, unless ``gradient`` is given.
    gradient
        Of the root.
    saved
        Which was entered when the root was computed.
    is_kept
        Whether the graph can be gone through again.
    """
    _Walk(saved, is_kept).run([root], [gradient], None)


def find_gradients(
    roots: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    inputs: Sequence[Tensor],
    saved: SavedTensors,
    *,
    is_kept: bool = False,
) -> tuple[Tensor | None, ...]:
    """Do the work of `torch.autograd.grad`: return gradients of inputs, None of those unused.

    Parameters
    ----------
    roots, gradients, saved, is_kept
        As of `accumulate_gradients`.
    inputs
        Of the roots.
    """
    wanted = [get_gradient_edge(one) for one in inputs]
    places = [(one.node, one.output_nr) for one in wanted]
    found = _Walk(saved, is_kept).run(roots, gradients, places)
    return tuple(found.get(place) for place in places)


Place = tuple[Node, int]
"""A node, and which of its inputs."""


class _Walk:
    """One walk through a graph."""

    def __init__(self, saved: SavedTensors, is_kept: bool) -> None:
        self._saved, self._is_kept = saved, is_kept
        self._waiting: dict[Node, list[Tensor | None]] = {}
        self._holders: Counter[int] = Counter()

    @torch.no_grad()
    def run(
        self,
        roots: Sequence[Tensor],
        gradients: Sequence[Tensor | None],
        wanted: Sequence[Place] | None,
    ) -> dict[Place, Tensor | None]:
        """Go from the roots to the wanted places, or to all leaves where None are."""
        edges = [get_gradient_edge(root) for root in roots]
        starts = dict.fromkeys(edge.node for edge in edges)
        ends = None if wanted is None else {node for node, _ in wanted}
        needed, missing = _needed(list(starts), ends)
        for root, edge, gradient in zip(roots, edges, gradients, strict=True):
            first = torch.ones_like(root) if gradient is None else gradient
            self._put(edge.node, edge.output_nr, first)
        del first
        numbers = itertools.count()
        ready = [_ranked(one, numbers) for one in starts if not missing[one]]
        heapq.heapify(ready)
        found: dict[Place, Tensor | None] = {}
        while ready:
            node = heapq.heappop(ready)[2]
            inputs = self._take(node)
            for place in wanted or ():
                if place[0] is node:
                    found[place] = inputs[place[1]]
            if hasattr(node, "variable"):
                if wanted is None:
                    self._accumulate(node.variable, inputs[0])
                continue
            for after in self._call(node, inputs, needed):
                missing[after] -= 1
                if not missing[after]:
                    heapq.heappush(ready, _ranked(after, numbers))
        return found

    def _call(
        self, node: Node, inputs: list[Tensor | None], needed: dict[Node, bool]
    ) -> list[Node]:
        """Compute a node, hand on what comes out, and return whom it was handed to."""
        edges = [(after, nr) for after, nr in node.next_functions]
        if not any(after is not None and needed[after] for after, _ in edges):
            return []
        outputs = _outputs(node, inputs)
        inputs.clear()
        self._saved.release(is_kept=self._is_kept)
        told = []
        for place, (after, nr) in enumerate(edges):
            gradient, outputs[place] = outputs[place], None
            if after is not None and needed[after]:
                self._put(after, nr, gradient)
                told.append(after)
            del gradient
        return told

    def _put(self, node: Node, nr: int, gradient: Tensor | None) -> None:
        """Add to what waits for a node, in place where nobody else holds it."""
        metadata = node._input_metadata
        slots = self._waiting.setdefault(node, [None] * len(metadata))
        if gradient is None:
            return
        gradient, before = _fitted(gradient, metadata[nr]), slots[nr]
        if before is None:
            slots[nr] = gradient
            self._holders[_storage(gradient)] += 1
        elif self._holders[_storage(before)] == 1 and _is_whole(before):
            before.add_(gradient)
        else:
            self._holders[_storage(before)] -= 1
            slots[nr] = before + gradient
            self._holders[_storage(slots[nr])] += 1

    def _take(self, node: Node) -> list[Tensor | None]:
        metadata = node._input_metadata
        inputs = self._waiting.pop(node, [None] * len(metadata))
        for one in inputs:
            if one is not None:
                self._holders[_storage(one)] -= 1
        return inputs

    def _accumulate(self, leaf: Tensor, gradient: Tensor | None) -> None:
        if gradient is None:
            return
        if leaf.grad is not None:
            leaf.grad.add_(gradient)
        elif self._holders[_storage(gradient)] or gradient.stride() != leaf.stride():
            leaf.grad = torch.empty_like(leaf).copy_(gradient)
        else:
            leaf.grad = gradient
            self._holders[_storage(gradient)] += 1


def _needed(starts: list[Node], ends: set[Node] | None) -> tuple[dict[Node, bool], Counter[Node]]:
    """Return which nodes lead to an end (all leaves for None), and how many come before each."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(one, False) for one in starts]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(one, False) for one, _ in node.next_functions if one is not None]
    needed: dict[Node, bool] = {}
    missing: Counter[Node] = Counter()
    for node in order:  # those after it come first
        afters = [one for one, _ in node.next_functions if one is not None and needed[one]]
        is_end = hasattr(node, "variable") if ends is None else node in ends
        needed[node] = is_end or bool(afters)
        missing.update(afters)
    return needed, missing


def _outputs(node: Any, inputs: list[Tensor | None]) -> list[Tensor | None]:
    """Compute a node; return a gradient for each that it is handed on to."""
    is_of_torch = callable(node)  # others are written in Python, and give one for each argument
    found = node(*inputs) if is_of_torch else node.apply(*inputs)
    found = found if isinstance(found, tuple) else (found,)
    if is_of_torch:
        return list(found)
    asked = (one for one, is_asked in zip(found, node.needs_input_grad, strict=False) if is_asked)
    return [None if after is None else next(asked) for after, _ in node.next_functions]


def _ranked(node: Node, numbers: Any) -> tuple[int, int, Node]:
    """Return a node with its rank: those that were computed last come first."""
    return -node._sequence_nr(), next(numbers), node


def _fitted(gradient: Tensor, metadata: Any) -> Tensor:
    """Return a gradient of the shape and type of what it is the gradient of."""
    if gradient.shape != metadata.shape:
        gradient = gradient.sum_to_size(metadata.shape)
    if gradient.device != metadata.device:
        raise RuntimeError(
            f"Expected a gradient on {metadata.device}, found one on {gradient.device}."
        )
    return gradient.to(metadata.dtype)


def _storage(tensor: Tensor | None) -> int:
    assert tensor is not None
    return int(tensor.untyped_storage()._cdata)


def _is_whole(tensor: Tensor) -> bool:
    """Return whether a tensor fills its storage, each place once."""
    size = tensor.numel() * tensor.element_size()
    return size == tensor.untyped_storage().nbytes() and 0 not in tensor.stride()
