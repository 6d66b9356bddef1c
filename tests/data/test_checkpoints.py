"""BatchNorm parameters out of files: both ways of naming, both formats, and nothing unpickled."""

import json

import numpy as np
import pytest
import torch

from ssl_dynamics.data.checkpoints import norm_layers

OFFSETS = np.array([-1.0, 0.5, 0.0], np.float32)
GAINS = np.array([2.0, -1.0, 0.25], np.float32)


def state_dict():
    """A convolution with a bias, a BatchNorm, and one without gains, named as PyTorch does."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3, affine=False)
    )
    with torch.no_grad():
        net[1].bias.copy_(torch.from_numpy(OFFSETS))
        net[1].weight.copy_(torch.from_numpy(GAINS))
    return {name: value.numpy() for name, value in net.state_dict().items()}


def safetensors(arrays):
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, values in arrays.items():
        kind = {"float32": "F32", "int64": "I64"}[str(values.dtype)]
        begin, content = len(content), content + values.tobytes()
        header[name] = {
            "dtype": kind, "shape": list(values.shape), "data_offsets": [begin, len(content)]
        }  # fmt: skip
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


def test_a_state_dict_is_one_network_with_its_batchnorm_layers(tmp_path):
    np.savez(tmp_path / "mine.npz", **state_dict())
    (tmp_path / "mine2.safetensors").write_bytes(safetensors(state_dict()))
    one, two = norm_layers([tmp_path], consumer="relu")
    assert (one.network, one.layer, one.consumer) == ("mine", "1", "relu")
    assert two.network == "mine2"
    for layer in (one, two):
        np.testing.assert_array_equal(layer.offset, OFFSETS)
        np.testing.assert_array_equal(layer.gain, GAINS)


def test_a_collection_names_networks_and_consumers_and_may_lack_gains(tmp_path):
    np.savez(
        tmp_path / "all.npz",
        **{"a|x|beta": OFFSETS, "a|x|gamma": GAINS, "b|y.1|beta": OFFSETS},
        consumers_json=np.array(json.dumps({"a|x": "relu6"})),
    )
    first, second = norm_layers([tmp_path / "all.npz"])
    assert (first.network, first.layer, first.consumer) == ("a", "x", "relu6")
    assert (second.network, second.layer, second.consumer) == ("b", "y.1", "unknown")
    np.testing.assert_array_equal(second.gain, np.ones(3))


def test_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "bad.npz", **{"a|x|beta": np.array([{"x": 1}], dtype=object)})
    with pytest.raises(ValueError, match="plain arrays"):
        norm_layers([tmp_path / "bad.npz"])
    torch.save({}, tmp_path / "bad.pt")
    with pytest.raises(ValueError, match=r"allowed: \.npz, \.safetensors"):
        norm_layers([tmp_path / "bad.pt"])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"conv.weight": OFFSETS}, "no BatchNorm layer"),
        ({"a|x|beta": OFFSETS, "a|x|gamma": GAINS[:2]}, "one finite number a channel"),
        ({"a|x|beta": OFFSETS * np.nan}, "one finite number a channel"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, arrays, said):
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        norm_layers([tmp_path / "odd.npz"])


def test_missing_files_and_empty_folders_are_named(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        norm_layers([tmp_path / "none.npz"])
    with pytest.raises(ValueError, match=r"no \.npz"):
        norm_layers([tmp_path])
