"""The command line as DESIGN fixes it: keys, exit codes, one document on stdout, one sentence on stderr."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from resnet_viz import checkpoints, runs
from resnet_viz.__main__ import main
from resnet_viz.networks import zoo
from tests.foreign_networks import CifarResNet, randomised

CLASSES = ["ant", "bee", "cow"]
PREPROCESSING = {"size": 16, "resize": 16, "mean": [0.5] * 3, "std": [0.25] * 3}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a checkpoint w.safetensors, pictures a.png and b.jpg, and the data set pets (folder and zip)."""
    folder, rng = tmp_path_factory.mktemp("made"), np.random.default_rng(0)

    def picture(path, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(path, **options)

    torch.manual_seed(0)
    model = randomised(zoo.build("resnet8", {"heads": [3]}))
    header = {"network": "resnet8", "arguments": {"heads": [3]}, "classes": CLASSES, "preprocessing": PREPROCESSING}
    checkpoints.write(folder / "w.safetensors", model.state_dict(), header)
    broken = {name: t * float("nan") if t.is_floating_point() else t for name, t in model.state_dict().items()}
    checkpoints.write(folder / "nan.safetensors", broken, header)
    torch.save(model.state_dict(), folder / "foreign.pth")
    picture(folder / "a.png")
    picture(folder / "b.jpg", quality=90)
    (folder / "text.png").write_text("no picture")
    for split, count in (("train", 1), ("test", 4)):
        for name in CLASSES:
            for i in range(count):
                picture(folder / "pets" / split / name / f"{i}.png")
    with zipfile.ZipFile(folder / "pets.zip", "w") as archive:
        for file in (folder / "pets").rglob("*.png"):
            archive.write(file, file.relative_to(folder))
    return folder


@pytest.fixture
def call(made, capsys, monkeypatch):
    """call(words...) -> (exit code, stdout, stderr), with `made` as the working directory."""
    monkeypatch.chdir(made)

    def run(*words):
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def document(call):
    """document(words..., code=0) -> the one JSON document; nothing else may be on stdout."""
    def run(*words, code=0):
        got, out, err = call(*words, "--json")
        assert got == code, err
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    return run


def refusal(result, *words, code=2):
    """Exit code, nothing on stdout, one sentence on stderr that contains `words`."""
    got, out, err = result
    assert got == code and out == "" and err.endswith(".\n") and err.count("\n") == 1, result
    for word in words:
        assert word in err, err


# networks, summary

def test_networks(document, call):
    rows = document("networks")
    assert all(set(row) == {"name", "family", "params", "description"} for row in rows)
    found = {row["name"]: row["params"] for row in rows}
    assert found["resnet152"] == 60_192_808
    assert found["resnet20"] == found["plain20"] == 269_722
    assert found["simple-cnn"] == 60_554
    code, out, err = call("networks")
    assert code == 0 and err == "" and "60,192,808" in out and all(row["description"] in out for row in rows)


def test_summary(document, call):
    found = document("summary", "resnet50")
    assert set(found) == {"network", "input_shape", "layers", "totals"}
    assert found["network"] == "resnet50" and found["input_shape"] == [3, 224, 224]
    keys = {"name", "kind", "input_shape", "output_shape", "weight_shape", "params", "macs", "activation_bytes"}
    assert all(set(layer) == keys for layer in found["layers"])
    assert set(found["totals"]) == {"params", "trainable_params", "macs", "weights_bytes", "buffers_bytes"}
    assert found["totals"]["params"] == 25_557_032 and round(found["totals"]["macs"] / 1e9, 2) == 4.09
    first = found["layers"][0]
    assert first == {"name": "conv1", "kind": "Conv2d", "input_shape": [3, 224, 224], "output_shape": [64, 112, 112],
                     "weight_shape": [64, 3, 7, 7],
                     "params": 9_408, "macs": 118_013_952, "activation_bytes": 4 * 64 * 112 * 112}
    relu = next(layer for layer in found["layers"] if layer["kind"] == "ReLU")
    assert relu["weight_shape"] is None and relu["macs"] == relu["params"] == 0
    code, out, _ = call("summary", "resnet50")
    assert code == 0 and "25,557,032 parameters" in out and "FLOPs = 2 x MACs" in out


@pytest.mark.parametrize(("words", "params", "shape"), [
    (["resnet152", "--conv-bias"], 60_268_520, [3, 224, 224]),
    (["resnet18", "--num-classes", "10"], 11_181_642, [3, 224, 224]),
    (["resnet20", "--shortcut", "B"], 272_474, [3, 32, 32]),
    (["resnet50", "--variant", "v1"], 25_557_032, [3, 224, 224]),
    (["resnet18", "--stem", "cifar", "--input-size", "32", "--num-classes", "10"], 11_173_962, [3, 32, 32]),
    (["resnet18", "--in-channels", "1"], 11_689_512 - 2 * 3136, [1, 224, 224]), (["simple-cnn"], 60_554, [3, 32, 32]),
    (["resnet18", "--heads", "168,11,7"], 11_689_512 - (1000 - 186) * 513, [3, 224, 224]),
    (["resnet18", "--variant", "v1.5"], 11_689_512, [3, 224, 224]),
    (["resnet20", "--norm", "none", "--activation", "tanh"], 269_722 - 2 * 688, [3, 32, 32]),
    (["hw4-resnet"], 4_035_364, [3, 32, 32]), (["grapheme-resnet"], 11_612_858, [1, 64, 64]),
    (["grapheme-resnet", "--num-classes", "10", "--in-channels", "3", "--input-size", "32"],
     11_612_858 - 176 * 513 + 512, [3, 32, 32]),
    (["wide-resnet50-2"], 68_883_240, [3, 224, 224]), (["resnext50-32x4d"], 25_028_904, [3, 224, 224]),
])
def test_summary_options(document, words, params, shape):
    found = document("summary", *words)
    assert found["totals"]["params"] == params and found["input_shape"] == shape
    if "v1" in words:
        assert round(found["totals"]["macs"] / 1e9, 2) == 3.86


@pytest.mark.parametrize("words", [
    ["--json", "--shortcut", "B", "summary", "resnet20"], ["--shortcut=B", "summary", "--json", "resnet20"],
    ["summary", "--shortcut", "B", "--json", "resnet20"], ["resnet20", "--json", "summary", "--shortcut", "B"],
    ["summary", "resnet20", "--shortcut", "B", "--json"],
])
def test_options_stand_anywhere(call, words):
    code, out, _ = call(*words)
    assert code == 0 and json.loads(out)["totals"]["params"] == 272_474


@pytest.mark.parametrize(("words", "said"), [
    (["summary", "resnet19"], "Unknown network 'resnet19'"), (["summary"], "required: network"),
    (["summary", "resnet18", "--stem", "square"], "--stem"),
    (["summary", "resnet18", "--num-classes", "ten"], "--num-classes"),
    (["summary", "resnet18", "--num-classes", "0"], "heads"),
    (["summary", "resnet18", "--num-classes", "-5"], "heads"),
    (["summary", "resnet18", "--num-classes", "1" + "0" * 30], "heads"),
    (["summary", "resnet18", "--in-channels", "0"], "channels"),
    (["summary", "resnet18", "--input-size", "0"], "input size"),
    (["summary", "resnet18", "--input-size", "10" * 9], "input size"),
    (["summary", "simple-cnn", "--input-size", "64"], "32"),
    (["summary", "plain20", "--shortcut", "A"], "plain"),
    (["summary", "simple-cnn", "--stem", "cifar"], "simple-cnn has no stem"),
    (["summary", "grapheme-resnet", "--input-size", "27"], "28 to 91"),
    (["summary", "hw4-resnet", "--activation", "tanh"], "hw4-resnet has no activation"),
    (["summary", "grapheme-resnet", "--conv-bias"], "grapheme-resnet has no conv_bias"),
    (["summary", "resnet18", "--variant", "v1"], "no bottlenecks"),
    (["summary", "resnet18", "--activation", "gelu"], "relu, leaky-relu"),
    (["summary", "resnet18", "--norm", "layer"], "batch, none"),
    (["summary", "resnet18", "--heads", "3,x"], "168,11,7"),
    (["summary", "resnet18", "--heads", "3,-1"], "168,11,7"), (["summary", "resnet18", "--heads", "3,0"], "heads"),
    (["summary", "resnet18", "--heads", ""], "168,11,7"),
    (["summary", "resnet18", "--heads", "3", "--num-classes", "3"], "give one of them"),
    (["summary", "resnet18", "--colour"], "--colour"), (["summary", "resnet18", "resnet34"], "resnet34"),
    (["summary", "custom-resnet"], "Unknown network"),
    (["summary", "resnet18", "--num-classes"], "expected one argument"),
    (["summary", "resnet18", "--num", "5"], "--num"),
    (["frobnicate"], "Unknown command 'frobnicate'"), (["--json", "frobnicate"], "Unknown command 'frobnicate'"),
    (["--json"], "choose one of: networks"),
    (["networks", "extra"], "extra"), (["summary", "x" * 3000], "Unknown network"), (["y" * 3000], "Unknown command"),
])
def test_bad_arguments(call, words, said):
    result = call(*words)
    refusal(result, said)
    assert len(result[2]) < 600


def test_help(call, capsys):
    code, out, err = call()
    assert code == 0 and err == "" and "predict" in out and "evaluate" in out
    assert call("--help")[1] == out
    with pytest.raises(SystemExit) as ended:
        call("predict", "--help")
    assert ended.value.code == 0 and "--top-k" in capsys.readouterr().out


def test_a_folder_may_be_called_like_a_command(call, document, made):
    refusal(call("--data", "train", "evaluate", "w.safetensors"), "no data set, folder or zip 'train'")
    refusal(call("--data=check", "w.safetensors", "evaluate"), "'check'")
    refusal(call("predict", "train", "a.png"), "no checkpoint 'train'")


# doctor

DOCTOR = {"recognised", "network", "family", "shortcut", "num_classes", "conv_bias", "in_channels", "params", "format",
          "missing", "unexpected", "notes"}


def test_doctor_on_an_own_file(document, call):
    found = document("doctor", "w.safetensors")
    assert found == {"recognised": True, "network": "resnet8", "family": "CIFAR ResNet", "shortcut": "A",
                     "num_classes": 3, "conv_bias": False,
                     "in_channels": 3, "params": zoo.num_params(zoo.build("resnet8", {"heads": [3]})),
                     "format": "safetensors", "missing": [],
                     "unexpected": [], "notes": []}
    code, out, err = call("doctor", "w.safetensors")
    assert code == 0 and err == "" and "resnet8" in out and "CIFAR ResNet" in out


def test_doctor_on_a_strangers_file(document, tmp_path):
    theirs = CifarResNet((3, 3, 3), (16, 32, 64), "B", 100).state_dict()
    torch.save({"state_dict": {f"module.{k}": t for k, t in theirs.items()}, "epoch": 9}, tmp_path / "resnet20.th")
    found = document("doctor", tmp_path / "resnet20.th")
    assert set(found) == DOCTOR
    assert (found["network"], found["shortcut"], found["num_classes"]) == ("resnet20", "B", 100)
    assert found["format"] == "state_dict under 'state_dict'"


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_doctor_on_torchvisions(document, tmp_path, name):
    torch.save(getattr(torchvision.models, name)().state_dict(), tmp_path / "w.pth")
    found = document("doctor", tmp_path / "w.pth")
    assert (found["recognised"], found["network"], found["family"], found["num_classes"], found["params"]) == (
        True, name, "ImageNet ResNet", 1000, {"resnet18": 11_689_512, "resnet50": 25_557_032}[name])


@pytest.mark.parametrize(("content", "said"), [
    (b"", "empty"), (b"hello", "not a weights file"), (b"PK\x03\x04....", "damaged"), (None, "cannot be read"),
    ("vgg", "not a ResNet"), ("module", "could run code"),
    ("missing", "fc.bias"),
])
def test_doctor_refuses_with_exit_2_and_still_prints_the_document(call, tmp_path, content, said):
    path = tmp_path / "w.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "vgg":
        torch.save({"features.0.weight": torch.zeros(2, 3, 3, 3)}, path)
    elif content == "module":
        torch.save(torch.nn.ReLU(), path)
    elif content == "missing":
        torch.save({n: t for n, t in zoo.build("resnet8").state_dict().items() if n != "fc.bias"}, path)
    code, out, err = call("doctor", path, "--json")
    found = json.loads(out)
    assert code == 2
    assert set(found) == DOCTOR
    assert found["recognised"] is False
    assert found["missing"] == (["fc.bias"] if content == "missing" else ["conv1.weight"] if content == "vgg" else [])
    refusal((code, "", err), said)
    refusal(call("doctor", path), said)


def test_doctor_remembers_what_is_set_by_hand(document, call, tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    torch.save(zoo.build("resnet8", {"heads": [3]}).state_dict(), tmp_path / "w.pth")
    assert any("The cifar10 normalisation" in note for note in document("doctor", tmp_path / "w.pth")["notes"])
    set_ = document("doctor", tmp_path / "w.pth", "--set", "normalisation=half", "classes=a,b,c", "shortcut=none")
    assert set_["network"] == "plain8" and set_["shortcut"] is None
    again = document("doctor", tmp_path / "w.pth")
    assert again == set_ and not any("normalisation" in note or "names" in note for note in again["notes"])
    refusal(call("doctor", tmp_path / "w.pth", "--set", "variant=v1"), "variant cannot be set")
    refusal(call("doctor", "w.safetensors", "--set", "size=64"), "says itself how it is to be used")
    assert document("doctor", tmp_path / "w.pth", "--forget")["network"] == "resnet8"


def test_doctor_notes_numbers_that_are_not_finite(document):
    assert "not finite" in document("doctor", "nan.safetensors")["notes"][0]


# predict

def test_predict(document, call):
    rows = document("predict", "w.safetensors", "a.png", "b.jpg")
    assert [row["image"] for row in rows] == ["a.png", "b.jpg"]
    for row in rows:
        assert set(row) == {"image", "top", "caution", "error"} and row["error"] is row["caution"] is None
        assert all(set(t) == {"label", "index", "probability"} and t["label"] == CLASSES[t["index"]]
                   for t in row["top"])
        chances = [t["probability"] for t in row["top"]]
        assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1)
    code, out, err = call("predict", "w.safetensors", "a.png")
    assert code == 0 and err == "" and rows[0]["top"][0]["label"] in out and "%" in out


@pytest.mark.parametrize("words", [["predict", "w.safetensors", "a.png", "--top-k", "1", "b.jpg"],
                                   ["--top-k", "1", "predict", "w.safetensors", "a.png", "b.jpg"],
                                   ["predict", "--top-k=1", "w.safetensors", "a.png", "b.jpg"]])
def test_predict_top_k(document, words):
    assert [len(row["top"]) for row in document(*words)] == [1, 1]


def test_predict_with_some_pictures_that_fail(document, call):
    rows = document("predict", "w.safetensors", "a.png", "text.png", "none.png", "b.jpg", code=1)
    assert [bool(row["error"]) for row in rows] == [False, True, True, False]
    assert rows[1]["top"] == rows[2]["top"] == [] and rows[1]["error"].endswith(".") and len(rows[3]["top"]) == 3
    code, out, err = call("predict", "w.safetensors", "text.png")
    assert code == 1 and rows[1]["error"] in out and "Traceback" not in err


def test_predict_labels_are_numbers_where_names_are_unknown(document):
    top = document("predict", "foreign.pth", "a.png")[0]["top"]
    assert [t["label"] for t in top] == [str(t["index"]) for t in top] and len(top) == 3


def test_predict_with_another_normalisation(document):
    plain, same, other = (document("predict", "w.safetensors", "a.png", *words)[0]["top"]
                          for words in ([], ["--normalise", "0.5,0.25"], ["--normalise", "imagenet"]))
    assert plain == same and plain != other


@pytest.mark.parametrize(("words", "said"), [
    (["none.safetensors", "a.png"], "no checkpoint 'none.safetensors'"), (["a.png", "a.png"], "not a weights file"),
    (["w.safetensors"], "required: IMAGE"),
    (["w.safetensors", "a.png", "--top-k", "0"], "--top-k must be 1 or more"),
    (["w.safetensors", "a.png", "--top-k", "many"], "--top-k"),
    (["w.safetensors", "a.png", "--normalise", "imagnet"], "choose one of imagenet"),
    (["w.safetensors", "a.png", "--normalise", "0,0"], "standard deviations"),
    (["w.safetensors", "a.png", "--normalise", "1,2,3,4"], "2 channels"), (["pets", "a.png"], "has no weights yet"),
    (["x" * 4000, "a.png"], "no checkpoint"),
    (["w.safetensors", "a.png", "--normalise", "nan,1"], "means"),
])
def test_predict_refusals(call, words, said):
    refusal(call("predict", *words), said)


def test_predict_from_a_run_and_from_a_bundled_name(document, made, tmp_path, monkeypatch):
    run = tmp_path / "checkpoints" / "mine"
    run.mkdir(parents=True)
    (run / "config.json").write_text("{}")
    (run / "last.safetensors").write_bytes((made / "w.safetensors").read_bytes())
    expected = document("predict", "w.safetensors", "a.png")
    assert document("predict", run, "a.png") == expected
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "checkpoints")
    assert document("predict", "mine", "a.png") == expected


