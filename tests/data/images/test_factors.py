"""Latent-factor images: the hierarchy and the nuisances are what the docstring says."""

import math
from dataclasses import replace

import pytest
import torch

from ssl_dynamics.data.images import (
    FactorWorld,
    factor_images,
    load_images,
    resample_nuisance,
)
from ssl_dynamics.data.images.factors import COLUMNS, NUISANCES

WORLD = FactorWorld()
CALM = replace(WORLD, noise=0.0)


def nuisance(count=1, **values):
    z = torch.zeros(count, len(NUISANCES))
    for name, value in values.items():
        z[:, NUISANCES.index(name)] = value
    return z


def test_labels_form_the_stated_tree():
    content, label, coarse = WORLD.contents("train", 7)
    assert content.shape == (10 * 4 * 7, WORLD.spots, len(COLUMNS))
    assert torch.equal(label.bincount(), torch.full((40,), 7))
    assert torch.equal(coarse, label // 4)
    assert len(content.flatten(1).unique(dim=0)) == len(content)


def test_spreads_are_the_stated_ones():
    """Nested sums of squares: unbiased estimates of the three variances, over many classes."""
    world = FactorWorld(supers=400, classes=5, spots=2, spread=(0.8, 0.5, 0.3))
    content, _, _ = world.contents("train", 6)
    table = content.view(400, 5, 6, -1).double()
    low = table.var(2).mean()
    middle = table.mean(2).var(1).mean() - low / 6
    top = table.mean((1, 2)).var(0).mean() - middle / 5 - low / 30
    for found, spread in ((top, 0.8), (middle, 0.5), (low, 0.3)):
        assert found.sqrt() == pytest.approx(spread, rel=0.04)
    assert abs(table.mean()) < 5 * 0.8 / math.sqrt(400 * 12)


def test_distances_follow_the_hierarchy():
    a, b, c = WORLD.spread
    world = replace(WORLD, supers=60)
    content, label, coarse = world.contents("train", 5)
    flat = content.flatten(1)
    squared = torch.cdist(flat, flat).square() / flat.shape[1]
    same_class = label[:, None] == label
    same_super = coarse[:, None] == coarse
    apart = ~torch.eye(len(flat), dtype=torch.bool)
    for pairs, expected in (
        (same_class & apart, 2 * c**2),
        (same_super & ~same_class, 2 * (b**2 + c**2)),
        (~same_super, 2 * (a**2 + b**2 + c**2)),
    ):
        assert squared[pairs].mean() == pytest.approx(expected, rel=0.05)


def test_the_hierarchy_is_visible_without_nuisance():
    content, label, coarse = WORLD.contents("train", 5)
    pictures = WORLD.render(content).flatten(1)
    squared = torch.cdist(pictures, pictures).square()
    same_class = label[:, None] == label
    same_super = coarse[:, None] == coarse
    apart = ~torch.eye(len(label), dtype=torch.bool)
    within, between = squared[same_class & apart], squared[same_super & ~same_class]
    assert 1.5 * within.mean() < between.mean()
    assert 1.15 * between.mean() < squared[~same_super].mean()


def test_splits_share_classes_and_not_samples():
    train, test = WORLD.contents("train", 200)[0], WORLD.contents("test", 200)[0]
    assert not torch.equal(train, test)
    means = [part.view(40, 200, -1).mean(1) for part in (train, test)]
    error = WORLD.spread[2] * math.sqrt(2 / 200)
    assert (means[0] - means[1]).std() == pytest.approx(error, rel=0.15)
    assert torch.equal(train, WORLD.contents("train", 200)[0])
    other = replace(WORLD, seed=1).contents("train", 200)[0]
    assert not torch.equal(train, other)


def test_a_picture_is_what_the_docstring_says():
    """Pixel by pixel, with scalars."""
    content = WORLD.contents("train", 1)[0][:3]
    z = WORLD.nuisances(torch.rand(3, 8, generator=torch.Generator().manual_seed(0)))
    pictures = WORLD.render(content, z)
    for image, spots, nuisance_ in zip(pictures, content.tolist(), z.tolist(), strict=True):
        dx, dy, turn, zoom, light, *tint = nuisance_
        for channel, row, column in ((0, 0, 0), (1, 16, 9), (2, 31, 20), (0, 12, 31)):
            u, v = (2 * column + 1) / 32 - 1, (2 * row + 1) / 32 - 1
            value = 0.5
            for x, y, width, *colour in spots:
                x, y = math.tanh(x), math.tanh(y)
                mx = math.exp(zoom) * (math.cos(turn) * x + math.sin(turn) * y) + dx
                my = math.exp(zoom) * (math.cos(turn) * y - math.sin(turn) * x) + dy
                s = 0.2 * math.exp(zoom + width / 2)
                height = math.exp(-((u - mx) ** 2 + (v - my) ** 2) / (2 * s**2))
                value += 0.5 * math.tanh(colour[channel]) * height
            value = min(max(value * (1 + light) * (1 + tint[channel]), 0), 1)
            assert image[channel, row, column] == pytest.approx(value, abs=2e-6)


def test_geometric_nuisances_move_the_picture():
    content = WORLD.contents("train", 1)[0]
    plain = WORLD.render(content)
    quarter = WORLD.render(content, nuisance(len(content), turn=math.pi / 2))
    torch.testing.assert_close(quarter, plain.rot90(1, (-2, -1)), rtol=0, atol=1e-5)
    moved = WORLD.render(content, nuisance(len(content), across=3 * 2 / 32, down=-2 * 2 / 32))
    torch.testing.assert_close(moved[..., :-2, 3:], plain[..., 2:, :-3], rtol=0, atol=1e-5)
    bright = WORLD.render(content, nuisance(len(content), light=-0.3))
    torch.testing.assert_close(bright, plain_unclamped(content) * 0.7, rtol=0, atol=1e-5)


def plain_unclamped(content):
    """The picture before it is clamped: rendered at a tenth of the light."""
    dim = WORLD.render(content, nuisance(len(content), light=-0.9))
    return (10 * dim).clamp(0, 1 / 0.7)


def test_resampling_keeps_the_content_and_forgets_the_rest():
    """Views of one content are exchangeable; the nuisance has its law whatever the class."""
    content, label, _ = WORLD.contents("train", 25)
    first = resample_nuisance(content, WORLD, torch.Generator().manual_seed(1))
    again = resample_nuisance(content, WORLD, torch.Generator().manual_seed(1))
    other = resample_nuisance(content, WORLD, torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.05
    still = replace(WORLD, shift=0, turn=0, zoom=0, light=0, tint=0, noise=0)
    view = resample_nuisance(content, still, torch.Generator().manual_seed(1))
    assert torch.equal(view, WORLD.render(content))
    draws = torch.rand(len(content), 8, generator=torch.Generator().manual_seed(3))
    z = WORLD.nuisances(draws)
    limits = torch.tensor([0.4, 0.4, math.pi / 3, 0.25, 0.4, 0.3, 0.3, 0.3])
    assert (z.abs() <= limits).all()
    torch.testing.assert_close(z.std(0), limits / math.sqrt(3), rtol=0.05, atol=0)
    means = torch.stack([z[label == k].mean(0) for k in range(40)]) / (limits / math.sqrt(3))
    assert (means.square().mean() * 25).item() == pytest.approx(1, abs=0.3)  # chi-square, 320


def test_noise_has_the_stated_size():
    content = WORLD.contents("train", 2)[0]
    world = replace(WORLD, shift=0, turn=0, zoom=0, light=0, tint=0)
    plain = world.render(content)
    difference = resample_nuisance(content, world, torch.Generator().manual_seed(0)) - plain
    inside = (plain > 0.3) & (plain < 0.7)
    assert difference[inside].std() == pytest.approx(world.noise, rel=0.02)


def test_as_an_image_set():
    found = load_images("factors")
    assert found.images.shape == (5000, 3, 32, 32)
    assert found.images.dtype == torch.uint8
    assert (len(found.labels.unique()), len(found.coarse.unique())) == (40, 10)
    assert len(load_images("factors", "test")) == 1000
    small = factor_images(FactorWorld(supers=2, classes=2, size=16), "train", 3)
    assert small.images.shape == (12, 3, 16, 16)
    assert torch.equal(small.images, factor_images(FactorWorld(2, 2, size=16), "train", 3).images)
    assert small.to("meta").content.is_meta
    calm = replace(CALM, shift=0, turn=0, zoom=0, light=0, tint=0)
    found = factor_images(calm, "train", 2)
    exact = (calm.render(found.content) * 255).round()
    assert torch.equal(found.images.float(), exact)


def test_classes_are_hidden_from_pixels_and_plain_in_the_content():
    """Nearest neighbours: what invariance to the nuisance is worth in this world."""
    train, test = load_images("factors"), load_images("factors", "test")

    def accuracy(bank, query):
        near = torch.cdist(query.flatten(1).float(), bank.flatten(1).float()).argmin(1)
        return (train.labels[near] == test.labels).float().mean().item()

    assert 0.3 < accuracy(train.images, test.images) < 0.55
    assert accuracy(train.content, test.content) > 0.99


def test_bad_worlds_are_refused():
    with pytest.raises(ValueError, match="spots: got 0; allowed: 1 and more"):
        FactorWorld(spots=0)
    with pytest.raises(ValueError, match="noise: got -1; allowed: 0 and more"):
        FactorWorld(noise=-1)
    with pytest.raises(ValueError, match=r"spread: got \(1, -1, 0\); allowed: three numbers"):
        FactorWorld(spread=(1, -1, 0))


def test_same_pictures_on_a_gpu(need):
    device = need("gpu")
    content = WORLD.contents("train", 2)[0]
    here = resample_nuisance(content, WORLD, torch.Generator().manual_seed(0))
    there = resample_nuisance(content.to(device), WORLD, torch.Generator().manual_seed(0))
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-4)
