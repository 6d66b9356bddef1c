"""Which images a run trains on and is judged by: splits, unlabelled images, sizes, draws."""

import pytest
import torch

from ssl_dynamics.data.images import ImageSet
from ssl_dynamics.training.images import ImageConfig, run_images, sets

SIZES = {"train": 20, "unlabeled": 30, "test": 10}


@pytest.fixture
def stl10(monkeypatch):
    """STL-10 in small: every image is filled with a number of its own."""

    def load(name, split):
        count, first = SIZES[split], {"train": 0, "unlabeled": 100, "test": 200}[split]
        fill = torch.arange(first, first + count, dtype=torch.uint8).view(-1, 1, 1, 1)
        labels = torch.full((count,), -1) if split == "unlabeled" else torch.arange(count) % 10
        files = {f"{split}_X.bin": f"md5:{first}"}
        return ImageSet(name, split, fill.expand(-1, 3, 96, 96), labels, checksums=files)

    monkeypatch.setattr(sets, "load_images", load)


def config(method="simclr", **changes):
    return ImageConfig(dataset="stl10", method=method, batch=8, **changes)


@pytest.mark.parametrize(("method", "count"), [("simclr", 50), ("byol", 50), ("supervised", 20)])
def test_unlabelled_images_are_trained_on_where_no_labels_are_needed(stl10, method, count):
    found = run_images(config(method))
    assert len(found.train) == len(found.train_labels) == count
    assert (found.train_labels >= 0).all() == (method == "supervised")
    assert found.train[:, 0, 0, 0].unique().numel() == count
    assert found.train.max() < 200  # no test image


def test_bank_and_test_are_labelled_and_apart(stl10):
    found = run_images(config())
    assert (len(found.bank.labels), len(found.test.labels)) == (20, 10)
    assert found.bank.images.max() < 20
    assert found.test.images.min() >= 200
    for part in (found.bank, found.test):
        assert (part.labels == part.images[:, 0, 0, 0] % 10).all()


def test_draws_of_subsets_are_fixed_and_nested(stl10):
    few, more = (run_images(config(images=n, neighbours=5, bank=n // 2)) for n in (12, 24))
    assert torch.equal(few.train, more.train[:12])
    assert torch.equal(few.bank.images, more.bank.images[:6])
    assert torch.equal(few.train, run_images(config(images=12, neighbours=5, bank=6)).train)
    with pytest.raises(ValueError, match="images: got 51; allowed: at most 50"):
        run_images(config(images=51))


def test_checksums_of_all_files_that_were_read_go_along(stl10):
    expected = {"stl10/train_X.bin": "md5:0", "stl10/test_X.bin": "md5:200"}
    assert run_images(config("supervised")).checksums == expected
    assert run_images(config()).checksums == expected | {"stl10/unlabeled_X.bin": "md5:100"}
