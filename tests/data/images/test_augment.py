"""Whole views: against kornia's chain, reproducible, of the stated law, one image at a time."""

from dataclasses import replace

import kornia
import pytest
import torch

from ssl_dynamics.data.images import RECIPES, Recipe, augment, pair, recipe, standardise
from ssl_dynamics.data.images import augment as package_augment
from ssl_dynamics.data.images.augment import (
    CHOICES,
    DRAWS,
    by_sampling,
    by_sums,
    carry_out,
    choose,
)
from ssl_dynamics.data.images.geometry import CROP_DRAWS, resample
from ssl_dynamics.data.images.recipes import SMALL

assert package_augment is augment


def bytes_(count, size, low=0, high=256, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def undo(views, r):
    return views * torch.tensor(r.std).view(3, 1, 1) + torch.tensor(r.mean).view(3, 1, 1)


@pytest.mark.parametrize("size", [32, 96])
def test_whole_chain_against_kornia(size):
    """SimCLR's chain with factors near one and no hue: nothing is clamped, so both must agree."""
    r = replace(
        recipe("simclr", 96), brightness=0.2, contrast=0.2, saturation=0.2, hue=0.0, solarise=0.2
    )
    images = bytes_(64, size, 90, 160)
    draws = torch.rand(64, DRAWS, generator=seeded(1))
    chosen = choose(draws, r, size)
    chance = dict(zip(CHOICES, draws[:, CROP_DRAWS:].unbind(1), strict=True))
    jittered = chance["jitter"] < r.jitter
    b, c, s = (
        torch.where(jittered, 1 + 0.2 * (2 * chance[k] - 1), 1.0)
        for k in ("brightness", "contrast", "saturation")
    )
    x = []
    for image, (left, top, width, height) in zip(images, chosen.boxes.int().tolist(), strict=True):
        piece = image[None, :, top : top + height, left : left + width].float() / 255
        x.append(kornia.geometry.transform.resize(piece, (size, size), align_corners=False))
    x = torch.cat(x)
    mirrored = (chance["flip"] < 0.5).view(-1, 1, 1, 1)
    x = torch.where(mirrored, kornia.geometry.transform.hflip(x), x)
    x = kornia.enhance.adjust_brightness_accumulative(x, b)
    x = kornia.enhance.adjust_contrast_with_mean_subtraction(x, c)
    x = kornia.enhance.adjust_saturation_with_gray_subtraction(x, s)
    grey = (chance["grey"] < 0.2).view(-1, 1, 1, 1)
    x = torch.where(grey, kornia.color.rgb_to_grayscale(x).expand_as(x), x)
    sigma = (0.1 + 1.9 * chance["sigma"]).unsqueeze(-1).repeat(1, 2)
    soft = kornia.filters.gaussian_blur2d(x, (r.kernel, r.kernel), sigma)
    x = torch.where((chance["blur"] < 0.5).view(-1, 1, 1, 1), soft, x)
    inverted = (chance["solarise"] < 0.2).view(-1, 1, 1, 1)
    x = torch.where(inverted, kornia.enhance.solarize(x, 0.5), x)
    found = carry_out(images, chosen)
    # A value that is 0.5 but for rounding is inverted by one and not the other: 0.5 both ways.
    torch.testing.assert_close(found, x, rtol=0, atol=1e-5)
    for gate in (jittered, mirrored, grey, inverted, chance["blur"] < 0.5):
        assert 0 < gate.sum() < 64
    expected = (x - 0.5) / 0.25
    torch.testing.assert_close(augment(images, r, seeded(1)), expected, rtol=0, atol=4e-5)


@pytest.mark.parametrize(("name", "size"), [("simclr", 32), ("byol-one", 96), ("crop-flip", 33)])
def test_sums_of_rows_and_samples_give_the_same_views(name, size):
    images, r = bytes_(40, size).float(), recipe(name, size)
    r = r if name == "crop-flip" else replace(r, blur=0.5)
    chosen = choose(torch.rand(40, DRAWS, generator=seeded(2)), r, size)
    by = [view(images, chosen) for view in (by_sums, by_sampling)]
    torch.testing.assert_close(*by, rtol=0, atol=1e-5)
    # Without the flips they differ: the comparison sees them.
    other = by_sampling(images, chosen._replace(flip=~chosen.flip))
    assert (by[0] - other).abs().max() > 0.1


def test_a_rotated_view_is_sampled():
    images, r = bytes_(8, 32), recipe("digits", 32)
    chosen = choose(torch.rand(8, DRAWS, generator=seeded(2)), r, 32)
    assert torch.equal(carry_out(images, chosen), by_sampling(images.float(), chosen))


def test_a_view_is_a_function_of_the_generator_and_of_its_own_row():
    images, r = bytes_(200, 32), replace(recipe("byol-one", 32), blur=0.5, solarise=0.2)
    views = augment(images, r, seeded(7))
    assert torch.equal(views, augment(images, r, seeded(7)))
    assert not torch.equal(views, augment(images, r, seeded(8)))
    other = images.clone()
    other[100:] = bytes_(100, 32, seed=5)
    assert torch.equal(augment(other, r, seeded(7))[:100], views[:100])
    once = augment(images[:1].expand(200, -1, -1, -1), r, seeded(7))
    assert len({view.numpy().tobytes() for view in once}) == 200


def test_pieces_of_a_batch_do_not_matter(monkeypatch):
    import importlib

    module = importlib.import_module("ssl_dynamics.data.images.augment")
    images, r = bytes_(50, 32), replace(recipe("simclr", 32), blur=0.5)
    views = augment(images, r, seeded())
    monkeypatch.setattr(module, "CACHE", 7 * 4 * 3 * 32 * 32)
    torch.testing.assert_close(augment(images, r, seeded()), views, rtol=0, atol=1e-6)


def test_gates_open_as_often_as_stated():
    r = replace(recipe("byol-two", 96), blur=0.1)
    draws = torch.rand(40000, DRAWS, generator=seeded(2))
    chosen = choose(draws, r, 96)
    identity = (chosen.maps - torch.eye(3)).abs().amax((1, 2)) < 1e-6
    grey = chosen.maps.std(1).amax(-1) < 1e-6
    for found, stated in (
        (chosen.flip, 0.5),
        (chosen.blurred, 0.1),
        (chosen.solarised, 0.2),
        (grey, 0.2),
        (identity, 0.2 * 0.8),
    ):
        error = (stated * (1 - stated) / len(draws)) ** 0.5
        assert abs(found.float().mean() - stated) < 4 * error
    luma = chosen.maps.sum((1, 2))[~identity] / 3  # brightness times contrast
    assert luma.mean() == pytest.approx(1, abs=0.01)
    assert luma.var() == pytest.approx((1 + 0.16 / 3) ** 2 - 1, rel=0.05)


def test_plain_recipe_changes_nothing():
    images = bytes_(5, 32)
    r = recipe("plain", 32)
    torch.testing.assert_close(augment(images, r, seeded()), standardise(images, r))
    expected = (images.float() / 255 - 0.5) / 0.25
    torch.testing.assert_close(standardise(images, r), expected)


@pytest.mark.parametrize("name", sorted(RECIPES))
@pytest.mark.parametrize("size", [8, 32, 96])
def test_every_recipe_at_every_size(name, size):
    r = recipe(name, size).standardised((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))
    views = augment(bytes_(4, size), r, seeded())
    assert views.shape == (4, 3, size, size)
    assert views.dtype == torch.float32
    assert undo(views, r).min() > -1e-6
    assert undo(views, r).max() < 1 + 1e-6
    assert augment(bytes_(4, size)[:0], r, seeded()).shape == (0, 3, size, size)


def test_published_strengths():
    small, large = recipe("simclr", 32), recipe("simclr", 96)
    assert (small.brightness, small.contrast, small.saturation, small.hue) == (0.4, 0.4, 0.4, 0.1)
    assert (large.brightness, large.contrast, large.saturation, large.hue) == (0.8, 0.8, 0.8, 0.2)
    assert (small.blur, large.blur, large.kernel, recipe("simclr", 224).kernel) == (0, 0.5, 9, 23)
    one, two = pair("byol", 96)
    assert (one.blur, one.solarise, two.blur, two.solarise) == (1.0, 0.0, 0.1, 0.2)
    assert (one.brightness, one.contrast, one.saturation, one.hue) == (0.4, 0.4, 0.2, 0.1)
    assert recipe("simsiam", 96).scale == (0.2, 1.0)
    vicreg = recipe("vicreg", 32)
    assert (vicreg.scale, vicreg.saturation, vicreg.solarise) == ((0.2, 1.0), 0.2, 0.1)
    assert all(recipe(name, SMALL).blur == 0 for name in RECIPES)
    assert pair("simclr", 32) == (small, small)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flip": 1.5}, "flip: got 1.5; allowed: a probability"),
        ({"scale": (0.0, 1.0)}, "scale: got .0.0, 1.0.; allowed: 0 < low"),
        ({"hue": 0.6}, "hue: got 0.6; allowed: 0 to 0.5"),
        ({"contrast": 2.0}, "contrast: got 2.0; allowed: 0 to 1"),
        ({"kernel": 4}, "kernel: got 4; allowed: an odd"),
        ({"sigma": (2.0, 1.0)}, "sigma: got"),
        ({"rotation": 200.0}, "rotation: got 200"),
        ({"std": (1.0, 0.0, 1.0)}, "std: got"),
    ],
)
def test_bad_recipes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**change)


