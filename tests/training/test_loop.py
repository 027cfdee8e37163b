"""The loop against a plain one written here, and the run directory against its contract."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from resnet_viz import checkpoints, runs
from resnet_viz.data import sources
from resnet_viz.data.augmentation import batch_order
from resnet_viz.data.splits import split_validation
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from .conftest import TINY, train_here

PLAIN = dataclasses.replace(TINY, crop_padding=0, schedule="constant", epochs=1, momentum=0.0, nesterov=False, weight_decay=0.0,
                            val_fraction=0.2, train_limit=200, batch_size=32)


def rows(run, split):
    return [r for r in runs.read_lines(run / "metrics.jsonl") if r["split"] == split]


def plain_run(run, steps: int):
    """PLAIN written out by hand: (weights, losses, gradient norms, updates over weights) of its first steps."""
    data = sources.load("digits", "train")
    kept, _ = split_validation(data.labels[:, 0], PLAIN.val_fraction, PLAIN.train_limit, PLAIN.seed)
    mean, std = ((torch.tensor(v).view(1, -1, 1, 1)) for v in (lambda p: (p.mean, p.std))(checkpoints.read(run / "initial.safetensors").preprocessing))
    pictures = (data.images[kept].repeat(1, 3, 1, 1).float() / 255 - mean) / std
    labels = data.labels[kept, 0]
    model = zoo.build("resnet8")
    model.load_state_dict(load_file(run / "initial.safetensors"))
    losses, norms, ratios = [], [], []
    for samples in batch_order(PLAIN.seed, 0, len(kept)).split(PLAIN.batch_size)[:steps]:
        loss = F.cross_entropy(model(pictures[samples]), labels[samples])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        losses.append(loss.item())
        norms.append(gradients[0].norm().item())
        ratios.append((PLAIN.lr * gradients[0]).norm().item() / model.conv1.weight.norm().item())
        with torch.no_grad():
            for p, g in zip(model.parameters(), gradients):
                p -= PLAIN.lr * g
    return model, losses, norms, ratios


def test_the_loop_is_a_plain_loop(tmp_path):
    run = tmp_path / "run"
    train_here(PLAIN, run, stop_at=6)
    step = rows(run, "train")[-1]["step"]
    assert 6 <= step <= 7
    model, losses, norms, ratios = plain_run(run, step)
    for name, tensor in load_file(run / "last.safetensors").items():
        torch.testing.assert_close(tensor, model.state_dict()[name], rtol=1e-4, atol=1e-5)
    first, last = rows(run, "train")[0], rows(run, "train")[-1]
    assert first["step"] == 1 and first["loss"] == pytest.approx(losses[0], abs=1e-5)
    assert last["loss"] == pytest.approx(np.mean(losses[1:]), abs=1e-4), "the mean over the batches since the last row"
    row = runs.read_gradients(run)[0]
    assert row["step"] == 1
    assert row["norm"]["conv1"] == pytest.approx(norms[0], rel=1e-3)
    assert row["update_ratio"]["conv1"] == pytest.approx(ratios[0], rel=1e-2)


def test_files_of_a_finished_run(finished):
    config = runs.read_config(finished)
    total = 2 * 10  # 600 pictures in batches of 64
    status = runs.read_status(finished)
    assert runs.state(finished) == "finished" and status["step"] == status["total_steps"] == total and status["epoch"] == 2
    assert {"pid", "process_created", "host", "heartbeat", "device", "threads", "torch", "queue_position", "last_good_epoch"} <= set(status)
    assert 50e6 < status["memory_bytes"] < 50e9 and (status["gpu_memory_bytes"] is None or torch.cuda.is_available())
    assert config["device"] == "cpu" and config["threads"] == 1 and "/" not in json.dumps(config)
    train, val, test = (rows(finished, s) for s in ("train", "val", "test"))
    assert [r["step"] for r in train] == [1, 10, 20] and [r["images"] for r in train] == [64, 600, 1200]
    assert [(r["epoch"], r["step"]) for r in val] == [(1, 10), (2, 20)] and len(test) == 1
    assert set(train[0]) == {"split", *runs.COLUMNS}
    assert [r["elapsed_s"] for r in train] == sorted(r["elapsed_s"] for r in train)
    assert [s.step for s in runs.snapshots(finished)] == [0, 1, 2, 4, 8, 10, 20]
    assert [epoch for epoch, _ in runs.epoch_weights(finished)] == [1, 2]
    assert [g["step"] for g in runs.read_gradients(finished)] == [1, 10, 20]
    assert set(runs.read_gradients(finished)[0]["norm"]) == {n for n, m in zoo.build("resnet8").named_modules() if n == "fc" or ".conv" in n or n == "conv1"}
    assert not list(finished.rglob("*.tmp")) and len(list(finished.glob("*last*"))) == 1


def test_snapshots_hold_what_they_promise(finished):
    initial, last = (load_file(finished / f"{which}.safetensors") for which in ("initial", "last"))
    first, *_, newest = runs.snapshots(finished)
    for snapshot, weights in ((first, initial), (newest, last)):
        tensors = runs.read_snapshot(snapshot.path)
        assert set(tensors) == {"conv1.weight", "layer1.0.conv1.weight", "probabilities", "confusion"}
        np.testing.assert_allclose(tensors["conv1.weight"].astype(np.float32), weights["conv1.weight"].numpy(), atol=1e-3)
        np.testing.assert_allclose(tensors["probabilities"].sum(1), 1, atol=1e-5)
        assert tensors["probabilities"].shape == (10, 10) and tensors["confusion"].dtype == np.int64
    assert (first.epoch, newest.epoch, newest.images) == (0, 2, 1200)
    confusion, val = runs.read_snapshot(newest.path)["confusion"], rows(finished, "val")[-1]
    assert np.trace(confusion) / confusion.sum() == pytest.approx(val["accuracy"], abs=1e-5)


def test_the_test_row_is_the_best_weights_on_the_test_pictures(finished):
    checkpoint = checkpoints.read(finished / "best.safetensors")
    data = sources.fit(sources.load("digits", "test"), 3, 8)
    p = checkpoint.preprocessing
    pictures = (data.images.float() / 255 - torch.tensor(p.mean).view(1, -1, 1, 1)) / torch.tensor(p.std).view(1, -1, 1, 1)
    logits, labels = checkpoints.model(checkpoint)(pictures), data.labels[:, 0]
    test = rows(finished, "test")[0]
    assert test["accuracy"] == pytest.approx((logits.argmax(1) == labels).float().mean().item(), abs=1e-6)
    assert test["loss"] == pytest.approx(F.cross_entropy(logits, labels).item(), abs=1e-4)
    assert checkpoint.metrics["test_accuracy"] == pytest.approx(test["accuracy"], abs=1e-6)
    assert checkpoint.metrics["val_accuracy"] == pytest.approx(max(r["accuracy"] for r in rows(finished, "val")), abs=1e-6)
    assert checkpoint.classes == tuple("0123456789") and checkpoint.data == "digits" and checkpoint.run == finished


def weights_of(run):
    return load_file(run / "last.safetensors")


def same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.short(1)
@pytest.mark.parametrize("step", [7, 10, 13])  # in the first epoch, between two, in the second
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, finished, step):
    run = tmp_path / "run"
    assert train_here(TINY, run, stop_at=step) == "stopped"
    assert runs.state(run) == "stopped" and runs.read_status(run)["step"] == step
    assert train_here(TINY, run) == "finished"
    assert same(weights_of(run), weights_of(finished))
    assert [s.step for s in runs.snapshots(run)] == [s.step for s in runs.snapshots(finished)]
    assert [r["accuracy"] for r in rows(run, "val")] == [r["accuracy"] for r in rows(finished, "val")]


@pytest.mark.hard
def test_dropout_goes_on_bit_for_bit(tmp_path):
    config = dataclasses.replace(TINY, network="simple-cnn", optimizer="adam", lr=0.001, epochs=1, train_limit=200, batch_size=32)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_here(config, whole)
    train_here(config, parts, stop_at=3)
    train_here(config, parts)
    assert same(weights_of(whole), weights_of(parts))


def test_another_seed_is_another_run(tmp_path, finished):
    run = tmp_path / "run"
    train_here(dataclasses.replace(TINY, seed=1), run)
    assert not same(weights_of(run), weights_of(finished))


def test_without_validation_there_is_no_best(tmp_path):
    run = tmp_path / "run"
    train_here(dataclasses.replace(PLAIN, val_fraction=0.0), run)
    assert runs.weights_file(run, "best") is None and not rows(run, "val") and len(rows(run, "test")) == 1
    assert "confusion" not in runs.read_snapshot(runs.snapshots(run)[-1].path)
    assert checkpoints.read(checkpoints.find(str(run))).metrics["test_accuracy"] == pytest.approx(rows(run, "test")[0]["accuracy"], abs=1e-6)


def test_no_epoch_at_all_gives_the_initial_weights(tmp_path):
    run = tmp_path / "run"
    assert train_here(dataclasses.replace(PLAIN, epochs=0), run) == "finished"
    assert same(load_file(run / "initial.safetensors"), weights_of(run))


def test_a_loss_that_explodes_ends_with_a_sentence(tmp_path):
    with pytest.raises(Problem, match="learning rate .* too high"):
        train_here(dataclasses.replace(PLAIN, lr=1000.0, arguments={"norm": "none"}, epochs=5), tmp_path / "run")


def test_several_heads(tmp_path, monkeypatch):
    generator = torch.Generator().manual_seed(0)

    def load(name, split, progress=None, size=None):
        labels = torch.stack([torch.randint(0, n, (96,), generator=generator) for n in (5, 3)], dim=1)
        return sources.Pictures(torch.randint(0, 256, (96, 1, 8, 8), generator=generator, dtype=torch.uint8), labels,
                                tuple("abcdexyz"), (5, 3), "made")

    monkeypatch.setattr(sources, "load", load)
    run = tmp_path / "run"
    train_here(dataclasses.replace(PLAIN, arguments={"in_channels": 1}), run)
    checkpoint = checkpoints.read(checkpoints.find(str(run)))
    assert checkpoint.heads == (5, 3) and len(checkpoint.classes) == 8 and checkpoint.preprocessing.channels == 1
    assert runs.read_snapshot(runs.snapshots(run)[0].path)["confusion"].shape == (5, 5)
    assert rows(run, "train")[0]["loss"] == pytest.approx(np.log(5) + np.log(3), abs=1.5), "the heads' losses add up"


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(Problem, match="heads"):
        train_here(dataclasses.replace(PLAIN, arguments={"heads": [7]}), tmp_path / "a")
    with pytest.raises(Problem, match="cifar11|choose one of"):
        train_here(dataclasses.replace(PLAIN, data="cifar11"), tmp_path / "b")


def test_the_datas_own_statistics(finished):
    data = sources.load("digits", "train")
    kept, _ = split_validation(data.labels[:, 0], TINY.val_fraction, TINY.train_limit, TINY.seed)
    pixels = data.images[kept].double() / 255
    p = checkpoints.read(finished / "last.safetensors").preprocessing
    assert p.mean == pytest.approx([pixels.mean().item()] * 3, abs=1e-4) and p.std == pytest.approx([pixels.std(correction=0).item()] * 3, abs=1e-4)


def test_large_pictures_of_a_folder_are_read_at_the_size_that_was_asked_for(tmp_path):
    from PIL import Image

    for split in ("train", "test"):
        for label, colour in (("dark", 20), ("light", 230)):
            (tmp_path / "data" / split / label).mkdir(parents=True)
            for index in range(8):
                Image.new("RGB", (90 + index, 60), (colour, colour, index * 20)).save(tmp_path / "data" / split / label / f"{index}.png")
    run = tmp_path / "run"
    train_here(dataclasses.replace(PLAIN, data=str(tmp_path / "data"), size=16, batch_size=4, train_limit=None), run)
    checkpoint = checkpoints.read(checkpoints.find(str(run)))
    assert checkpoint.preprocessing.size == 16 and checkpoint.classes == ("dark", "light")