def test_damaged_weights_answer_nothing(document, call):
    rows = document("predict", "nan.safetensors", "a.png", code=1)
    assert rows[0]["top"] == [] and "not finite" in rows[0]["error"]
    refusal(call("evaluate", "nan.safetensors", "--data", "pets", "--json"), "not finite")


# evaluate

def test_evaluate(document, call):
    found = document("evaluate", "w.safetensors", "--data", "pets")
    assert set(found) == {"accuracy", "loss", "images", "seconds", "images_per_s"} and found["images"] == 12
    assert 0 <= found["accuracy"] <= 1 and found["loss"] > 0
    zipped = document("--data", "pets.zip", "evaluate", "w.safetensors", "--split", "test")
    assert (zipped["accuracy"], zipped["loss"]) == (found["accuracy"], found["loss"])
    code, out, err = call("evaluate", "w.safetensors", "--data", "pets")
    assert code == 0 and err == "" and f"accuracy {found['accuracy']:.2%}" in out and "12 pictures" in out


def test_evaluate_options(document):
    assert document("evaluate", "w.safetensors", "--data", "pets", "--split", "train")["images"] == 3
    assert document("evaluate", "w.safetensors", "--data", "pets", "--limit", "5")["images"] == 5
    plain, other = (document("evaluate", "w.safetensors", "--data", "pets", *words)["loss"]
                    for words in ([], ["--normalise", "none"]))
    assert plain != other


