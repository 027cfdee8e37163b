"""Files of tensors from anywhere: what is whole opens, all else is one sentence; nothing runs, memory is bounded."""

import argparse
import collections
import datetime
import json
import os
import pickle
import random
import resource
import struct
import sys
import types
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save as to_safetensors

from resnet_viz import tensor_files
from resnet_viz.problems import Problem
from tests.refusals import refused

STATE = {"conv1.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "bn1.num_batches_tracked": torch.tensor(7)}


def same(tensors, state=STATE):
    return tensors.keys() == state.keys() and all(torch.equal(tensors[name], state[name]) for name in state)


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def written(path, data: bytes):
    path.write_bytes(data)
    return path


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@pytest.fixture(autouse=True)
def bounded_memory():
    before = peak_mib()
    yield
    assert peak_mib() - before < 300


@pytest.mark.parametrize("ending", ["pt", "pth", "th", "pth.tar"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_bare_state_dict(tmp_path, ending, zipped):
    file = tensor_files.read(saved(tmp_path / f"weights.{ending}", STATE, _use_new_zipfile_serialization=zipped))
    assert same(file.tensors) and file.format == "state_dict" and file.metadata == {}


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "net", "ema"])
def test_a_wrapped_state_dict_with_extras(tmp_path, key):
    optimizer = {"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    content = {"epoch": 3, "best_prec1": torch.tensor(0.9), "arch": "resnet20", key: STATE, "optimizer": optimizer,
               "acc": 91.7}
    file = tensor_files.read(saved(tmp_path / "checkpoint.pth", content))
    assert same(file.tensors) and file.format == f"state_dict under {key!r}"


def test_wrapped_twice(tmp_path):
    file = tensor_files.read(saved(tmp_path / "c.pth", {"model": {"state_dict": STATE}}))
    assert same(file.tensors) and file.format == "state_dict under 'model.state_dict'"


def test_safetensors_with_metadata(tmp_path):
    file = tensor_files.read(written(tmp_path / "w.safetensors",
                                     to_safetensors(STATE, {"resnet_viz": '{"epoch": 1}', "format": "pt"})))
    assert same(file.tensors) and file.format == "safetensors"
    assert tensor_files.header_of(file.metadata) == {"epoch": 1}


@pytest.mark.parametrize("text", ["", "no json", "[1]", "3", "[" * 200_000])
def test_a_header_that_is_none(text):
    assert tensor_files.header_of({"resnet_viz": text}) is None
    assert tensor_files.header_of({}) is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn])
def test_other_floats(tmp_path, dtype):
    state = {"weight": torch.randn(3, 4).to(dtype)}
    for path in (saved(tmp_path / "w.pth", state), written(tmp_path / "w.safetensors", to_safetensors(state))):
        found = tensor_files.read(path).tensors["weight"]
        assert found.dtype == dtype and torch.equal(found.float(), state["weight"].float())


# What is refused

