"""Image sets read from files in the official formats, only smaller."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from ssl_dynamics.data.digits import digits
from ssl_dynamics.data.images import ARCHIVES, SPLITS, DataError, ImageSet, load_images

COUNTS = {"train": 40, "test": 20, "unlabeled": 30}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def shrunk(monkeypatch):
    """The table of archives with fewer images a file, in the same layout."""

    def shrink(name, files):
        monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], files=files))

    shrink("cifar10", dict.fromkeys(ARCHIVES["cifar10"].files, 8 * 3073))
    shrink("cifar100", {f"{s}.bin": COUNTS[s] * 3074 for s in ("train", "test")})
    stl = {f"{s}_X.bin": n * 27648 for s, n in COUNTS.items()}
    shrink("stl10", stl | {"train_y.bin": 40, "test_y.bin": 20})


def cifar_file(path, rng, count, *ranges):
    """Write records byte by byte as the format's page says; returns images and labels."""
    images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
    labels = np.stack([rng.integers(0, n, count) for n in ranges], 1)
    with path.open("wb") as file:
        for image, label in zip(images, labels, strict=True):
            file.write(bytes(label.tolist()))
            for channel in range(3):
                for row in range(32):
                    file.write(image[row, :, channel].tobytes())
    return images.transpose(0, 3, 1, 2), labels


def test_cifar100(shrunk, rng, tmp_path):
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    images, labels = cifar_file(folder / "train.bin", rng, 40, 20, 100)
    (folder / "fine_label_names.txt").write_text("apple\nbear\n\n")
    (folder / "coarse_label_names.txt").write_text("fruit\nbeast\n")
    found = load_images("cifar100", "train", tmp_path)
    assert found.images.dtype == torch.uint8
    assert found.images.is_contiguous()
    assert np.array_equal(found.images, images)
    assert found.labels.dtype == found.coarse.dtype == torch.int64
    assert np.array_equal(found.coarse, labels[:, 0])
    assert np.array_equal(found.labels, labels[:, 1])
    assert (found.classes, found.coarse_classes) == (("apple", "bear"), ("fruit", "beast"))
    md5 = hashlib.md5((folder / "train.bin").read_bytes()).hexdigest()
    assert found.checksums == {"train.bin": f"md5:{md5}"}
    assert (len(found), found.image_size) == (40, 32)


def test_cifar10(shrunk, rng, tmp_path):
    parts = [cifar_file(tmp_path / f"data_batch_{i}.bin", rng, 8, 10) for i in range(1, 6)]
    test, labels = cifar_file(tmp_path / "test_batch.bin", rng, 8, 10)
    found = load_images("cifar10", "train", tmp_path)
    assert np.array_equal(found.images, np.concatenate([x for x, _ in parts]))
    assert np.array_equal(found.labels, np.concatenate([y[:, 0] for _, y in parts]))
    assert found.coarse is found.classes is None
    found = load_images("cifar10", "test", tmp_path)
    assert np.array_equal(found.images, test)
    assert np.array_equal(found.labels, labels[:, 0])


def test_stl10(shrunk, rng, tmp_path, monkeypatch):
    """Planes lie column after column, and labels count from one."""
    monkeypatch.setenv("SSL_DYNAMICS_DATA", str(tmp_path))
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    images = rng.integers(0, 256, (40, 3, 96, 96), np.uint8)
    with (folder / "train_X.bin").open("wb") as file:
        for image in images:
            for plane in image:
                for column in range(96):
                    file.write(plane[:, column].tobytes())
    labels = rng.integers(1, 11, 40)
    (folder / "train_y.bin").write_bytes(bytes(labels.tolist()))
    (folder / "class_names.txt").write_text("airplane\nbird\n")
    found = load_images("stl10", "train")
    assert np.array_equal(found.images, images)
    assert np.array_equal(found.labels, labels - 1)
    assert found.classes == ("airplane", "bird")
    (folder / "unlabeled_X.bin").write_bytes(images[:30].tobytes())
    found = load_images("stl10", "unlabeled")
    assert np.array_equal(found.images, images[:30].swapaxes(-1, -2))
    assert found.labels.tolist() == [-1] * 30


def test_digits_need_no_files():
    for split in SPLITS["digits"]:
        found = load_images("digits", split)
        assert found.images.shape[1:] == (3, 8, 8)
        assert (found.images[:, :1] == found.images).all()
        assert (found.images.min(), found.images.max()) == (0, 255)
        flat = getattr(digits(), split)
        scaled = found.images[:, 0].flatten(1).double()
        correlation = torch.corrcoef(torch.stack([flat.flatten(), scaled.flatten()]))[0, 1]
        assert correlation > 0.99999
        assert torch.equal(found.labels, getattr(digits(), f"{split}_labels"))
        assert found.checksums == {}


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("cifar100", "train.bin", [0, 0], "labels from 0 to 99, found label 100 in record 17"),
        ("cifar100", "train.bin", [20, 0], "labels from 0 to 19, found label 20 in record 17"),
        ("cifar10", "test_batch.bin", None, "labels from 0 to 9, found label 100 in record 5"),
        ("stl10", "test_y.bin", None, "labels from 1 to 10, found label 0 in record 3"),
    ],
)
def test_labels_out_of_range(shrunk, rng, tmp_path, name, file, content, message):
    folder = tmp_path / ARCHIVES[name].folder
    folder.mkdir()
    raw = np.ones(ARCHIVES[name].files[file], np.uint8)
    if name == "cifar100":
        raw.reshape(-1, 3074)[17, :2] = content if content[0] else [0, 100]
    elif name == "cifar10":
        raw.reshape(-1, 3073)[5, 0] = 100
    else:
        raw[3] = 0
        (folder / "test_X.bin").write_bytes(bytes(ARCHIVES[name].files["test_X.bin"]))
    raw.tofile(folder / file)
    with pytest.raises(DataError, match=message) as caught:
        load_images(name, "train" if file == "train.bin" else "test", tmp_path)
    assert caught.value.file == folder / file
    assert "delete it and unpack the archive again" in str(caught.value)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="dataset: got 'mnist'; allowed: cifar10, cifar100, stl10"):
        load_images("mnist")
    with pytest.raises(ValueError, match="split of cifar10: got 'unlabeled'; allowed: train, test"):
        load_images("cifar10", "unlabeled")


def test_moved_to_a_device():
    found = load_images("digits").to("cpu")
    assert isinstance(found, ImageSet)
    assert found.images.device.type == "cpu"
    meta = load_images("digits").to("meta")
    assert meta.images.is_meta
    assert meta.labels.is_meta
