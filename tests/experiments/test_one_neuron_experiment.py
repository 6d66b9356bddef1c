"""The experiment with one neuron: its exact averages, its zero counts, and its refusals."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import one_neuron
from ssl_dynamics.experiments.one_neuron import Config, Task

SMALL = Config(seeds=2, sizes=(5, 7), draws=2000, neurons=8, steps=20, locked_steps=20)


def test_the_ring_moves_two_objects():
    views = one_neuron.ring(6)
    assert views.shape == (2, 6, 6)
    assert (views.sum(-1) == 2).all()
    assert {tuple(v.nonzero().flatten().tolist()) for v in views[1]} == {
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5),
    }  # fmt: skip


@pytest.mark.parametrize("name", one_neuron.TASKS)
@pytest.mark.parametrize("relu", [True, False])
def test_the_exact_gap_is_the_mean_of_many_samples(name, relu):
    task, rng = Task(name), np.random.default_rng(0)
    w = torch.from_numpy(rng.normal(size=Task.SIZE))
    classes = np.repeat([0, 1], 200_000)
    x = torch.from_numpy(task.sample(rng, classes)).unflatten(0, (2, -1))
    gates = ((x @ w > 0) if relu else torch.ones(x.shape[:2])).to(x)
    means = (gates[..., None] * x).mean(1)
    found = task.gap(w, relu=relu)
    np.testing.assert_allclose((means[1] - means[0]).numpy(), found.numpy(), atol=0.01)


def test_zero_operators_are_counted_exactly():
    found = one_neuron.zero_fractions(SMALL, [0, 1])
    np.testing.assert_array_equal(found["d=5/zero"], found["d=5/alike"])
    for size in SMALL.sizes:
        whole = found[f"d={size}/alike"] + found[f"d={size}/zero, mixed"]
        np.testing.assert_allclose(found[f"d={size}/zero"], whole)


def test_locked_neurons_start_open_and_rest_under_the_exact_gradient():
    found = one_neuron.locked(SMALL, [0, 1], progress=False)
    assert found["locked/population/moved"].max() == 0
    assert found["locked/sampled/moved"].min() == 1


def test_seeds_are_independent_of_their_neighbours():
    both = one_neuron.measure(SMALL, [0, 1], progress=False)
    alone = one_neuron.measure(SMALL, [1], progress=False)
    for key, values in alone.items():
        np.testing.assert_allclose(both[key][1:], values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("sizes", (4,)), ("lr", 0.0), ("reach", 1.0), ("device", "cuda"), ("batch", 0)],
)
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: got .*allowed"):
        Config(**{field: value})


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="allowed: ring, spread, means"):
        Task("tree")
