"""SIGKILL at random moments of training, export and import, half of them inside a write, and what must hold afterwards:
`python -m tests.reliability.kills [HOW MANY] [FIRST SEED]`.

One kill, one seed: it decides what is killed, where and after which call; a kill inside a write repeats exactly, one
at a moment as nearly as a clock can. Of twenty in a row ten hit a training, three an export of weights, two an
export of a run, three an import, and two a command (`python -m resnet_viz`) in an interpreter of its own. The others
are forked from a process that has loaded torch already.
"""

import dataclasses
import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path

from safetensors.torch import load_file

from resnet_viz import checkpoints, export, leavings, runs
from resnet_viz.training import process, saving
from resnet_viz.training.config import Config

from ..training.test_crashes import check_readable, check_same
from . import dying
from .dying import Fault

SMALL = Config(network="resnet8", data="digits", epochs=3, batch_size=32, lr=0.05, flip=0.0, crop_padding=1, threads=1,
               train_limit=100, val_fraction=0.006, device="cpu")  # 3 epochs of 4 steps, 10 pictures to validate
RECIPES = {"sgd": SMALL, "adam": dataclasses.replace(SMALL, optimizer="adam", lr=0.002)}
SUBJECTS = ("training",) * 10 + ("weights",) * 3 + ("zip",) * 2 + ("import",) * 3 + ("command",) * 2
AGAIN = 0.3  # of the kills of a training hit its continuation once more
SLOW_S = 300  # beyond which a child hangs: this machine may be busy

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.reliability.jobs"])


class Child:
    """A forked job; like Popen in what is used of it."""

    def __init__(self, job, *arguments, fault=None, **variables):
        from . import jobs  # not before: this process needs no more than their names

        self.process = forks.Process(target=jobs.child, args=(job, tuple(map(str, arguments)), fault, variables))
        self.process.start()
        self.pid = self.process.pid

    def wait(self, seconds=SLOW_S):
        self.process.join(seconds)
        assert self.process.exitcode is not None, "it hangs"
        return self.process.exitcode

    def kill(self):
        self.process.kill()


