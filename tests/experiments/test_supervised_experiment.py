"""Few labelled digits: what is shown to whom, who starts alike, measures and refusals."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import digits
from ssl_dynamics.experiments import supervised

SMALL = supervised.Config(seeds=2, shots=3, steps=3, at=(0,), batch=8)


def test_measures_have_a_place_for_every_step_and_keep_their_bounds():
    record = supervised.run(SMALL, progress=False)
    assert record.axes["step"] == [0, 3]
    for condition in supervised.CONDITIONS:
        for arm in supervised.ARMS:
            found = {n: record[f"{condition}/{arm}/{n}"] for n in ("train", "test", "gap", "nc1")}
            assert all(value.shape == (2, 2) for value in found.values())
            np.testing.assert_allclose(found["gap"], found["train"] - found["test"], atol=1e-6)
            # all encoders start alike
            first = record[f"{condition}/plain/test"][:, 0]
            np.testing.assert_array_equal(found["test"][:, 0], first)
    assert (record["simclr/excess"] > 0).all()
    assert (record["simclr/excess"] < record["simclr/loss"]).all()


def test_each_seed_has_its_own_balanced_images_and_shaking_changes_them_all():
    images = supervised.FewImages(SMALL)
    data = digits()
    assert images.shown["still"].shape == images.shown["shaken"].shape == (2, 30, 64)
    assert not torch.equal(*images.shown["still"])
    for rows in images.shown["still"].double():
        distance = torch.cdist(rows, data.train)
        assert (distance.amin(-1) < 1e-5).all()
        np.testing.assert_array_equal(data.train_labels[distance.argmin(-1)], images.labels)
    for name in ("shown", "test"):
        still, shaken = (getattr(images, name)[c].float() for c in supervised.CONDITIONS)
        assert ((still - shaken).abs().amax(-1) > 0.1).all()


def test_labels_and_images_of_a_batch_belong_together():
    images = supervised.FewImages(SMALL)
    rows, plain, views = images.rows_at(1), images.shown_at(1, "still"), images.views_at(1)
    for seed in range(2):
        torch.testing.assert_close(plain[seed, 0], images.shown["still"][seed, rows[seed]])
    assert plain.shape == (2, 1, 8, 64)
    assert views.shape == (2, 2, 8, 64)
    quiet = supervised.FewImages(
        supervised.Config(seeds=1, shots=3, batch=8, noise=0.0, contrast=0.0)
    )
    wanted = quiet.parts[0].views[quiet.rows_at(0)[0]]
    for seen in quiet.views_at(0)[0]:
        assert (seen[:, None] == wanted).all(-1).any(-1).all()


def test_a_seed_is_the_same_alone_and_in_company():
    two = supervised.run(SMALL, progress=False)
    alone = supervised.run(
        supervised.Config(**{**two.config, "seeds": 1, "first_seed": 1}), progress=False
    )
    for name, value in two.metrics.items():
        np.testing.assert_allclose(alone[name][0], value[1], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"shots": 1}, "shots"), ({"rates": (0.1,)}, "rates"), ({"device": "cuda"}, "device")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        supervised.Config(**change)
