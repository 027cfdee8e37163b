"""The training page through the app's entry file: with no run, with a finished one, with odd ones, and its start."""

import json
import shlex
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, runs
from resnet_viz.training import process
from resnet_viz.commands.output import Parser
from resnet_viz.commands.training import train_arguments
from resnet_viz.training.config import Config, resolve
from resnet_viz.training.presets import PRESETS
from resnet_viz.training.terminal import config_from

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder of runs, and no bundled checkpoint."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    return tmp_path / "runs"


def make_run(folder: Path, name="one", state="finished", **status) -> Path:
    """A run of two epochs with 20 steps, as a trainer leaves it."""
    run = folder / name
    run.mkdir(parents=True)
    runs.write_config(run, {**Config(network="resnet8", epochs=2, seed=5, device="cpu", threads=1).to_dict()})
    for step in (1, 10, 20):
        row = {
            "epoch": (step - 1) // 10,
            "step": step,
            "images": 128 * step,
            "loss": 3 / step**0.5,
            "accuracy": step / 40,
            "lr": 0.1,
            "elapsed_s": step / 2,
        }
        runs.append(run / "metrics.jsonl", {"split": "train", **row})
    for epoch in (1, 2):
        runs.append(
            run / "metrics.jsonl",
            {
                "split": "val",
                "epoch": epoch,
                "step": 10 * epoch,
                "images": 1280 * epoch,
                "loss": 2 / epoch,
                "accuracy": 0.3 * epoch,
                "lr": 0.1,
                "elapsed_s": 5 * epoch,
            },
        )
    runs.append(run / "events.jsonl", {"id": "1", "command": "lr", "value": 0.05, "step": 10, "time": 0})
    runs.write_json(
        run / "status.json",
        {
            "state": state,
            "epoch": 2,
            "step": 20,
            "total_steps": 20,
            "message": state,
            "heartbeat": time.time(),
            "pid": 1,
            "process_created": 0,
            "host": "elsewhere",
            "device": "cpu",
            "threads": 1,
            **status,
        },
    )
    (run / "snapshots").mkdir()
    for step in (0, 20):
        weights = np.random.default_rng(step).normal(size=(8, 3, 3, 3)).astype(np.float16)
        save_file(
            {"conv1.weight": weights, "probabilities": np.full((10, 10), 0.1, np.float32)},
            run / "snapshots" / f"{step:08d}.safetensors",
            metadata={"epoch": str(step // 10), "step": str(step), "images": "0", "lr": "0.1"},
        )
    return run


def open_page(**query) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("pages/train/training.py")
    return at.run()


def charts(at: AppTest) -> dict[str, dict]:
    """Title -> head of each live chart, with its lines' values."""
    found = {}
    for element in at.get("bidi_component"):
        data = element.proto.bytes
        if not data:
            continue
        length = int.from_bytes(data[:4], "little")
        head = json.loads(data[4 : 4 + length])
        at_byte = 4 + -(-length // 4) * 4
        for line in head["lines"]:
            values = np.frombuffer(data[at_byte : at_byte + 8 * line["points"]], dtype="<f4")
            line["x"], line["y"] = values[: line["points"]], values[line["points"] :]
            at_byte += 8 * line["points"]
        found[head["title"]] = head
    return found


def words(at: AppTest) -> str:
    return at.get("progress")[0].proto.text


def test_without_any_run_the_page_says_what_to_do(home):
    at = open_page()
    assert not at.exception
    assert "Press Start" in at.info[0].value


def test_a_finished_run_shows_its_points_its_state_and_its_finding(home):
    run = make_run(home)
    at = open_page()
    assert not at.exception
    loss = charts(at)["Loss"]
    assert [line["name"] for line in loss["lines"]] == ["training", "training", "validation"]
    np.testing.assert_allclose(loss["lines"][0]["y"], [3, 3 / 10**0.5, 3 / 20**0.5], rtol=1e-6)
    np.testing.assert_allclose(loss["lines"][2]["x"], [10, 20])
    assert loss["events"] == [{"x": 10.0, "text": "learning rate 0.05"}]
    assert "validation falls from 2 to 1" in loss["alt"]
    assert "rises" in charts(at)["Accuracy"]["alt"] and charts(at)["Learning rate"]["lines"][0]["points"] == 3
    assert words(at).startswith("**Finished** · epoch 2 of 2 · step 20 of 20") and "seed 5" in words(at)
    assert at.query_params["run"] == f"runs/{run.name}"
    assert any("since the start" in text.value for text in at.markdown)


@pytest.mark.parametrize("x, last", [("epoch", 2), ("images", 2560), ("seconds", 10)])
def test_the_x_axis_is_a_choice_that_the_link_carries(home, x, last):
    make_run(home)
    assert charts(open_page(x=x))["Loss"]["lines"][0]["x"][-1] == last


@pytest.mark.parametrize("view", ["Formula", "Code", "Numbers"])
def test_every_view_under_the_curves(home, view):
    make_run(home)
    at = open_page(view=view)
    assert not at.exception and not at.error
    assert {"Formula": at.latex, "Code": at.code, "Numbers": at.dataframe}[view]


def test_the_link_chooses_the_run_and_a_wrong_link_is_told(home):
    make_run(home, "one")
    make_run(home, "two", state="stopped")
    assert words(open_page(run="runs/one")).startswith("**Finished**")
    assert words(open_page(run="runs/two")).startswith("**Stopped")
    at = open_page(run="runs/none")
    assert not at.exception and "runs/none" in at.toast[0].value


def test_a_bundled_run_is_shown_as_a_finished_example(home, tmp_path):
    bundled = make_run(tmp_path / "bundled", "resnet20-cifar10-jpeg")
    (bundled / "last.safetensors").write_bytes(b"")
    at = open_page()
    assert charts(at)["Loss"]["lines"]
    assert "Finished example: resnet20-cifar10-jpeg" in at.selectbox(key="run_picker").options
    assert "hold" not in {button.key for button in at.button}, "nobody can steer an example"


def test_silence_failure_and_a_deleted_run_are_sentences(home):
    make_run(home, "silent", state="running", heartbeat=time.time() - 60)
    at = open_page(run="runs/silent")
    assert "No news" in at.warning[0].value
    make_run(home, "failed", state="failed", message="The disk is full.")
    at = open_page(run="runs/failed")
    assert "The disk is full" in at.error[0].value and "continue" in {button.key for button in at.button}
    make_run(home, "dead", state="running", host=__import__("socket").gethostname(), pid=2**22 - 1)
    assert "ended without a word" in open_page(run="runs/dead").error[0].value
    (home / "broken").mkdir()
    (home / "broken" / "config.json").write_text("{")
    assert "cannot be read" in open_page(run="runs/broken").error[0].value


def test_what_the_person_should_know_of_the_pictures_stands_under_the_bar(home):
    make_run(home, notes=["1 of 40 pictures could not be read and was left out: cats/05.png"])
    assert any("left out: cats/05.png." in caption.value.replace("\\", "") for caption in open_page().caption)


def test_a_run_that_waits_says_how_long_the_queue_is_and_can_be_cancelled(home):
    run = make_run(home, state="queued", message="1 run before this one, now resnet8", queue_position=1)
    looks = [open_page(), open_page()]  # two browsers
    for at in looks:
        assert "**Waiting**: 1 run before this one, now resnet8" in at.get("progress")[0].proto.text
        assert not {"hold", "batch", "epoch"} & {button.key for button in at.button}
    looks[1].button(key="stop").click().run()
    assert [json.loads(path.read_bytes())["command"] for path in (run / "control").glob("*.json")] == ["stop"]


def test_a_run_of_several_processes_says_so(home):
    make_run(home, state="running", processes=2)
    assert "cpu, 1 thread, 2 processes that share every batch" in open_page().get("progress")[0].proto.text


def test_a_run_that_another_machine_left_behind_can_be_deleted(home):
    gone = make_run(home, "gone", state="running", host="another-machine", heartbeat=time.time() - 86400)
    make_run(home, "mine")
    at = open_page(run="runs/gone")
    assert "another-machine" in at.warning[0].value and "no news" in at.warning[0].value
    assert at.button(key="continue")
    at.button(key="delete").click().run()
    assert not gone.exists() and not at.exception and not at.toast
    assert at.query_params["run"] == "runs/mine"


def test_the_buttons_of_a_live_run_leave_commands(home):
    run = make_run(home, state="running")
    at = open_page()
    for key, command in (("hold", "pause"), ("batch", "step"), ("epoch", "epoch"), ("stop", "stop")):
        at.button(key=key).click().run()
        assert command in [json.loads(path.read_bytes())["command"] for path in (run / "control").glob("*.json")]
    at.number_input(key="new_rate").set_value(0.025).run()
    at.button(key="set_rate").click().run()
    assert {"command": "lr", "value": 0.025} in [
        json.loads(path.read_bytes()) for path in (run / "control").glob("*.json")
    ]


def test_start_begins_a_run_with_the_recipe_on_the_screen(home, monkeypatch):
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    at = open_page()
    at.selectbox(key="recipe_preset").set_value("digits-resnet8").run()
    at.number_input(key="recipe_epochs").set_value(4).run()
    at.number_input(key="recipe_seed").set_value(11).run()
    at.button(key="start").click().run()
    assert not at.exception and len(begun) == 1
    config = runs.read_config(begun[0])
    assert (config["network"], config["data"], config["epochs"], config["seed"], config["flip"]) == (
        "resnet8",
        "digits",
        4,
        11,
        0.0,
    )
    assert at.query_params["run"] == f"runs/{begun[0].name}"


def test_the_networks_layers_are_part_of_the_recipe(home, monkeypatch):
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    at = open_page()
    at.selectbox(key="recipe_activation").set_value("tanh").run()
    at.segmented_control(key="recipe_norm").set_value("none").run()
    at.selectbox(key="recipe_network").set_value("simple-cnn").run()
    assert "recipe_activation" not in {control.key for control in at.selectbox}, "it has its own"
    at.button(key="start").click().run()
    at.selectbox(key="recipe_network").set_value("plain20").run()
    at.selectbox(key="recipe_activation").set_value("sigmoid").run()
    at.button(key="start").click().run()
    at.selectbox(key="recipe_preset").set_value("shapes-stem7").run()
    at.button(key="start").click().run()
    assert not at.exception and not at.error
    arguments = [runs.read_config(run)["arguments"] for run in begun]
    assert arguments[0] == {} and arguments[1]["activation"] == "sigmoid"
    assert arguments[2] == PRESETS["shapes-stem7"].config.arguments


def test_a_recipe_that_cannot_be_is_refused_in_a_sentence_and_leaves_nothing(home, monkeypatch):
    monkeypatch.setattr(process, "_spawn", lambda run: pytest.fail("must not start"))
    at = open_page()
    at.segmented_control(key="recipe_device").set_value("mps").run()
    at.button(key="start").click().run()
    assert not at.exception
    assert any("mps" in error.value for error in at.error)
    assert not home.is_dir() or not list(home.iterdir())


def told_by_the_command(at: AppTest) -> Config:
    """What the command line that stands under the settings would train."""
    words = shlex.split(at.code[0].value.replace("\\\n", " "))
    parser = Parser(prog="train")
    train_arguments(parser)
    return config_from(parser.parse_intermixed_args(words[words.index("train") + 1 :]))


def test_the_command_under_the_settings_does_what_start_does(home, monkeypatch):
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    at = open_page()
    at.selectbox(key="recipe_data").set_value("digits").run()
    at.selectbox(key="recipe_schedule").set_value("multi-step").run()
    at.text_input(key="recipe_milestones").set_value("0.5, 3").run()
    at.number_input(key="recipe_warmup_epochs").set_value(1.0).run()
    at.number_input(key="recipe_rotation").set_value(12.5).run()
    at.number_input(key="recipe_clip_norm").set_value(1.0).run()
    at.number_input(key="recipe_dropout").set_value(0.25).run()
    at.number_input(key="recipe_threads").set_value(1).run()
    at.segmented_control(key="recipe_keep_weights").set_value("no").run()
    at.button(key="start").click().run()
    assert not at.exception and not at.error
    started = runs.read_config(begun[0])
    assert resolve(told_by_the_command(at)).to_dict() == started
    assert started["milestones"] == [0.5, 3.0] and started["arguments"] == {"dropout": 0.25} and started["keep_weights"] is False
    assert (started["rotation"], started["clip_norm"], started["warmup_epochs"], started["threads"]) == (12.5, 1.0, 1.0, 1)


def test_every_preset_starts_as_it_is(home):
    at = open_page()
    for name, preset in PRESETS.items():
        at.selectbox(key="recipe_preset").set_value(name).run()
        assert not at.exception and not at.error and told_by_the_command(at) == preset.config


def test_only_settings_that_do_something_are_shown_and_a_senseless_list_is_told(home):
    at = open_page()
    keys = {control.key for control in at.number_input}
    assert "recipe_peak_at" in keys and "recipe_gamma" not in keys and "recipe_momentum" in keys
    at.segmented_control(key="recipe_optimizer").set_value("adamw").run()
    at.selectbox(key="recipe_schedule").set_value("multi-step").run()
    keys = {control.key for control in at.number_input}
    assert "recipe_gamma" in keys and "recipe_peak_at" not in keys and "recipe_momentum" not in keys
    assert any("milestones" in error.value for error in at.error)
    at.text_input(key="recipe_milestones").set_value("soon").run()
    assert not at.exception and any("parted by commas" in error.value for error in at.error)