class Command:
    """`python -m resnet_viz ...` in an interpreter and a process group of its own."""

    def __init__(self, site, *words, fault=None, **variables):
        environment = {**os.environ, **variables, "PYTHONPATH": f"{site}{os.pathsep}{runs.PROJECT}"}
        if fault:
            environment[dying.VARIABLE] = fault.text()
        self.popen = subprocess.Popen([sys.executable, "-m", "resnet_viz", *map(str, words)], cwd=runs.PROJECT, env=environment,
                                      start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.popen.pid

    def wait(self, seconds=SLOW_S):
        return self.popen.wait(seconds)

    def kill(self):
        self.popen.kill()


class Bench:
    """A folder to kill in, and what the undisturbed jobs gave there."""

    def __init__(self, folder: Path):
        self.folder, self.number = folder, 0
        self.variables = {"RESNET_VIZ_RUNS": str(folder / "queue"), "RESNET_VIZ_LOGS": str(folder / "logs")}
        (folder / "site").mkdir()  # Python imports its sitecustomize at start
        (folder / "site" / "sitecustomize.py").write_text("from tests.reliability import dying\ndying.from_environment()\n")
        self.whole = cache(self._whole)
        self.measured = cache(self._measured)

    def new(self) -> Path:
        self.number += 1
        path = self.folder / f"{self.number:04d}"
        path.mkdir()
        return path

    def child(self, job, *arguments, fault=None, **variables):
        return Child(job, *arguments, fault=fault, **{**self.variables, **variables})

    def command(self, *words, fault=None):
        return Command(self.folder / "site", *words, fault=fault, **self.variables)

    def _whole(self, recipe: str) -> Path:
        """The run that nothing disturbed."""
        run = self.new() / "run"
        process.create(RECIPES[recipe], run)
        assert self.child("train", run).wait() == 0
        return run

    def _measured(self, subject: str, detail: str) -> tuple[int, float, Path]:
        """Of the undisturbed job: how many calls its writes are, how long it takes, and the folder it did it in."""
        begin, _ = STARTS[subject]
        folder, report = self.new(), self.new() / "calls"
        started = begin(self, folder, detail, Fault("count", str(folder), report=str(report)))
        clock = time.monotonic()
        assert started.wait() == 0
        return int(report.read_text()), time.monotonic() - clock, folder


# What is killed: (bench, folder, detail, fault) -> the started process; details to choose from


def start_training(bench, folder, detail, fault):
    run = folder / "run"
    if not runs.is_run(run):
        process.create(RECIPES[detail], run)
    return bench.child("train", run, fault=fault)


def start_weights(bench, folder, detail, fault):
    return bench.child("write_weights", bench.whole("sgd") / "last.safetensors", detail, folder / f"w{export.ENDINGS[detail]}",
                       fault=fault)


def start_zip(bench, folder, detail, fault):
    return bench.child("write_zip", bench.whole(detail), folder / "run.zip", fault=fault)


def start_import(bench, folder, detail, fault):
    source = bench.measured("zip", detail)[2] / "run.zip"
    (folder / "runs").mkdir(exist_ok=True)
    return bench.child("read_zip", source, fault=fault, RESNET_VIZ_RUNS=str(folder / "runs"))


def start_command(bench, folder, detail, fault):
    if detail == "export":
        return bench.command("export", bench.whole("sgd") / "last.safetensors", "--format", "safetensors", "--out",
                             folder / "w.safetensors", fault=fault)
    known = SMALL.to_dict()
    settings = [f"{key}={known[key]}" for key in ("batch_size", "lr", "flip", "crop_padding", "threads", "train_limit", "val_fraction", "device")]
    return bench.command("train", "--network", "resnet8", "--data", "digits", "--epochs", SMALL.epochs, "--set", *settings,
                         "--out", folder / "run", fault=fault)


STARTS = {
    "training": (start_training, tuple(RECIPES)),
    "weights": (start_weights, ("safetensors", "state-dict", "safetensors", "state-dict", "onnx")),
    "zip": (start_zip, ("sgd",)),
    "import": (start_import, ("sgd",)),
    "command": (start_command, ("train", "export")),
}


# The kill


@dataclasses.dataclass(frozen=True)
class Killed:
    folder: Path
    how: str


def kill(bench: Bench, subject: str, detail: str, inside: bool, chance: random.Random) -> Killed:
    """Begin the job anew until a kill has hit it: at the end of a slow fork it may have been faster."""
    begin, _ = STARTS[subject]
    calls, seconds, _ = bench.measured(subject, detail)
    for _ in range(50):
        folder = bench.new()
        fault = Fault("kill", str(folder), chance.randint(1, calls), chance.choice(dying.PARTS)) if inside else None
        delay = chance.uniform(0, seconds)
        started = begin(bench, folder, detail, fault)
        if hit(started, fault, delay):
            return Killed(folder, told(fault, delay, calls))
    raise AssertionError(f"{subject} was never hit")


def hit(started, fault, delay) -> bool:
    if fault is None:
        time.sleep(delay)
        started.kill()
    code = started.wait()
    check_no_orphan(started.pid)
    assert code in (0, -signal.SIGKILL), f"it ended by itself with {code}"
    return code != 0


def told(fault, delay, calls) -> str:
    return f"{fault.part:>6} call {fault.at:3} of {calls}" if fault else f"after {delay:5.2f} s"


def check_no_orphan(group: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError("a process of the killed one's group lives on")


# What must hold afterwards


def after_training(bench, killed, detail, chance) -> str:
    run, whole = killed.folder / "run", bench.whole(detail)
    epochs, again = check_saved(run), 0
    while chance.random() < AGAIN and runs.state(run) != "finished":
        fault = Fault("kill", str(killed.folder), chance.randint(1, bench.measured("training", detail)[0]), "half")
        if hit(start_training(bench, killed.folder, detail, fault), fault, 0):
            again += 1
            assert check_saved(run) >= epochs, "an epoch that was saved is lost"
    if runs.state(run) != "finished":
        process.check_resumable(run)
        assert bench.child("train", run).wait() == 0, (run / "train.log").read_text()[-500:]
    check_whole(bench, run, whole)
    return f"{epochs} of {SMALL.epochs} epochs saved" + (f", killed again {again} x" if again else "")


def check_saved(run: Path) -> int:
    """The directory opens, and every epoch that the run called saved is there; returns how many."""
    check_readable(run)
    assert runs.state(run) in ("new", "failed", "finished"), runs.state(run)
    saved = (runs.read_status(run) or {}).get("last_good_epoch") or 0
    metrics = runs.Metrics(run).refresh()
    if saved:
        assert saving._header(run / "resume.safetensors")["position"]["epoch"] >= saved
        assert set(range(1, saved + 1)) <= {epoch for epoch, _ in runs.epoch_weights(run)}
        assert set(range(1, saved + 1)) <= set(metrics["val"]["epoch"])
        assert checkpoints.read(run / "last.safetensors").epoch >= saved
    for _, path in runs.epoch_weights(run):
        load_file(path)
    return saved


def check_whole(bench: Bench, run: Path, whole: Path) -> None:
    """Bit for bit the run that nothing disturbed, with the same files and no others, and nobody in the queue."""
    assert runs.state(run) == "finished"
    grow_old(run)
    leavings.clear_files(run)  # as a server does at its start: one may be killed as it says that it is finished
    check_same(run, whole)
    for epoch, path in runs.epoch_weights(whole):
        assert path.read_bytes() == (run / "weights" / path.name).read_bytes(), f"weights of epoch {epoch}"
    assert files(run) == files(whole), files(run) ^ files(whole)
    assert not list((bench.folder / "queue" / ".queue").glob("*/*.ticket"))


def files(run: Path) -> set[str]:
    return {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} - {"train.log"}


def after_file(bench, subject, killed, detail) -> str:
    """No file, or all of it; written again it is the same, with nothing beside it."""
    (name,) = (path.name for path in bench.measured(subject, detail)[2].iterdir())
    whole, target = (bench.measured(subject, detail)[2] / name).read_bytes(), killed.folder / name
    there = target.exists()
    assert not there or target.read_bytes() == whole, "half a file in the place of the whole"
    grow_old(killed.folder)
    assert STARTS[subject][0](bench, killed.folder, detail, None).wait() == 0
    assert target.read_bytes() == whole
    assert [path.name for path in killed.folder.iterdir()] == [name], "something was left lying"
    return "whole" if there else "nothing there"


def grow_old(folder: Path) -> None:
    """As if the kill were an hour ago: what lies beside a file may be somebody's who is writing just now."""
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600,) * 2)