@pytest.mark.parametrize(("words", "said"), [
    (["w.safetensors"], "required: --data"), (["w.safetensors", "--data", "nowhere"], "'nowhere'"),
    (["w.safetensors", "--data", "a.png"], "a.png"),
    (["w.safetensors", "--data", "shapes", "--split", "val"], "no val split"),
    (["w.safetensors", "--data", "pets", "--split", "half"], "--split"),
    (["w.safetensors", "--data", "pets", "--limit", "0"], "--limit"),
    (["w.safetensors", "--data", "shapes", "--limit", "5"], "differ"),
    (["none.pth", "--data", "pets"], "no checkpoint"),
    (["w.safetensors", "--data", "pets", "--normalise", "x"], "Unknown normalisation"),
    (["text.png", "--data", "pets"], "not a weights file"),
])
def test_evaluate_refusals(call, words, said):
    refusal(call("evaluate", *words), said)


# check, train

def test_check(document, call):
    found = document("check")
    assert {"python", "versions", "devices", "folders", "data", "weights"} <= set(found)
    code, out, err = call("check")
    assert code == 0 and err == "" and found["python"] in out


@pytest.mark.parametrize("words", [["train"], ["train", "--preset", "no-such", "--out", "x"],
                                   ["train", "--network", "resnet19", "--out", "x"],
                                   ["train", "--set", "colour=3", "--out", "x"],
                                   ["train", "--set", "seed", "--out", "x"],
                                   ["train", "--resume", "nowhere"], ["train", "--epochs", "two", "--out", "x"],
                                   ["train", "--out", "pets"]])
