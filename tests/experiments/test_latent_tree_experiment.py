"""The latent tree's sweep: its conditions, its metrics, settings that are refused."""

from dataclasses import replace

import numpy as np
import pytest

from ssl_dynamics.experiments.latent_tree import (
    Config,
    conditions,
    lottery,
    run,
    shape_name,
)

TINY = Config(
    seeds=2, branching=(2, 2), hid=3, lows=(0.8,), widths=(1,), other_lows=(), depths=(),
    triples=(2,), steps=6, eval_at=(0, 3, 6), short_steps=4, short_eval_at=(0, 4), batch=8,
    test=256, device="cpu", other_losses=("info_nce",),
)  # fmt: skip


def test_every_condition_has_its_own_name_and_the_main_sweep_all_losses():
    listed = list(conditions(Config()))
    assert len({name for name, _ in listed}) == len(listed)
    main = {(s.polarity[0], s.loss) for _, s in listed if s.steps == Config().steps}
    assert main == {(low, loss) for low in (0.7, 0.8) for loss in Config().losses}
    assert {s.hid for _, s in listed} == {1, 2, 5, 10, 20}
    assert {len(s.branching) for _, s in listed} == {3, 4, 5, 6}


def test_side_conditions_can_keep_to_some_losses():
    listed = list(conditions(replace(Config(), other_losses=("released",))))
    assert {s.loss for _, s in listed if s.steps == Config().short_steps} == {"released"}


def test_shapes_are_named_by_depth_and_children():
    assert shape_name((2, 2, 2)) == "depth=3 children=2"
    assert shape_name((2, 3)) == "depth=2 children=2-3"


def test_a_tiny_run_has_every_level_beside_its_ceiling(tmp_path):
    record = run(TINY, progress=False, checkpoint_dir=tmp_path)
    name = "depth=2 children=2/low=0.8/hid=3/released"
    for height in (1, 2):
        found = record[f"{name}/height={height}/found"]
        top = record[f"depth=2 children=2/low=0.8/height={height}/ceiling"]
        assert found.shape == (2, 3)
        assert top.shape == (2,)
        np.testing.assert_allclose(record[f"{name}/height={height}/fraction"], found / top[:, None])
        gain = record[f"{name}/height={height}/gain"]
        np.testing.assert_allclose(gain, found[:, -1] - found[:, 0])
    assert record[f"{name}/end"].shape == (2, 3)
    start = record[f"{name}/start"]
    np.testing.assert_allclose(start[:, 0], record[f"{name}/height=2/found"][:, 0])
    np.testing.assert_allclose(start[:, 1:].mean(1), record[f"{name}/height=1/found"][:, 0])
    assert record["depth=2 children=3/low=0.8/hid=3/info_nce/height=1/found"].shape == (2, 2)
    again = run(TINY, progress=False, checkpoint_dir=tmp_path)
    for key, value in record.metrics.items():
        np.testing.assert_array_equal(value, again[key])


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("losses", ("byol",)), ("losses", ()), ("other_losses", ("byol",)),
     ("lows", ()), ("lows", (1.5,)), ("widths", (0,)), ("depths", (0,)),
     ("eval_at", (3, 1)), ("hid", 0)],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: "):
        Config(**{field: value})


def test_the_lottery_counts_winners_and_signs():
    first = np.array([[[0.5, -0.3, 0.01], [0.2, 0.1, -0.6]]])  # one seed, two latents
    last = np.array([[[0.9, 0.3, -0.5], [0.7, 0.2, -0.1]]])
    found = lottery(np.stack([first, last], 1))
    np.testing.assert_allclose(found["winner"], [0.5])
    np.testing.assert_allclose(found["kept"], [4 / 5])


def test_other_seeds_can_be_asked_for():
    small = replace(TINY, first_seed=3, losses=("info_nce",), triples=(), widths=())
    assert run(small, progress=False).seeds == [3, 4]
    with pytest.raises(ValueError, match="first_seed: "):
        Config(first_seed=-1)