def test_bad_calls_are_refused():
    with pytest.raises(ValueError, match=r"recipe: got 'moco'; allowed: .*simclr"):
        recipe("moco", 32)
    with pytest.raises(ValueError, match="recipe: got 'moco'; allowed: byol"):
        pair("moco", 32)
    for images in (torch.zeros(2, 3, 8, 8), bytes_(2, 8)[:, :1], bytes_(2, 8)[..., :4]):
        with pytest.raises(ValueError, match=r"images: got .*; allowed: uint8 \[B, 3, H, H\]"):
            augment(images, recipe("plain", 8), seeded())


def test_same_views_on_a_gpu(need):
    device = need("gpu")
    images = bytes_(64, 32)
    for name in RECIPES:
        r = replace(recipe(name, 96), hue=0.1)
        views = augment(images, r, seeded(3))
        found = augment(images.to(device), r, seeded(3)).cpu()
        # A value within rounding of one half is inverted, or not, by solarisation.
        torch.testing.assert_close(found, views, rtol=0, atol=1e-4)
        there = torch.Generator(device).manual_seed(3)
        own = augment(images.to(device), r, there)
        assert abs(own.mean().item() - views.mean().item()) < 0.05


def test_crop_of_a_flipped_image_is_the_flipped_crop():
    images = bytes_(8, 32).float()
    boxes = torch.tensor([[3.0, 5, 20, 11]]).repeat(8, 1)
    mirrored = torch.tensor([[32 - 3 - 20.0, 5, 20, 11]]).repeat(8, 1)
    yes = torch.ones(8, dtype=torch.bool)
    torch.testing.assert_close(resample(images, boxes, yes), resample(images.flip(-1), mirrored))