def after_import(bench, killed, detail) -> str:
    """No run, or all of it; imported again at once it is all there, and nothing else is."""
    place, source = killed.folder / "runs", bench.measured("import", detail)[2] / "runs"
    (whole,) = visible(source)
    before = visible(place)
    assert all(digests(run) == digests(whole) for run in before), "half a run among the runs"
    grow_old(place)
    assert start_import(bench, killed.folder, detail, None).wait() == 0
    after = visible(place)
    assert len(after) == len(before) + 1 and all(digests(run) == digests(whole) for run in after)
    assert sorted(place.iterdir()) == sorted(after), "something was left lying"
    return "all there" if before else "nothing there"


def visible(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if not path.name.startswith(".")]


def digests(run: Path) -> dict[str, str]:
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in files(run)}


def after_command(bench, killed, detail) -> str:
    if detail == "export":
        return after_file(bench, "command", killed, detail)
    run, whole = killed.folder / "run", bench.measured("command", "train")[2] / "run"
    epochs = check_saved(run) if runs.is_run(run) else 0
    if not runs.is_run(run):  # before its recipe was written: the same command begins it
        assert start_command(bench, killed.folder, detail, None).wait() == 0
    elif runs.state(run) != "finished":
        assert bench.command("train", "--resume", run).wait() == 0
    check_whole(bench, run, whole)
    return f"{epochs} of {SMALL.epochs} epochs saved"


AFTER = {
    "training": after_training,
    "weights": lambda bench, killed, detail, chance: after_file(bench, "weights", killed, detail),
    "zip": lambda bench, killed, detail, chance: after_file(bench, "zip", killed, detail),
    "import": lambda bench, killed, detail, chance: after_import(bench, killed, detail),
    "command": lambda bench, killed, detail, chance: after_command(bench, killed, detail),
}


def one(bench: Bench, seed: int, tell) -> str:
    """The kill of that seed, and all that must hold; returns its subject."""
    chance, turn, place = random.Random(seed), *divmod(seed, len(SUBJECTS))
    subject, inside = SUBJECTS[place], (turn + place) % 2 == 0
    detail, clock = chance.choice(STARTS[subject][1]), time.monotonic()
    try:
        killed = kill(bench, subject, detail, inside, chance)
        found = AFTER[subject](bench, killed, detail, chance)
    except (Exception, AssertionError) as error:
        error.add_note(f"seed {seed}: {subject} ({detail}), {'inside a write' if inside else 'at a moment'}; again by "
                       f"python -m tests.reliability.kills 1 {seed}")
        raise
    tell(f"seed {seed:3}  {subject:8} {detail:11}  {killed.how:22}  {found}; {time.monotonic() - clock:.1f} s")
    return subject + (", inside a write" if inside else ", at a moment")


def main(count: int = 200, first: int = 0) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench, clock = Bench(Path(folder)), time.monotonic()
        found = Counter(one(bench, seed, lambda text: print(text, flush=True)) for seed in range(first, first + count))
    for subject, number in sorted(found.items()):
        print(f"{number:4}  {subject}")
    print(f"{count} kills in {time.monotonic() - clock:,.0f} s: every directory opened, every continuation exact")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
