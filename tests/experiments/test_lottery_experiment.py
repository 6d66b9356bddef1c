"""The runs with tickets: who is kept, what is compared, and what can fail."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import lottery as experiment
from ssl_dynamics.training.students_run import gaussian

SMALL = {
    "nodes": (3,),
    "multiples": (4,),
    "inputs": 6,
    "outputs": 5,
    "steps": 40,
    "every": 20,
    "probe": 60,
}
SEEDS = range(4)


def small(**change):
    return experiment.Config(**{"seeds": 4, **SMALL, **change})


def test_every_rule_keeps_as_many_different_nodes_as_the_teacher_has():
    config = small()
    teacher, start = experiment.pair(config, SEEDS, 3, 12)
    end = experiment.pair(config, SEEDS, 3, 12, "end")[1]
    probe = gaussian(SEEDS, 60, 6, purpose="probe")
    chosen = experiment.choices(SEEDS, teacher, start, end, probe)
    for name, places in chosen.items():
        assert places.shape == (4, 3), name
        assert all(len(set(row)) == 3 for row in places.tolist()), name
    near = experiment.cosines(start, teacher)[0]
    lucky, random = (
        near.gather(1, chosen[name].unsqueeze(1)).mean() for name in ("lucky", "random")
    )
    assert lucky > random
    assert (near.amax(2).gather(1, chosen["crowd"]).amin(1) >= near.amax(2).median(1).values).all()


def test_a_trained_copy_of_the_teacher_among_the_students_is_its_ticket():
    config = small()
    teacher, start = experiment.pair(config, SEEDS, 3, 12)
    end = start.clone()
    end.weights[0][:, [7, 2, 9]] = teacher.weights[0]
    end.biases[0][:, [7, 2, 9]] = teacher.biases[0]
    probe = gaussian(SEEDS, 200, 6, purpose="probe")
    chosen = experiment.choices(SEEDS, teacher, start, end, probe)
    assert chosen["ticket"].tolist() == [[7, 2, 9]] * 4


def test_spread_nodes_are_nearest_to_their_own_teacher_node_where_there_is_one():
    near = torch.zeros(2, 4, 3)
    for row, nearest in enumerate(([0, 0, 1, 2], [1, 1, 1, 2])):
        near[row, range(4), nearest] = 1.0
    first, second = experiment.spread_out((5, 6), near).tolist()
    assert first[0] in (0, 1)
    assert first[1:] == [2, 3]
    assert second[1] in (0, 1, 2)
    assert second[2] == 3
    assert second[0] in {0, 1, 2} - {second[1]}
    unclaimed = experiment._unclaimed(near)
    assert unclaimed.tolist() == pytest.approx([0, 1 / 3], abs=1e-6)


def test_seeds_alone_are_what_they_are_in_company():
    two = experiment.run(small(seeds=2, name="t"), progress=False)
    one = experiment.run(small(seeds=1, first_seed=1, name="t"), progress=False)
    for name in ("full/log error", "ticket/log error", "spread/log error", "fresh/cosine"):
        a, b = (r[name][-1] for r in (two, one))
        np.testing.assert_allclose(a, b, rtol=1e-9)
    assert two["full/log error"].shape == (2, 3)
    assert (two["full/log error"][:, -1] < two["full/log error"][:, 0]).all()
    half = (two["ticket/log error"] + two["fresh/log error"]) / 2
    np.testing.assert_allclose(two["past half"], two["lucky/log error"] - half)


def test_the_map_names_its_cells():
    record = experiment.run(small(study="map", nodes=(2, 3), multiples=(2,)), progress=False)
    assert {name.split("/")[0] for name in record.metrics} == {"nodes=2", "nodes=3"}
    assert record["nodes=2/multiple=2/lucky both/log error"].shape == (4,)


def test_the_race_meets_its_prediction():
    config = experiment.Config(
        seeds=32, study="race", lr=0.02, batch=64, steps=400, every=400, inputs=12
    )
    record = experiment.run(config, progress=False)
    assert (record["tickets=50/time"] <= record["tickets=5/time"]).all()
    assert abs(record["tickets=50/relative"].mean() - 1) < 0.12
    assert 0 <= record["nearest first"].mean() <= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"every": 3}, "every"),
        ({"study": "lots"}, "study"),
        ({"nodes": ()}, "nodes"),
        ({"device": "cuda"}, "device"),
        ({"goal": 0.0}, "goal"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        small(**change)
