"""The published data sets, in torchvision's own file formats, from a server on this machine or from none."""

import gzip
import hashlib
import pickle
import tarfile

import numpy as np
import pytest
from torchvision import datasets

from resnet_viz.data import downloads, fetching
from resnet_viz.data.sources import load
from resnet_viz.problems import Problem

from ..local_server import serving


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty data folder, no packaged data sets, and no waiting."""
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(downloads, "PACKAGED_FASHION", ())
    monkeypatch.setattr(fetching, "CONNECT_S", 2.0)
    return tmp_path / "data"


@pytest.fixture
def server(tmp_path):
    """A server of the folder `served`; its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as address:
        yield address


def md5(path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def cifar(tmp_path, monkeypatch, server):
    """CIFAR-10 with 5 x 4 + 4 random pictures, packed as the original is. torchvision's checks stay in force: only
    the sums it expects are those of these files."""
    folder, random = tmp_path / "cifar-10-batches-py", np.random.default_rng(0)
    folder.mkdir()
    names = [name for name, _ in datasets.CIFAR10.train_list + datasets.CIFAR10.test_list]
    batches = {name: {"data": random.integers(0, 256, (4, 3072), dtype=np.uint8),
                      "labels": random.integers(0, 10, 4).tolist()} for name in names}
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    for name, content in {**batches, "batches.meta": {"label_names": classes}}.items():
        (folder / name).write_bytes(pickle.dumps(content))
    archive = tmp_path / "served" / datasets.CIFAR10.filename
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, folder.name)
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(datasets.CIFAR10, part,
                            [[name, md5(folder / name)] for name, _ in getattr(datasets.CIFAR10, part)])
    monkeypatch.setattr(datasets.CIFAR10, "meta", datasets.CIFAR10.meta | {"md5": md5(folder / "batches.meta")})
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(archive))
    monkeypatch.setattr(datasets.CIFAR10, "url", server + archive.name)
    return batches, archive


def test_cifar_is_downloaded_once_and_read_as_torchvision_reads_it(data, cifar, monkeypatch):
    batches, archive = cifar
    calls = []
    assert not downloads.is_here("cifar10")
    train = load("cifar10", "train", lambda *call: calls.append(call))
    assert train.images.shape == (20, 3, 32, 32) and train.heads == (10,) and train.classes[1] == "automobile"
    wanted = np.concatenate([batches[f"data_batch_{k}"]["data"] for k in range(1, 6)]).reshape(-1, 3, 32, 32)
    assert np.array_equal(train.images, wanted)
    assert train.labels[:, 0].tolist() == sum((batches[f"data_batch_{k}"]["labels"] for k in range(1, 6)), [])
    size = archive.stat().st_size
    assert any(done == total == size and text.startswith("downloading cifar10") for done, total, text in calls)
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/")     # nobody answers any more
    assert np.array_equal(load("cifar10", "test").images.flatten(1), batches["test_batch"]["data"])
    assert not list(data.glob("*.part")) and downloads.is_here("cifar10")


def test_an_archive_put_there_by_hand_is_taken(data, cifar, monkeypatch):
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/")
    data.mkdir()
    (data / datasets.CIFAR10.filename).write_bytes(cifar[1].read_bytes())
    assert len(load("cifar10", "test").images) == 4


@pytest.mark.parametrize("path, words", [
    (":9/x", "refused"), ("x.silent", "no answer in"), ("x.torn", "broke off"), ("no-such-file", "File not found")])
def test_without_an_answer_one_sentence_says_what_to_do(data, cifar, server, monkeypatch, path, words):
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/x" if path == ":9/x" else server + path)
    monkeypatch.setattr(fetching, "CONNECT_S", 0.5)
    with pytest.raises(Problem) as caught:
        load("cifar10", "train")            # the silent server would close after 20 s, with other words
    sentence = str(caught.value)
    assert sentence.startswith("cifar10 could not be downloaded (127.0.0.1: ") and words in sentence
    assert f"put cifar-10-python.tar.gz into {data}/" in sentence and "shapes, glyphs or digits" in sentence
    assert list(data.iterdir()) == []


def test_a_wrong_checksum_is_told_and_the_file_not_kept(data, cifar):
    cifar[1].write_bytes(cifar[1].read_bytes() + b"x")
    with pytest.raises(Problem, match="wrong checksum"):
        load("cifar10", "train")
    assert list(data.iterdir()) == []


def test_a_data_folder_that_cannot_be_made(data, cifar):
    data.write_bytes(b"in the way")
    with pytest.raises(Problem, match="cannot be written.*RESNET_VIZ_DATA"):
        load("cifar10", "train")


# ---------------------------------------------------------------- MNIST and Fashion-MNIST

def write_idx(folder) -> dict[str, np.ndarray]:
    """The four gzipped IDX files with 30 and 10 random pictures, as their publishers describe the format."""
    folder.mkdir(parents=True, exist_ok=True)
    random, arrays = np.random.default_rng(0), {}
    for stem, count in (("train", 30), ("t10k", 10)):
        arrays[stem] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[stem + " labels"] = random.permutation(np.arange(count, dtype=np.uint8) % 10)
        for kind, array in (("images-idx3", arrays[stem]), ("labels-idx1", arrays[stem + " labels"])):
            header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes()
            (folder / f"{stem}-{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return arrays


@pytest.mark.parametrize("name, reader", [("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST)])
def test_mnist_comes_from_the_second_mirror_if_the_first_is_down(data, server, tmp_path, monkeypatch, name, reader):
    arrays = write_idx(tmp_path / "served")
    assert not downloads.is_here(name)
    monkeypatch.setattr(reader, "mirrors", ["http://127.0.0.1:9/", server])
    monkeypatch.setattr(reader, "resources", [(file, md5(tmp_path / "served" / file)) for file, _ in reader.resources])
    for split, stem in (("train", "train"), ("test", "t10k")):
        read = load(name, split)
        assert np.array_equal(read.images[:, 0], arrays[stem]) and read.heads == (10,)
        assert np.array_equal(read.labels[:, 0], arrays[stem + " labels"])
    assert read.classes == (tuple("0123456789") if name == "mnist" else tuple(datasets.FashionMNIST.classes))
    assert downloads.is_here(name)
    torn = data / reader.__name__ / "raw" / "t10k-images-idx3-ubyte"
    torn.write_bytes(torn.read_bytes()[:500])
    with pytest.raises(Problem, match="damaged; delete that folder"):
        load(name, "test")


def test_fashion_mnist_comes_from_the_distributions_package(data, tmp_path, monkeypatch):
    folder = tmp_path / "package"
    arrays = write_idx(folder)
    monkeypatch.setattr(downloads, "PACKAGED_FASHION", (tmp_path / "absent", folder))
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert downloads.is_here("fashion-mnist")
    read = load("fashion-mnist", "test")
    assert np.array_equal(read.images[:, 0], arrays["t10k"]) and read.classes[0] == "T-shirt/top"
    assert np.array_equal(read.labels[:, 0], arrays["t10k labels"]) and not data.exists()
    file = folder / "train-images-idx3-ubyte.gz"
    for damaged in (file.read_bytes()[:-200], gzip.compress(b"hello"), b"hello"):
        file.write_bytes(damaged)
        with pytest.raises(Problem, match="train-images-idx3-ubyte.gz is missing or damaged; install"):
            load("fashion-mnist", "train")


def test_fashion_mnist_offline_names_the_package_too(data, monkeypatch):
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(Problem, match=r"train-labels-idx1-ubyte.gz.*FashionMNIST/raw/.*dataset-fashion-mnist"):
        load("fashion-mnist", "train")
