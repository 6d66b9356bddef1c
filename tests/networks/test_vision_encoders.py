"""Encoders of images: shapes, stages, weights of a seed, both normalisations, half precision."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d
from torch.utils.flop_counter import FlopCounterMode

from ssl_dynamics.networks.vision import ENCODER_NORMS, encoder, gridded, pooled
from ssl_dynamics.networks.vision.convolution import StandardisedConv2d

CASES = {"tiny": 8, "small": 32, "resnet18": 32, "res-2-12": 32}


def images(batch, size):
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(size))


def parameters_of(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("norm", ENCODER_NORMS)
@pytest.mark.parametrize("name", CASES)
def test_shapes_and_stages(name, norm):
    made = encoder(name, CASES[name], norm=norm).eval()
    x = images(2, CASES[name])
    with torch.no_grad():
        features, stages = made(x), made.stages(x)
    assert features.shape == (2, made.features)
    assert features.isfinite().all()
    assert list(stages)[-1] == "output"
    torch.testing.assert_close(stages["output"], features)
    assert all(value.dim() == 2 and len(value) == 2 for value in stages.values())


def test_stages_are_the_mean_maps_of_each_layer():
    made = encoder("small", 32).eval()
    seen = {}
    for name, stage in made.body.items():
        stage.register_forward_hook(lambda _m, _i, y, name=name: seen.update({name: y}))
    with torch.no_grad():
        stages = made.stages(images(2, 32))
    assert list(stages) == [*seen, "output"] == [f"layer{i}" for i in range(1, 5)] + ["output"]
    for name, maps in seen.items():
        torch.testing.assert_close(stages[name], maps.flatten(2).mean(-1))


def test_resnet18_is_the_published_network():
    """11,689,512 weights with the 1000-class classifier; the stem for small images has fewer."""
    large, small = encoder("resnet18", 96), encoder("resnet18", 32)
    assert parameters_of(large) + 512 * 1000 + 1000 == 11_689_512
    assert parameters_of(large) - parameters_of(small) == 64 * 3 * (49 - 9)
    for made, size, maps in ((large, 96, 3), (small, 32, 4)):
        with torch.no_grad():
            *_, (_, last) = made.eval().maps(images(1, size))
        assert last.shape == (1, 512, maps, maps)


def test_res_l_h_is_its_definition():
    """Weights counted by hand for L = 2, H = 12 at 32 px, and the shape of every stage."""
    blocks, h = 2, 12
    norm = 2 * h
    stem = 3 * h * 4 + norm + h * h * 4 + norm
    body = blocks * 2 * (h * h * 9 + norm)
    read = 512 * (h * 64 + 1)
    made = encoder(f"res-{blocks}-{h}", 32).eval()
    assert parameters_of(made) == stem + body + read
    with torch.no_grad():
        shapes = [tuple(maps.shape[1:]) for _, maps in made.maps(images(1, 32))]
    assert shapes == [(h, 8, 8)] * 3


@pytest.mark.parametrize(
    ("name", "low", "high"), [("small", 10e6, 20e6), ("tiny", 0.1e6, 1e6), ("resnet18", 1e9, 1.2e9)]
)
def test_operations_of_a_forward_pass(name, low, high):
    made = encoder(name, CASES[name]).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made(images(1, CASES[name]))
    assert low < counter.get_total_flops() < high


def test_weights_belong_to_the_seed_and_to_nothing_else():
    torch.manual_seed(1)
    first = encoder("small", 32, seed=3).state_dict()
    torch.manual_seed(2)
    again, other = encoder("small", 32, seed=3).state_dict(), encoder("small", 32, seed=4)
    assert all(torch.equal(first[key], again[key]) for key in first)
    weight = "body.layer2.0.0.weight"
    assert not torch.equal(first[weight], other.state_dict()[weight])
    outputs, _, *area = first[weight].shape
    expected = (2 / (outputs * area[0] * area[1])) ** 0.5
    assert first[weight].std().item() == pytest.approx(expected, rel=0.03)


def test_standardised_filters_against_a_loop():
    torch.manual_seed(0)
    layer = StandardisedConv2d(3, 5, 3, bias=False).double()
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    filters = torch.stack([(w - w.mean()) / (w - w.mean()).norm() for w in layer.weight])
    torch.testing.assert_close(layer(x), conv2d(x, filters), rtol=0, atol=1e-8)
    scaled = StandardisedConv2d(3, 5, 3, bias=False).double()
    with torch.no_grad():
        scaled.weight.copy_(7 * layer.weight + 2)
    torch.testing.assert_close(scaled(x), layer(x), rtol=0, atol=1e-8)


def test_group_norm_looks_at_one_image_and_batch_norm_does_not():
    x = images(4, 8)
    for norm, alone in (("group-ws", True), ("batch", False)):
        made = encoder("tiny", 8, norm=norm)
        together, single = made(x)[:1], made(x[:1])
        assert torch.allclose(together, single, atol=1e-5) == alone
        kinds = {type(m) for m in made.modules()}
        assert (nn.BatchNorm2d in kinds) != alone


def test_channels_last_and_bf16():
    made = encoder("small", 32)
    x = images(8, 32)
    expected = made(x)
    last = made.to(memory_format=torch.channels_last)
    x_last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(last(x_last), expected, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        half = last(x_last)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.05)
    norms = [m for m in last.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(m.running_var.dtype == torch.float32 for m in norms)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"encoder: got 'resnet19'; allowed: tiny, small, resnet1"):
        encoder("resnet19", 32)
    with pytest.raises(ValueError, match=r"norm: got 'layer'; allowed: batch, group-ws, none"):
        encoder("small", 32, norm="layer")
    with pytest.raises(ValueError, match=r"images: got \(2, 1, 8, 8\); allowed: \[B, 3, H, W\]"):
        encoder("tiny", 8)(torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match=r"image_size: got 2; allowed: at least 4"):
        encoder("tiny", 2)
    with pytest.raises(ValueError, match=r"image_size: got 30; allowed: multiples of 4"):
        encoder("res-1-8", 30)
    with pytest.raises(ValueError, match=r"L=0, H=8; allowed: positive"):
        encoder("res-0-8", 32)


def test_a_grid_gives_layers_of_all_widths_one_length():
    """Means over equal cells; one cell is the pooled map, one position a cell is the map."""
    maps = images(2, 8)
    assert torch.equal(gridded(maps, 3), pooled(maps))
    assert torch.equal(gridded(maps, 3 * 64), maps.flatten(1))
    quarter = gridded(maps, 3 * 8).unflatten(1, (3, 2, 4))
    torch.testing.assert_close(quarter[1, 2, 1, 3], maps[1, 2, 4:, 6:].mean())
    torch.testing.assert_close(quarter.mean((-2, -1)), pooled(maps))
    with pytest.raises(ValueError, match="numbers: got 16; allowed: 3 channels"):
        gridded(maps, 16)
    with pytest.raises(ValueError, match="equal cells of 8 x 8 positions"):
        gridded(maps, 9)
