"""The pictures in memory are the pictures on disk, and augmentation only moves and mirrors them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from explorer.training import data
from explorer.training.data import DataError
from tests.full_disk import fill, names


def test_folder_becomes_one_tensor_with_classes_in_alphabetical_order(tiny_folder: Path):
    loaded = data.load(tiny_folder, "train", cache=None)
    assert loaded.classes == ("dark", "light")
    assert loaded.images.shape == (40, 3, 32, 32)
    assert loaded.images.dtype == torch.uint8
    assert loaded.labels.tolist() == [0] * 20 + [1] * 20
    on_disk = np.asarray(Image.open(tiny_folder / "train" / "light" / "003.png"))
    assert np.array_equal(loaded.images[23].permute(1, 2, 0).numpy(), on_disk)


def test_cache_is_used_and_a_changed_folder_is_decoded_anew(tmp_path: Path):
    picture = tmp_path / "set" / "train" / "one" / "a.png"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (4, 4), (10, 20, 30)).save(picture)
    cache = tmp_path / "cache"
    first = data.load(tmp_path / "set", "train", cache)
    assert len(list(cache.glob("*.npz"))) == 1
    assert torch.equal(data.load(tmp_path / "set", "train", cache).images, first.images)
    Image.effect_noise((4, 4), 80).save(picture)
    assert not torch.equal(data.load(tmp_path / "set", "train", cache).images, first.images)


def test_a_spoilt_cache_is_decoded_anew(tiny_folder: Path, tmp_path: Path):
    first = data.load(tiny_folder, "test", tmp_path).images
    (kept,) = tmp_path.glob("*.npz")
    whole = kept.read_bytes()
    for array in (np.zeros(first.shape), np.zeros((2, 3, 32, 32), np.uint8), np.zeros(3, np.uint8)):
        np.savez(kept, images=array)
        assert torch.equal(data.load(tiny_folder, "test", tmp_path).images, first)
    for content in (b"not an archive", whole[: len(whole) // 2], b""):
        kept.write_bytes(content)
        assert torch.equal(data.load(tiny_folder, "test", tmp_path).images, first)


def test_statistics_equal_numpy_s(tiny_folder: Path):
    loaded = data.load(tiny_folder, "train", cache=None)
    pixels = loaded.images.numpy() / 255
    mean, std = loaded.channel_statistics()
    assert mean == pytest.approx(pixels.mean((0, 2, 3)), abs=1e-4)
    assert std == pytest.approx(pixels.std((0, 2, 3)), abs=1e-4)
    normalised = data.normalise(loaded.images, mean, std)
    assert normalised.mean().item() == pytest.approx(0, abs=2e-3)
    assert normalised.std().item() == pytest.approx(1, abs=2e-3)


def test_a_crop_is_a_window_of_the_padded_picture_or_its_mirror_image():
    images = torch.randint(0, 256, (64, 3, 8, 8), dtype=torch.uint8)
    cropped = data.crop_and_flip(images, 6, 1, torch.Generator().manual_seed(3))
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    windows = padded.unfold(2, 6, 1).unfold(3, 6, 1)  # [64, 3, 5, 5, 6, 6]
    straight, mirrored, places = 0, 0, set()
    for index, crop in enumerate(cropped):
        for flipped, candidate in ((False, crop), (True, crop.flip(2))):
            same = (windows[index] == candidate[:, None, None]).flatten(3).all(3).all(0).nonzero()
            if len(same):
                straight, mirrored = straight + (not flipped), mirrored + flipped
                places.add(tuple(same[0].tolist()))
    assert straight + mirrored == 64
    assert min(straight, mirrored) > 16
    assert len(places) > 15  # of 5 x 5


def test_an_epoch_shows_each_picture_at_most_once():
    images = torch.arange(50, dtype=torch.uint8)[:, None, None, None].expand(50, 3, 4, 4)
    pictures = data.ImageSet(images, torch.arange(50), ("one",), "made here")
    batches = list(data.training_batches(pictures, 16, 4, 0, torch.Generator().manual_seed(0)))
    assert [len(labels) for _, labels in batches] == [16, 16, 16]
    seen = torch.cat([labels for _, labels in batches])
    assert len(set(seen.tolist())) == 48
    shown = torch.cat([pixels[:, 0, 0, 0] for pixels, _ in batches])
    assert torch.equal(shown.long(), seen)


def _batch(folder: Path, pixel: int) -> None:
    folder.mkdir()
    values = np.zeros((1, 3, 32, 32), np.uint8)
    values[0, 2, 5, 7] = pixel
    (folder / "test_batch").write_bytes(pickle.dumps({"data": values.reshape(1, 3072), "labels": [1]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["cat", "dog"]}))


def test_torchvision_s_cifar10_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _batch(tmp_path / data.CIFAR10_FOLDER, 200)
    monkeypatch.setattr(CIFAR10, "train_list", [])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", None]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": None})
    loaded = data.load(tmp_path, "test", cache=None)
    assert loaded.images.shape == (1, 3, 32, 32)
    assert loaded.images.nonzero().tolist() == [[0, 2, 5, 7]]
    assert loaded.images.max() == 200
    assert (loaded.labels.tolist(), loaded.classes) == ([1], ("cat", "dog"))


def test_a_tampered_cifar10_is_refused_in_one_sentence(tmp_path: Path):
    _batch(tmp_path / data.CIFAR10_FOLDER, 200)
    with pytest.raises(DataError, match="torchvision cannot read CIFAR-10 under"):
        data.load(tmp_path, "test", cache=None)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda root: None, "holds neither train/CLASS"),
        (lambda root: (root / "train" / "cat").mkdir(parents=True), "holds no pictures"),
        (lambda root: _write(root / "train/cat/a.jpg", b"text"), r"a\.jpg cannot be read as a picture"),
    ],
)
def test_an_unusable_folder_is_named(tmp_path: Path, make, sentence: str):
    make(tmp_path)
    with pytest.raises(DataError, match=sentence):
        data.load(tmp_path, "train", cache=None)


def test_a_class_without_pictures_is_named(tmp_path: Path):
    for name in ("cat", "dog"):
        (tmp_path / "train" / name).mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(tmp_path / "train" / "cat" / "a.png")
    with pytest.raises(DataError, match=r"train/dog holds no pictures.* or remove the folder"):
        data.load(tmp_path, "train", cache=None)


def test_a_cache_that_cannot_be_written_is_said_and_the_pictures_are_there(
    tiny_folder: Path, full_disk: Path, caplog: pytest.LogCaptureFixture
):
    fill(full_disk, left=8192)
    assert len(data.load(tiny_folder, "train", full_disk / "cache")) == 40
    assert "npz cannot be written: No space left on device" in caplog.text
    assert names(full_disk) == set()


def test_pictures_of_two_sizes_are_refused(tmp_path: Path):
    folder = tmp_path / "train" / "cat"
    folder.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(folder / "a.png")
    Image.new("RGB", (32, 31)).save(folder / "b.png")
    with pytest.raises(DataError, match=r"b\.png is 32 x 31, the set is 32 x 32"):
        data.load(tmp_path, "train", cache=None)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
