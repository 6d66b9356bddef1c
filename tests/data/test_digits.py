"""Digits: the fixed split, the nine exact shifts, the sampler."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from ssl_dynamics.data import PIXELS, SHIFTS, VIEWS, PairSampler, digits
from ssl_dynamics.data.digits import shifted


def test_split_is_stratified_disjoint_and_complete():
    data = digits()
    assert len(data.train) + len(data.test) == 1797
    assert len(data.test) == pytest.approx(0.25 * 1797, abs=1)
    for labels in (data.train_labels, data.test_labels):
        shares = torch.bincount(labels) / len(labels)
        assert (shares - 0.1).abs().max() < 0.01
    pixels = torch.cat([data.train, data.test])
    assert pixels.shape == (1797, PIXELS)
    original = torch.from_numpy(load_digits().data)
    back = (pixels - pixels.min()) / (pixels.max() - pixels.min()) * 16
    assert sorted(back.round().sum(1).tolist()) == sorted(original.sum(1).tolist())


def test_standardised_on_the_training_images():
    train = digits().train
    assert train.mean().abs() < 1e-12
    assert train.std(correction=0) == pytest.approx(1, abs=1e-12)


def test_views_are_the_nine_shifts_over_an_empty_background():
    image = np.arange(1.0, 65.0).reshape(1, 8, 8)
    views = shifted(image)[0]
    assert len(views) == VIEWS == len(set(SHIFTS)) == 9
    assert SHIFTS[0] == (0, 0)
    assert np.array_equal(views[0], image[0])
    for view, (dy, dx) in zip(views, SHIFTS, strict=True):
        for y in range(8):
            for x in range(8):
                inside = 0 <= y - dy < 8 and 0 <= x - dx < 8
                assert view[y, x] == (image[0, y - dy, x - dx] if inside else 0)


def test_the_mean_view_is_the_mean_over_all_nine():
    data = digits()
    assert data.views.shape == (len(data.train), VIEWS, PIXELS)
    assert torch.equal(data.views[:, 0], data.train)
    torch.testing.assert_close(data.mean_view, sum(data.views.unbind(1)) / 9)


def test_pairs_are_views_of_the_same_image_drawn_evenly():
    data = digits().to("cpu", torch.float32)
    sampler = PairSampler(data, (0, 1), 64)
    table = {row.numpy().tobytes(): i for i, row in enumerate(data.views.reshape(-1, PIXELS))}
    images, views = [], []
    for step in range(40):
        batch = sampler.at(step)
        assert batch.shape == (2, 2, 64, PIXELS)
        index = np.array([table[row.numpy().tobytes()] for row in batch.reshape(-1, PIXELS)])
        index = index.reshape(2, 2, 64)
        assert np.array_equal(index[:, 0] // VIEWS, index[:, 1] // VIEWS)
        torch.testing.assert_close(
            sampler.mean_at(step), data.mean_view[torch.from_numpy(index[:, 0] // VIEWS)]
        )
        images.append(index[:, 0] // VIEWS)
        views.append(index % VIEWS)
    counts = np.bincount(np.concatenate(views, axis=None), minlength=VIEWS)
    expected = counts.sum() / VIEWS
    assert np.abs(counts - expected).max() < 5 * expected**0.5
    assert len(np.unique(images)) > 1200


@pytest.mark.parametrize("options", [{}, {"noise": 0.3}, {"noise": 0.1, "contrast": 0.2}])
def test_batches_are_bit_equal_alone_and_in_company(options):
    data = digits().to("cpu", torch.float32)
    together = PairSampler(data, (3, 1, 4), 8, **options)
    alone = PairSampler(data, (4,), 8, **options)
    for step in (0, 1, 40):
        assert torch.equal(together.at(step)[2], alone.at(step)[0])


def test_noise_and_contrast_have_the_stated_size():
    data = digits().to("cpu", torch.float64)
    plain = PairSampler(data, (0, 1), 256).at(3)
    noise = PairSampler(data, (0, 1), 256, noise=0.5).at(3) - plain
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    scale = (PairSampler(data, (0, 1), 256, contrast=0.5).at(3) / plain)[..., 0].log()
    assert scale.std() == pytest.approx(0.5, rel=0.1)