def test_train_refuses_in_a_sentence(call, made, words):
    refusal(call(*words))
    assert not (made / "x" / "status.json").exists()


# As real processes

def process(made, *words, **options):
    environment = {**os.environ, "PYTHONPATH": str(runs.PROJECT), "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    return subprocess.run([sys.executable, "-m", "resnet_viz", *words], capture_output=True, cwd=made, env=environment,
                          timeout=120, **options)


def test_a_real_process_prints_one_document_and_nothing_else(made):
    name = b"caf\xe9.png" if sys.platform == "linux" else "café.png"  # bytes that are no UTF-8, where that can be
    shutil.copy(made / "a.png", os.path.join(os.fsencode(made), os.fsencode(name)))
    ended = process(made, "predict", "w.safetensors", name, "text.png", "--json", env={"PYTHONIOENCODING": "ascii"})
    rows = json.loads(ended.stdout)
    assert ended.returncode == 1 and ended.stderr == b"" and [bool(row["error"]) for row in rows] == [False, True]


def test_a_real_process_refuses_without_a_traceback(made, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/it-ran",)

    torch.save({"conv1.weight": Evil()}, tmp_path / "evil.pth")
    ended = process(made, "doctor", str(tmp_path / "evil.pth"), "--json")
    assert ended.returncode == 2 and json.loads(ended.stdout)["recognised"] is False
    refusal((ended.returncode, "", ended.stderr.decode()), "could run code")
    assert not (tmp_path / "it-ran").exists()


def test_a_reader_that_goes_away_is_no_error(made):
    words = [sys.executable, "-m", "resnet_viz", "summary", "resnet152", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(runs.PROJECT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as running:
        running.stdout.close()
        assert running.wait(timeout=120) == 0 and running.stderr.read() == b""
