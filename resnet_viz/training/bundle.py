"""Make a finished run small enough to travel with the project:
`python -m resnet_viz.training.bundle RUN_DIR TARGET DATA_NAME [one]`.

Weights become float16, the files that only a continuation needs stay behind, and a model card is written from what
the run's own files say. `one` keeps of the weights only those that were tested: large networks have their beginning in
the snapshots alone.
"""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

from .. import checkpoints, familiarity, runs
from ..problems import Problem
from .config import Config
from .ranges import used

COPIED = ("status.json", "metrics.jsonl", "events.jsonl", familiarity.FILE)
GRADIENT_ROWS = 400  # at most, evenly through the run


def bundle(run: Path, target: Path, data_name: str, one: bool = False) -> None:
    """Copy a finished run into `target`, replacing it.

    data_name  how the data set is called wherever results are shown
    one        of the weights only those that the test accuracy belongs to: the best, called last where they are
    """
    if runs.state(run) != "finished":
        raise Problem(f"{run} is {runs.state(run)}; only a finished run can be bundled: wait for its end, or choose another one.")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    config = {**runs.read_config(run), "data": data_name}
    if os.path.isabs(config.get("start_from") or ""):
        config["start_from"] = Path(config["start_from"]).name  # a place on this machine tells nobody anything
    runs.write_config(target, config)
    for name in COPIED:
        if (run / name).exists():
            shutil.copyfile(run / name, target / name)
    status = runs.read_status(target)
    runs.write_json(target / "status.json", {**status, "pid": None, "process_created": None, "host": None})
    rows = runs.read_gradients(run)
    runs.append(target / "gradients.jsonl", *rows[:: max(1, -(-len(rows) // GRADIENT_ROWS))])
    (target / "snapshots").mkdir()
    for snapshot in runs.snapshots(run):
        shutil.copyfile(snapshot.path, target / "snapshots" / snapshot.path.name)
    if one:
        path = checkpoints.best_or_last(run)
        at_the_end = checkpoints.read(path).epoch == config["epochs"]
        _halve(path, target / ("last.safetensors" if at_the_end else path.name), data_name)
    else:
        for path in filter(None, (runs.weights_file(run, which) for which in runs.WEIGHTS)):
            _halve(path, target / path.name, data_name)
    (target / "README.md").write_text(card(target, config, data_name))


def _halve(source: Path, target: Path, data_name: str) -> None:
    _, file = checkpoints.examine(source)
    header = {**json.loads(file.metadata["resnet_viz"]), "data": data_name}
    checkpoints.write(target, file.tensors, header, half=True)


def card(run: Path, config: dict, data_name: str) -> str:
    """The model card as Markdown, every figure read from the run's files."""
    metrics = runs.Metrics(run).refresh()
    chosen = f"the weights that validation chose (epoch {metrics['val']['epoch'][metrics['val']['accuracy'].argmax()]:.0f})" if "val" in metrics else "the last weights"
    test, status = metrics["test"], runs.read_status(run)
    checkpoint = checkpoints.read(checkpoints.best_or_last(run))
    known = {**Config().to_dict(), **config}
    said = {key: value for key, value in config.items() if key not in ("data", "version") and used(key, known)}
    recipe = "\n".join(f"- {key}: `{json.dumps(value)}`" for key, value in said.items())
    machine, named = ("device", "threads"), ("network", "epochs", "arguments")
    changed = {key: value for key, value in said.items() if key not in (*machine, *named) and value != Config().to_dict()[key]}
    changed |= {"arguments": config["arguments"]} if config["arguments"] else {}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changed.items()}
    settings = " ".join(f"--set {shlex.quote(f'{key}={text}')}" for key, text in texts.items())
    return f"""# {run.name}

{checkpoint.network}, trained by this project's trainer on **{data_name}**. Test accuracy **{test['accuracy'][-1]:.2%}**
(loss {test['loss'][-1]:.4f}), measured once, after {int(status['epoch'])} epochs, with {chosen}.{_kept(run)}

## Data
{data_name}: {int(metrics['train']['images'][-1]) // max(1, config['epochs']):,} pictures an epoch, {config['val_fraction']:.0%} of the training pictures held out for validation.
The pictures themselves do not travel with the project.

## Recipe
{recipe}

Trained on {status['device']} with {status['threads']} threads, torch {status['torch']}; {metrics['train']['elapsed_s'][-1] / 60:,.0f} minutes of training steps
on a machine that did other work at the same time. To train it again, DATA being the data set's name, folder or zip:

    python -m resnet_viz train --network {config['network']} --data DATA --epochs {config['epochs']} {settings} --out RUN_DIR

## Limits
It knows its {sum(checkpoint.heads)} classes and answers with one of them whatever the picture shows:
{', '.join(checkpoint.classes)}. It reads {checkpoint.preprocessing.size}x{checkpoint.preprocessing.size} pixels; details of a photograph are lost before it begins.
Weights are stored as float16. It is made for teaching, not for decisions.
"""


def _kept(run: Path) -> str:
    if runs.weights_file(run, "initial"):
        return ""
    return " Only these weights travel with the project; the first two convolutions are there at every moment, in the snapshots."


if __name__ == "__main__":
    try:
        bundle(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], one=sys.argv[4:] == ["one"])
    except Problem as problem:
        sys.exit(str(problem))