@pytest.mark.parametrize("zipped", [True, False, None], ids=["pth", "legacy pth", "safetensors"])
def test_every_truncation(tmp_path, zipped):
    state = {f"layer{i}.weight": torch.randn(40, 40) for i in range(8)}
    whole = tmp_path / "whole"
    if zipped is None:
        whole.write_bytes(to_safetensors(state))
    else:
        saved(whole, state, _use_new_zipfile_serialization=zipped)
    data = whole.read_bytes()
    for tenth in range(1, 10):
        with refused("again|not opened"):
            tensor_files.read(written(tmp_path / "cut", data[:len(data) * tenth // 10]))
    for length in (1, 2, 4, 7, 8, 9, 12, 100, len(data) - 1):
        with refused():
            tensor_files.read(written(tmp_path / "cut", data[:length]))


def jpeg() -> bytes:
    import io
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(("data", "words"), [
    (b"", "is empty"), (b"epoch,loss\n1,0.5\n", "not a weights file"), (jpeg(), "not a weights file"),
    (b"\x1f\x8b" + bytes(50), "not a weights file"),
    (bytes(100), "not a weights file"), (b"\x80", "damaged"), (b"\x80hello world", "damaged"),
    (b"\x80\x02]q\x00.", "damaged"),
    (b"PK\x03\x04" + bytes(100), "truncated or damaged"), (b"<html>404</html>", "not a weights file"),
])
def test_what_is_no_weights_file(tmp_path, data, words):
    with refused(words):
        tensor_files.read(written(tmp_path / "weights.pth", data))


def test_a_missing_file_and_a_folder(tmp_path):
    with refused("cannot be read: No such file"):
        tensor_files.read(tmp_path / "none.pth")
    with refused("cannot be read: Is a directory"):
        tensor_files.read(tmp_path)


@pytest.mark.parametrize("content", [{}, [], torch.zeros(3), 5, "text", {"epoch": 3}, {"state_dict": {}},
                                     {"model": {"a": 1}}, {1: torch.zeros(2)},
                                     [torch.zeros(2)], {"state_dict": [torch.zeros(2)]}])
def test_no_named_tensors(tmp_path, content):
    with refused("state_dict"):
        tensor_files.read(saved(tmp_path / "w.pth", content))


def test_a_dictionary_that_contains_itself(tmp_path):
    endless: dict = {"epoch": 1}
    endless["model"] = endless
    with refused("not of tensors"):
        tensor_files.read(saved(tmp_path / "w.pth", endless))


class Evil:
    """Unpickled without care, this creates a file."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_would_run_code_runs_nothing(tmp_path, protocol):
    trace = tmp_path / "it-ran"
    content = {"state_dict": {"conv1.weight": torch.zeros(1), "x": Evil(trace)}}
    for path in (saved(tmp_path / "a.pth", content),
                 saved(tmp_path / "b.pth", content, _use_new_zipfile_serialization=False),
                 written(tmp_path / "c.pth", pickle.dumps(Evil(trace), protocol))):
        with refused("could run code"):
            tensor_files.read(path)
    assert not trace.exists()
    torch.load(tmp_path / "a.pth", weights_only=False)  # the trap is real
    assert trace.exists()


class Net(torch.nn.Sequential):
    """A network class of one's own."""


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_a_whole_module(tmp_path, zipped):
    with refused("whole pickled network.*save only the state_dict"):
        tensor_files.read(saved(tmp_path / "m.pth", torch.nn.Conv2d(1, 1, 1), _use_new_zipfile_serialization=zipped))
    with refused("Net.*save only the state_dict"):
        tensor_files.read(saved(tmp_path / "n.pth", {"model": Net(torch.nn.ReLU())}, _use_new_zipfile_serialization=zipped))


@pytest.mark.parametrize("zipped", [True, False])
def test_what_trainers_store_beside_the_weights_does_no_harm(tmp_path, zipped):
    """Created as empty objects: neither NumPy nor argparse takes part."""
    extras = {"args": argparse.Namespace(lr=0.1, out=Path("runs"), steps=[1, (2, 3)]), "best": np.float64(0.9),
              "losses": np.arange(5.0), "names": np.array(["a", None], dtype=object), "when": datetime.datetime.now(),
              "took": datetime.timedelta(1), "history": collections.defaultdict(list, {"loss": [0.5]}),
              "seen": collections.Counter("aab"), "dtype": torch.float32}
    path = saved(tmp_path / "w.pth", {"state_dict": STATE, **extras}, _use_new_zipfile_serialization=zipped)
    file = tensor_files.read(path)
    assert same(file.tensors) and file.others == ()
    with pytest.raises(pickle.UnpicklingError):  # and the permission ends with the call
        torch.load(path, weights_only=True)


def test_a_path_as_python_3_13_writes_it(tmp_path, monkeypatch):
    module = types.ModuleType("pathlib._local")
    module.PosixPath = type("PosixPath", (), {"__module__": module.__name__, "__reduce__": lambda path: (module.PosixPath, ("runs", "a"))})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = saved(tmp_path / "w.pth", {"state_dict": STATE, "out": module.PosixPath()})
    assert b"pathlib._local" in path.read_bytes()
    assert same(tensor_files.read(path).tensors)


def test_extras_among_the_tensors_and_weights_under_a_key_of_ones_own(tmp_path):
    assert same(tensor_files.read(saved(tmp_path / "a.pth", {**STATE, "epoch": 3})).tensors)
    file = tensor_files.read(saved(tmp_path / "b.pth", {"ours": {"best": STATE}, "epoch": 3}))
    assert same(file.tensors) and file.format == "state_dict under 'ours.best'"


def test_of_several_weights_the_likeliest_are_taken_and_the_others_told(tmp_path):
    other = {name: tensor + 1 for name, tensor in STATE.items()}
    file = tensor_files.read(saved(tmp_path / "w.pth", {"ema": other, "model": STATE, "swa": other}))
    assert same(file.tensors) and file.format == "state_dict under 'model'" and set(file.others) == {"ema", "swa"}


def test_a_zip_that_somebody_packed_again(tmp_path):
    """Its tensors cannot be used where they lie; they are unpacked, and are the same."""
    whole = saved(tmp_path / "whole.pth", STATE)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "again.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
    assert same(tensor_files.read(tmp_path / "again.pth").tensors)


def test_a_torchscript_archive(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)), tmp_path / "script.pt")
    with refused("TorchScript"):
        tensor_files.read(tmp_path / "script.pt")
    with zipfile.ZipFile(tmp_path / "made.pt", "w") as archive:
        for name in ("made/data.pkl", "made/code/__torch__.py", "made/constants.pkl"):
            archive.writestr(name, b"x")
    with refused("TorchScript"):
        tensor_files.read(tmp_path / "made.pt")


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("train/cat/1.jpg", jpeg())
    with refused("not one written by torch.save"):
        tensor_files.read(tmp_path / "photos.zip")


@pytest.mark.parametrize("bomb", ["data.pkl", "data/0"])
def test_a_zip_bomb(tmp_path, bomb):
    whole = saved(tmp_path / "whole.pth", STATE)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, bytes(50 * 2**20) if entry.filename.endswith(bomb) else source.read(entry))
    assert (tmp_path / "bomb.pth").stat().st_size < 2**20
    with refused("would unpack to more"):
        tensor_files.read(tmp_path / "bomb.pth")


