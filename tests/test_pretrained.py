"""torchvision's published weights: named, described and prepared as torchvision does, from the cache or a server."""

import hashlib
import resource
import threading
from dataclasses import replace

import pytest
import torch
from PIL import Image
from torchvision import models

from resnet_viz import checkpoints, pretrained
from resnet_viz.data import examples, fetching
from resnet_viz.data.preprocessing import see
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from .local_server import serving

REFERENCE = "ResNet50_Weights.IMAGENET1K_V2"
CONTENT = b"weights" * 100_000


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty torch cache, moved there as a person would."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(fetching, "CONNECT_S", 2.0)
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def server(tmp_path):
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as address:
        yield address


@pytest.fixture
def published(tmp_path, cache, server, monkeypatch):
    """REFERENCE as if it had been published with a small file, whose name bears its own checksum, on the server."""
    file_name = f"resnet50-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    (tmp_path / "served" / file_name).write_bytes(CONTENT)
    entry = replace(pretrained.PRETRAINED()[REFERENCE], file_name=file_name, url=server + file_name)
    everything = pretrained.PRETRAINED() | {REFERENCE: entry}
    monkeypatch.setattr(pretrained, "PRETRAINED", lambda: everything)
    return entry


def elsewhere(monkeypatch, entry, url):
    """The same entry under another address."""
    everything = pretrained.PRETRAINED() | {entry.reference: replace(entry, url=url)}
    monkeypatch.setattr(pretrained, "PRETRAINED", lambda: everything)


# ---------------------------------------------------------------- what there is

def test_every_published_version_of_every_network_of_the_zoo_is_listed():
    """Against torchvision's builders: every one of its resnet.py, under its name with hyphens."""
    wanted = {str(weights) for name in models.resnet.__all__ if name.islower()
              for weights in models.get_model_weights(name) if name.replace("_", "-") in zoo.NETWORKS}
    assert set(pretrained.PRETRAINED()) == wanted and len(wanted) >= 8
    networks = {entry.network for entry in pretrained.PRETRAINED().values()}
    assert {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)} <= networks


def test_an_entry_says_what_torchvision_says():
    entry = pretrained.PRETRAINED()[REFERENCE]
    assert (entry.network, entry.version, entry.file_name) == ("resnet50", "IMAGENET1K_V2", "resnet50-11ad3fa6.pth")
    assert entry.url == models.ResNet50_Weights.IMAGENET1K_V2.url and entry.recipe.startswith("https://")
    assert entry.accuracy == 0.80858
    for other in pretrained.PRETRAINED().values():
        weights = models.get_weight(other.reference)
        assert other.url == weights.url and 0.6 < other.accuracy < 0.9
        floats = 4 * weights.meta["num_params"]  # some of the first versions are stored in half precision
        assert 0.5 * floats < other.size_bytes < 1.01 * floats
        assert pretrained.PUBLISHED.fullmatch(other.file_name)[1] == weights.url.split("-")[-1].removesuffix(".pth")


@pytest.mark.parametrize(("reference", "resize"), [
    ("ResNet50_Weights.IMAGENET1K_V1", 256), (REFERENCE, 232), ("ResNet18_Weights.IMAGENET1K_V1", 256)])
def test_a_picture_is_prepared_as_torchvision_prepares_it(reference, resize):
    weights = models.get_weight(reference)
    classes, preprocessing = pretrained.classes_and_preprocessing(pretrained.PRETRAINED()[reference])
    assert (preprocessing.size, preprocessing.resize) == (224, resize)
    assert list(classes) == weights.meta["categories"] and len(classes) == 1000 and classes[281] == "tabby"
    picture = Image.open(examples.find("cat").path).convert("RGB")
    torch.testing.assert_close(see(picture, preprocessing).tensor[0], weights.transforms()(picture), atol=1e-5, rtol=0)


# ---------------------------------------------------------------- from the cache

def test_what_lies_in_the_cache_is_taken_without_a_network(cache, published, monkeypatch):
    elsewhere(monkeypatch, published, "http://127.0.0.1:9/")
    entry = pretrained.PRETRAINED()[REFERENCE]
    assert pretrained.cached(entry) is None and pretrained.all_cached() == []
    cache.mkdir(parents=True)
    (cache / entry.file_name).write_bytes(CONTENT)
    assert pretrained.cached(entry) == cache / entry.file_name == pretrained.fetch(REFERENCE)
    assert pretrained.all_cached() == [entry]


def test_a_folder_set_by_torch_hub_is_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # set_dir has no way back
    torch.hub.set_dir(str(tmp_path / "mine"))
    assert pretrained.folder() == tmp_path / "mine" / "checkpoints"


@pytest.mark.parametrize("content", [CONTENT[:-100], b"", b"another" * 1000])
def test_a_damaged_file_in_the_cache_is_named_with_the_cure(cache, published, content):
    cache.mkdir(parents=True)
    (cache / published.file_name).write_bytes(content)
    with pytest.raises(Problem) as caught:
        pretrained.fetch(REFERENCE)
    assert str(caught.value).startswith(str(cache / published.file_name)) and "delete it" in str(caught.value)
    assert (cache / published.file_name).read_bytes() == content  # a person's file is not deleted for them


