r"""Pruned students: keep some nodes of a hidden layer, rewind them, or draw them again.

Nodes are named by their places, an index tensor [S, k]: each seed keeps k of its own. To *rewind*
is to keep the nodes of a copy that was made before training, ``kept(start, nodes)``. Layers are
hidden ones, counted from 0; a node has a fan-in (its row of weights and its bias) and a fan-out
(its column of the weights above). Networks of one shape can be joined along the seeds axis and
trained on one stream of data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ssl_dynamics.data.streams import generator
from ssl_dynamics.training.students import Students
from ssl_dynamics.training.students_run import Batches


def kept(students: Students, nodes: Tensor, layer: int = 0) -> Students:
    """A copy with these nodes of a hidden layer alone, in this order: nodes [S, k] of [S, n]."""
    _need_hidden(students, layer)
    count = students.widths[layer + 1]
    if nodes.dim() != 2 or len(nodes) != len(students):
        raise ValueError(
            f"nodes have the shape {list(nodes.shape)}; allowed: [{len(students)}, kept]"
        )
    if nodes.numel() and not 0 <= int(nodes.min()) <= int(nodes.max()) < count:
        raise ValueError(
            f"nodes from {int(nodes.min())} to {int(nodes.max())}; allowed: 0 to {count - 1}"
        )
    weights, biases = list(students.weights), list(students.biases)
    W, b, above = weights[layer], biases[layer], weights[layer + 1]
    weights[layer] = W.gather(1, nodes.unsqueeze(-1).expand(-1, -1, W.shape[-1]))
    biases[layer] = b.gather(1, nodes)
    weights[layer + 1] = above.gather(2, nodes.unsqueeze(1).expand(-1, above.shape[1], -1))
    return Students([W.clone() for W in weights], [b.clone() for b in biases])


def strengths(students: Students, x: Tensor, layer: int = 0) -> Tensor:
    """Length of the fan-out times root mean square of the activation over x [S, B, d]: [S, n]."""
    _need_hidden(students, layer)
    activation = students.activations(x)[layer + 1]
    return students.weights[layer + 1].norm(dim=1) * activation.square().mean(1).sqrt()


def highest(scores: Tensor, count: int) -> Tensor:
    """Places of the `count` highest scores, best first: [S, n] -> [S, count]."""
    return scores.topk(count, dim=1).indices


def at_random(seeds: Sequence[int], among: int, count: int, purpose: str = "kept") -> Tensor:
    """Different places drawn at random, one stream per seed: [S, count] of 0 to `among` - 1."""
    if not 0 <= count <= among:
        raise ValueError(f"count: got {count}; allowed: 0 to {among}")
    drawn = [generator(seed, purpose).permutation(among)[:count] for seed in seeds]
    return torch.from_numpy(np.stack(drawn))


def with_lengths(directions: Students, lengths: Students, layer: int = 0) -> Students:
    """The nodes of one network with the lengths of fan-in and fan-out of another's, one by one.

    Everything else, biases included, is that of `directions`.
    """
    _need_alike([directions, lengths])
    changed = directions.clone()
    for depth, axis in ((layer, 2), (layer + 1, 1)):
        W, other = changed.weights[depth], lengths.weights[depth]
        W *= other.norm(dim=axis, keepdim=True) / W.norm(dim=axis, keepdim=True)
    return changed


def grafted(fan_in: Students, fan_out: Students, layer: int = 0) -> Students:
    """Nodes with the fan-in of one network; everything above is that of the other."""
    _need_alike([fan_in, fan_out])
    _need_hidden(fan_in, layer)
    parts = [fan_in] * (layer + 1) + [fan_out] * (fan_in.depth - layer - 1)
    return Students(
        [part.weights[k].clone() for k, part in enumerate(parts)],
        [part.biases[k].clone() for k, part in enumerate(parts)],
    )


def side_by_side(networks: Sequence[Students]) -> Students:
    """Networks of one shape joined along the seeds axis: all seeds of the first come first."""
    _need_alike(networks)
    return Students(
        [torch.cat(same) for same in zip(*(net.weights for net in networks), strict=True)],
        [torch.cat(same) for same in zip(*(net.biases for net in networks), strict=True)],
    )


class Repeated:
    """The same batches for `times` networks a seed, in the order of :func:`side_by_side`."""

    def __init__(self, batches: Batches, times: int) -> None:
        if times < 1:
            raise ValueError(f"times: got {times}; allowed: at least 1")
        self.batches, self.times = batches, times

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of this step, [times S, B, ...]."""
        x, target = self.batches.at(step)
        return x.repeat(self.times, 1, 1), target.repeat(self.times, 1, 1)


def _need_hidden(students: Students, layer: int) -> None:
    if not 0 <= layer < students.depth - 1:
        raise ValueError(f"layer: got {layer}; allowed: hidden ones, 0 to {students.depth - 2}")


def _need_alike(networks: Sequence[Students]) -> None:
    shapes = {(len(net), net.widths) for net in networks}
    if len(shapes) != 1:
        raise ValueError(f"networks with (seeds, widths) {sorted(shapes)}; allowed: all alike")