def test_tensors_that_announce_more_than_the_file_has(tmp_path):
    """A tensor of stride 0 costs no bytes to store; a network of its shape would take terabytes."""
    with refused("announce 40,000,000,000,000 bytes"):
        tensor_files.read(saved(tmp_path / "w.pth", {"conv1.weight": torch.zeros(()).expand(10**6, 10**5, 10, 10)}))


def test_a_pickle_that_announces_more_than_its_record(tmp_path):
    whole = saved(tmp_path / "whole.pth", {"weight": torch.zeros(432)})
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "liar.pth", "w") as archive:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert data.count(b"M" + struct.pack("<H", 432)) >= 1
                data = data.replace(b"M" + struct.pack("<H", 432), b"J" + struct.pack("<i", 2**30))
            archive.writestr(entry.filename, data)
    with refused():
        tensor_files.read(tmp_path / "liar.pth")


@pytest.mark.parametrize("announced", [b"J" + struct.pack("<i", 2**30), b"\x8a\x08" + struct.pack("<q", 2**50)])
def test_an_older_file_that_announces_gigabytes(tmp_path, announced):
    """Before 1.6 torch wrote no zip: the pickle says how many numbers follow, and torch sets memory aside for them."""
    data = saved(tmp_path / "w.pth", {"weight": torch.zeros(432)}, _use_new_zipfile_serialization=False).read_bytes()
    place = data.find(b"M" + struct.pack("<H", 432))
    with refused("truncated or damaged"):
        tensor_files.read(written(tmp_path / "w.pth", data[:place] + announced + data[place + 3:]))


@pytest.mark.parametrize("announced", [4 * 2**30, 2**63, 2**64 - 1, 10_000])
def test_a_safetensors_header_that_announces_too_much(tmp_path, announced):
    with refused(f"announces {announced:,} bytes"):
        tensor_files.read(written(tmp_path / "w.safetensors", struct.pack("<Q", announced) + b'{"a": 1}'.ljust(1016)))


@pytest.mark.parametrize("header", [
    {"w": {"dtype": "F32", "shape": [2**30], "data_offsets": [0, 2**32]}},
    {"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}},
    {"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}},
    {"w": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}},
    {"w": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}},
    {"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}},
    {"w": 3}, {"__metadata__": {"resnet_viz": 5}},
])
def test_a_safetensors_header_that_lies(tmp_path, header):
    text = json.dumps(header).encode().ljust(256)
    with refused("damaged"):
        tensor_files.read(written(tmp_path / "w.safetensors", struct.pack("<Q", len(text)) + text + bytes(8)))


def test_an_empty_safetensors_file(tmp_path):
    with refused("holds no tensors"):
        tensor_files.read(written(tmp_path / "w.safetensors", to_safetensors({})))


@pytest.mark.parametrize("change", [
    torch.Tensor.to_sparse, lambda t: t.to(torch.complex64), lambda t: t.to("meta"),
    lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
], ids=["sparse", "complex", "meta", "quantised"])
@pytest.mark.filterwarnings("ignore")
def test_tensors_of_an_odd_kind(tmp_path, change, capsys):
    with refused("plain float tensors"):
        tensor_files.read(saved(tmp_path / "w.pth", {"conv1.weight": change(torch.ones(2, 2))}))
    assert capsys.readouterr().err == ""  # torch's warnings are not for the person


def test_flipped_bits_open_or_end_in_a_sentence(tmp_path):
    whole = {"w.pth": saved(tmp_path / "a", STATE).read_bytes(),
             "w.safetensors": to_safetensors(STATE, {"resnet_viz": "{}"}),
             "legacy.pth": saved(tmp_path / "b", STATE, _use_new_zipfile_serialization=False).read_bytes()}
    draw = random.Random(0)
    for _ in range(150):
        name = draw.choice(list(whole))
        data = bytearray(whole[name])
        for _ in range(draw.choice([1, 3])):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            tensor_files.read(written(tmp_path / name, bytes(data)))
        except Problem as problem:
            assert len(str(problem)) < 300 and "\n" not in str(problem)