def test_a_file_is_known_by_its_name_in_the_cache_and_by_its_checksum_elsewhere(cache, published, tmp_path):
    cache.mkdir(parents=True)
    for folder, content, wanted in (
            (cache, CONTENT, published), (tmp_path, CONTENT, published), (tmp_path, b"x", None)):
        (folder / published.file_name).write_bytes(content)
        assert pretrained.of_file(folder / published.file_name) == wanted
    (cache / "resnet50-00000000.pth").write_bytes(CONTENT)
    assert pretrained.of_file(cache / "resnet50-00000000.pth") is None
    assert pretrained.of_file(cache / "best.safetensors") is None


# ---------------------------------------------------------------- from the network

def test_a_download_shows_how_far_it_is_and_is_kept(cache, published):
    calls = []
    path = pretrained.fetch(REFERENCE, lambda *call: calls.append(call))
    assert path == cache / published.file_name and path.read_bytes() == CONTENT
    assert calls[-1][:2] == (len(CONTENT), len(CONTENT))
    assert calls[-1][2].startswith(f"downloading {published.file_name}")
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls) and len(calls) > 1
    assert list(cache.iterdir()) == [path]


def test_a_download_can_be_stopped_and_leaves_nothing(cache, published):
    class Stopped(BaseException):
        pass

    def stop(done, total, text):
        raise Stopped

    with pytest.raises(Stopped):
        pretrained.fetch(REFERENCE, stop)
    assert list(cache.iterdir()) == []


def test_two_at_once_do_not_write_into_each_others_file(cache, published):
    both, got = threading.Barrier(2, timeout=20), []

    def one():
        waited = []
        got.append(pretrained.fetch(REFERENCE, lambda *call: waited or (waited.append(1), both.wait())))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [cache / published.file_name] * 2 and got[0].read_bytes() == CONTENT
    assert list(cache.iterdir()) == [got[0]]


@pytest.mark.parametrize("path, words", [
    (":9/x", "refused"), ("x.silent", "no answer in"), ("x.torn", "broke off"), ("no-such-file", "File not found")])
def test_with_neither_cache_nor_network_a_sentence_says_what_to_do(cache, published, server, monkeypatch, path, words):
    monkeypatch.setattr(fetching, "CONNECT_S", 0.5)
    elsewhere(monkeypatch, published, "http://127.0.0.1:9/x" if path == ":9/x" else server + path)
    with pytest.raises(Problem) as caught:
        pretrained.fetch(REFERENCE)
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.startswith(f"{REFERENCE} is not here and could not be downloaded (127.0.0.1: ")
    assert sentence.endswith(f"connect to the internet, or put {published.file_name} into {cache}/.")
    assert list(cache.iterdir()) == []


def test_a_wrong_checksum_is_told_and_the_file_not_kept(cache, published, tmp_path):
    (tmp_path / "served" / published.file_name).write_bytes(CONTENT + b"x")
    with pytest.raises(Problem, match="wrong checksum"):
        pretrained.fetch(REFERENCE)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written(cache, published, tmp_path):
    (tmp_path / "torch").write_bytes(b"in the way")
    with pytest.raises(Problem, match="cannot be written.*TORCH_HOME"):
        pretrained.fetch(REFERENCE)


def test_a_full_disk_is_said_and_nothing_left_on_it(cache, published):
    """The limit on the size of a file stands for a full disk: the kernel refuses the same write with another number."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, before[1]))
    try:
        with pytest.raises(Problem, match="cannot take the download .*make room"):
            pretrained.fetch(REFERENCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(cache.iterdir()) == []


def test_an_unknown_name_lists_the_known_ones(cache):
    with pytest.raises(Problem, match="Unknown pretrained weights.*ResNet18_Weights.IMAGENET1K_V1"):
        pretrained.fetch("ResNet50_Weights.IMAGENET1K_V3")


# ---------------------------------------------------------------- through a checkpoint

def test_the_same_answers_as_torchvision(cache, monkeypatch):
    """A ResNet-18 with drawn weights in the cache, under a published name: classes, transforms, logits."""
    torch.manual_seed(3)
    theirs, weights = models.resnet18(weights=None).eval(), models.ResNet18_Weights.IMAGENET1K_V1
    cache.mkdir(parents=True)
    torch.save(theirs.state_dict(), cache / "drawn.pth")
    digest = hashlib.sha256((cache / "drawn.pth").read_bytes()).hexdigest()
    entry = replace(pretrained.PRETRAINED()[str(weights)], file_name=f"resnet18-{digest[:8]}.pth")
    (cache / "drawn.pth").rename(cache / entry.file_name)
    everything = pretrained.PRETRAINED() | {entry.reference: entry}
    monkeypatch.setattr(pretrained, "PRETRAINED", lambda: everything)
    checkpoint = checkpoints.read(checkpoints.find(entry.reference))
    assert (checkpoint.network, checkpoint.name) == ("resnet18", entry.reference) and not checkpoint.notes
    assert list(checkpoint.classes) == weights.meta["categories"] and checkpoint.metrics["val_accuracy"] == 0.69758
    picture = Image.open(examples.find("cat").path).convert("RGB")
    with torch.inference_mode():
        ours = checkpoints.model(checkpoint)(see(picture, checkpoint.preprocessing).tensor)
        torch.testing.assert_close(ours, theirs(weights.transforms()(picture)[None]), atol=1e-4, rtol=1e-4)
