"""The covariance experiment: its pair averages by explicit loops, and its bad settings."""

import pytest
import torch

from ssl_dynamics.experiments import covariance_operator as experiment


def test_pair_averages_are_those_of_explicit_loops():
    g = torch.Generator().manual_seed(0)
    f = torch.randn(2, 3, 4, 2, dtype=torch.float64, generator=g)
    found = experiment.pair_means(f)
    for seed in range(2):
        lists = {name: [] for name in found}
        places = [(i, a) for i in range(3) for a in range(4)]
        for i, a in places:
            for j, b in places:
                r = ((f[seed, i, a] - f[seed, j, b]) ** 2).sum() / 2
                lists["negative"].append(r)
                lists["positive" if i == j else "other images"].append(r)
                if i == j and a != b:
                    lists["other views"].append(r)
        for name, values in lists.items():
            torch.testing.assert_close(found[name][seed], torch.stack(values).mean())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": 1}, "images"),
        ({"every": 3}, "every"),
        ({"lr": -1.0}, "lr"),
        ({"seeds": 0}, "seeds"),
        ({"betas": (1.0, 1.0)}, "betas"),
    ],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        experiment.Config(**change)


def test_a_short_run_starts_alike_and_parts_with_the_extra_weight():
    config = experiment.Config(seeds=2, images=5, widths=(4, 3), steps=2, every=1, name="short")
    record = experiment.run(config, progress=False)
    for metric in ("trace", "views", "norm/layer=1"):
        one, other = record[f"beta=0/{metric}"], record[f"beta=1/{metric}"]
        assert (one[:, 0] == other[:, 0]).all()
        assert (one[:, -1] > other[:, -1]).all()
