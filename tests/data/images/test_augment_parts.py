"""Each part of the augmentation on equal parameters: kornia's operators are the other route."""

import itertools
import math

import kornia
import pytest
import torch
from kornia import augmentation
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
)

from ssl_dynamics.data.images.blur import blur, gaussian_taps
from ssl_dynamics.data.images.colour import Jitter, colour_maps, orders, recolour, solarise
from ssl_dynamics.data.images.geometry import CROP_DRAWS, crop_boxes, resample
from ssl_dynamics.data.images.rows import blur_rows, crop_rows, mix_rows, turned

CLOSE = {"rtol": 0.0, "atol": 1e-5}
OPERATORS = ("brightness", "contrast", "saturation", "hue")


def pictures(count, size, low=0.0, high=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(count, 3, size, size, generator=generator)


def whole(count, size):
    return torch.tensor([[0.0, 0.0, size, size]]).repeat(count, 1)


def jitter(count, strength, seed=0, order=OPERATORS, **fixed):
    """Random factors near one, and what an order of the operators comes to."""
    generator = torch.Generator().manual_seed(seed)
    b, c, s, hue = strength * (2 * torch.rand(4, count, generator=generator) - 1)
    place = {name: order.index(name) for name in OPERATORS}
    values = {"brightness": 1 + b, "contrast": 1 + c, "saturation": 1 + s, "hue": hue}
    values |= {name: torch.full((count,), value) for name, value in fixed.items()}
    before = [
        torch.full((count,), place["hue"] < place[name]) for name in ("saturation", "contrast")
    ]
    return Jitter(
        **values,
        grey=torch.zeros(count, dtype=torch.bool),
        hue_before_saturation=before[0],
        hue_before_contrast=before[1],
    )


def hue_turned(images, turns):
    """Hue as a rotation about the grey axis, by the exponential of its generator."""
    cross = torch.linalg.cross(
        torch.full((3, 3), 1 / math.sqrt(3)).double(), torch.eye(3).double(), dim=0
    )
    rotation = torch.matrix_exp(2 * math.pi * turns.double().view(-1, 1, 1) * cross).float()
    return torch.einsum("bij,bjhw->bihw", rotation, images)


@pytest.mark.parametrize(("size", "seed"), [(8, 0), (32, 1), (96, 2)])
def test_crops_are_cut_out_and_resized(size, seed):
    torch.manual_seed(seed)
    images = pictures(16, size).double()
    crop = augmentation.RandomResizedCrop((size, size), scale=(0.08, 1.0), align_corners=False)
    expected = crop(images)
    corners = crop._params["src"]
    first, last = corners[:, 0], corners[:, 2]
    boxes = torch.cat([first, last - first + 1], 1).double()
    torch.testing.assert_close(resample(images, boxes), expected, **CLOSE)
    flip = torch.arange(16) % 2 == 0
    expected = torch.where(flip.view(-1, 1, 1, 1), expected.flip(-1), expected)
    torch.testing.assert_close(resample(images, boxes, flip), expected, **CLOSE)


@pytest.mark.parametrize("size", [8, 32, 33])
def test_rotation_is_counter_clockwise_about_the_middle(size):
    images = pictures(8, size)
    degrees = torch.linspace(-170, 180, 8)
    found = resample(images, whole(8, size), None, torch.deg2rad(degrees))
    expected = kornia.geometry.transform.rotate(
        images, degrees, padding_mode="border", align_corners=True
    )
    torch.testing.assert_close(found, expected, **CLOSE)
    quarter = resample(images, whole(8, size), None, torch.full((8,), math.pi / 2))
    torch.testing.assert_close(quarter, torch.rot90(images, 1, (-2, -1)), **CLOSE)


def test_whole_crop_gives_the_image_back():
    images = pictures(4, 32)
    torch.testing.assert_close(resample(images, whole(4, 32)), images, **CLOSE)


@pytest.mark.parametrize("order", list(itertools.permutations(OPERATORS)))
def test_colour_in_every_order(order):
    """Values stay inside (0, 1), so that kornia's clamping between operators does nothing."""
    images = pictures(12, 16, 0.35, 0.65)
    factors = jitter(12, 0.15, seed=1, order=order)
    step = {
        "brightness": lambda x: adjust_brightness_accumulative(x, factors.brightness),
        "contrast": lambda x: adjust_contrast_with_mean_subtraction(x, factors.contrast),
        "saturation": lambda x: adjust_saturation_with_gray_subtraction(x, factors.saturation),
        "hue": lambda x: hue_turned(x, factors.hue),
    }
    expected = images
    for name in order:
        expected = step[name](expected)
        assert expected.min() > 0
        assert expected.max() < 1
    found = recolour(images, *colour_maps(factors))
    torch.testing.assert_close(found, expected, **CLOSE)
    grey = factors._replace(grey=torch.ones(12, dtype=torch.bool))
    expected = kornia.color.rgb_to_grayscale(expected).expand_as(images)
    torch.testing.assert_close(recolour(images, *colour_maps(grey)), expected, **CLOSE)


@pytest.mark.parametrize("turns", [1 / 3, -1 / 3, 0.0])
def test_hue_meets_hsv_at_every_third_of_a_turn(turns):
    images = pictures(4, 16)
    factors = jitter(4, 0.0, hue=turns)
    found = recolour(images, *colour_maps(factors))
    expected = adjust_hue(images, torch.tensor(2 * math.pi * turns))
    torch.testing.assert_close(found, expected, **CLOSE)
    shift = round(3 * turns)
    torch.testing.assert_close(found, images.roll(shift, 1), **CLOSE)


def test_hue_is_nearer_to_hsv_than_no_hue_and_keeps_mean_and_grey():
    images = pictures(64, 8)
    for turns in (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2):
        found = recolour(images, *colour_maps(jitter(64, 0.0, hue=turns)))
        expected = adjust_hue(images, torch.tensor(2 * math.pi * turns))
        assert (found.clamp(0, 1) - expected).abs().mean() < (images - expected).abs().mean()
        torch.testing.assert_close(found.mean(1), images.mean(1), **CLOSE)
    grey = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(
        recolour(grey, *colour_maps(jitter(64, 0.0, hue=0.2))), grey, **CLOSE
    )


def test_orders_come_out_as_often_as_in_random_permutations():
    """Each of the six orders of hue, saturation, contrast stands for a sixth of the draws."""
    draws = (torch.arange(6) + 0.5) / 6
    counted = sorted(zip(*(flags.tolist() for flags in orders(draws)), strict=True))
    names = ("hue", "saturation", "contrast")
    listed = sorted(
        (p.index("hue") < p.index("saturation"), p.index("hue") < p.index("contrast"))
        for p in itertools.permutations(names)
    )
    assert counted == listed


@pytest.mark.parametrize(("size", "kernel"), [(32, 3), (32, 5), (96, 9), (8, 3)])
def test_blur(size, kernel):
    images = pictures(10, size)
    sigma = torch.linspace(0.1, 2.0, 10)
    expected = kornia.filters.gaussian_blur2d(
        images, (kernel, kernel), sigma.unsqueeze(-1).repeat(1, 2), border_type="reflect"
    )
    torch.testing.assert_close(blur(images, gaussian_taps(sigma, kernel)), expected, **CLOSE)


def test_blur_refuses_a_kernel_wider_than_the_mirror_reaches():
    with pytest.raises(ValueError, match="kernel: got 17; allowed for 8 pixels: 15"):
        blur(pictures(1, 8), gaussian_taps(torch.ones(1), 17))


def test_solarise():
    images = pictures(6, 16)
    chosen = torch.tensor([True, False] * 3)
    found = solarise(images, chosen)
    torch.testing.assert_close(found[0::2], kornia.enhance.solarize(images[0::2], 0.5))
    assert torch.equal(found[1::2], images[1::2])


def test_crop_boxes_follow_the_published_rejection_rule():
    """One box at a time, by the rule in words, from the same draws."""
    size, scale, ratio, count = 32, (0.08, 1.0), (3 / 4, 4 / 3), 400
    draws = torch.rand(count, CROP_DRAWS, generator=torch.Generator().manual_seed(3))
    boxes = crop_boxes(draws, size, scale, ratio).tolist()
    for u, box in zip(draws.tolist(), boxes, strict=True):
        width = height = size
        for share, shape in zip(u[:10], u[10:20], strict=True):
            area = size**2 * (scale[0] + (scale[1] - scale[0]) * share)
            aspect = math.exp(
                math.log(ratio[0]) + shape * (math.log(ratio[1]) - math.log(ratio[0]))
            )
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= size and 0 < h <= size:
                width, height = w, h
                break
        left, top = (
            math.floor(v * (size - n + 1)) for v, n in zip(u[20:], (width, height), strict=True)
        )
        assert box == [left, top, width, height]


def test_crops_stay_inside_and_reach_everywhere():
    draws = torch.rand(20000, CROP_DRAWS, generator=torch.Generator().manual_seed(4))
    boxes = crop_boxes(draws, 8, (0.08, 1.0), (3 / 4, 4 / 3))
    left, top, width, height = boxes.unbind(1)
    assert left.min() == top.min() == 0
    assert (left + width).max() == (top + height).max() == 8
    assert width.min() >= 1
    assert set(width.tolist()) >= {2.0, 4.0, 6.0, 8.0}
    edge = crop_boxes(torch.ones(1, CROP_DRAWS) - 2**-24, 8, (0.5, 1.0), (1.0, 1.0))
    assert (edge[:, :2] + edge[:, 2:] <= 8).all()
    whole_image = crop_boxes(draws[:50], 8, (1.0, 1.0), (2.0, 2.0))
    assert whole_image.tolist() == [[0, 0, 8, 8]] * 50


@pytest.mark.parametrize("size", [8, 33, 96])
def test_rows_of_a_crop_are_those_of_the_sample(size):
    torch.manual_seed(size)
    images = pictures(24, size)
    boxes = crop_boxes(torch.rand(24, CROP_DRAWS), size, (0.05, 1.0), (0.5, 2.0))
    flip = torch.arange(24) % 3 == 0
    left, top, width, height = boxes.unbind(1)
    tall = torch.stack([0 * left, top, 0 * left + size, height], 1)  # whole along the other axis
    found = mix_rows(images, crop_rows(top, height, size))
    torch.testing.assert_close(found, resample(images, tall), **CLOSE)
    wide = torch.stack([left, 0 * left, width, 0 * left + size], 1)
    found = turned(mix_rows(turned(images), crop_rows(left, width, size, flip)))
    torch.testing.assert_close(found, resample(images, wide, flip), **CLOSE)


@pytest.mark.parametrize(("size", "kernel"), [(5, 9), (32, 3), (96, 9)])
def test_rows_of_a_blur_are_those_of_the_convolution(size, kernel):
    images, taps = pictures(6, size), gaussian_taps(torch.linspace(0.1, 2.0, 6), kernel)
    rows = blur_rows(taps, size)
    torch.testing.assert_close(rows.weights.sum(-1), torch.ones(6, size), **CLOSE)
    found = turned(mix_rows(turned(mix_rows(images, rows)), rows))
    torch.testing.assert_close(found, blur(images, taps), **CLOSE)
    with pytest.raises(ValueError, match="kernel: got 11; allowed for 5 pixels: 9"):
        blur_rows(gaussian_taps(torch.ones(1), 11), 5)
