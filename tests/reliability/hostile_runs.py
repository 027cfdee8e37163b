"""Archives of runs that are no runs, and class names that are no names."""

import json
import stat
import struct
import zipfile

import numpy as np
from safetensors.numpy import save as to_safetensors

from . import good
from .cases import EITHER, PROBLEM, Case, answer, flips, problem, truncations
from .hostile_zips import WAYS_OUT

WHOLE = answer("run mine finished with 1 rows, marks 'Mine'")
TURNED = "\u202egnp.x\x1b[2J"


def member(name: str, data: bytes = b"x", mode: int = 0o100644) -> bytes:
    import io

    target, info = io.BytesIO(good.run_archive()), zipfile.ZipInfo("x")
    info.filename, info.external_attr = name, mode << 16
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(info, data)
    return target.getvalue()


def text(**values) -> bytes:
    return json.dumps(values).encode()


def row(**values) -> bytes:
    return json.dumps({"split": "train", "step": 1, **values}).encode() + b"\n"


def texts() -> list[Case]:
    """What the JSON files of a run may say instead."""
    deep, digits = b'{"a":' * 50_000, b"9" * 5_000
    changes = {
        "a recipe 50,000 deep": ({"config_json": deep}, PROBLEM),
        "a recipe that is a list": ({"config_json": b"[]"}, PROBLEM),
        "a recipe of NaN": ({"config_json": text(lr=float("nan"))}, PROBLEM),
        "a recipe of infinity": ({"config_json": text(lr=float("inf"))}, PROBLEM),
        "a recipe with NaN among its arguments": ({"config_json": text(arguments={"heads": [float("nan")]})}, PROBLEM),
        "a recipe with 5,000 digits": ({"config_json": b'{"seed": ' + digits + b"}"}, PROBLEM),
        "a recipe with half a character": ({"config_json": text(data="\ud800")}, EITHER),
        "a recipe whose data turn the text": ({"config_json": text(data=TURNED)}, EITHER),
        "a recipe that starts from elsewhere": ({"config_json": text(start_from="../../../etc/passwd")}, EITHER),
        "a recipe with a key of code": ({"config_json": text(__class__="x")}, PROBLEM),
        "a recipe in bytes that are no text": ({"config_json": b"\xff\xfe\x00"}, PROBLEM),
        "a recipe with a mark before it": ({"config_json": b"\xef\xbb\xbf" + text(network="resnet8")}, EITHER),
        "a recipe with a key twice": ({"config_json": b'{"seed": 1, "seed": 2}'}, EITHER),
        "a status that is none": ({"status_json": text(state="sudo")}, PROBLEM),
        "a status with a step below 0": ({"status_json": text(state="failed", step=-1)}, PROBLEM),
        "a status with a message that turns the text": (
            {"status_json": text(state="failed", message=TURNED * 9)},
            answer("run mine failed"),
        ),
        "a status with half a character": (
            {"status_json": text(state="failed", message="\ud800")},
            answer("run mine failed"),
        ),
        "a status that claims this process": (
            {"status_json": text(state="running", pid=1, host="here", process_created=0)},
            answer("run mine stopped"),
        ),
        "a name that turns the text": ({"person_json": text(name=TURNED, note=TURNED)}, answer("run mine finished")),
        "a name of half characters": (
            {"person_json": text(name="\ud800", note="\udfff" * 99)},
            answer("run mine finished"),
        ),
        "a name of a megabyte": (
            {"person_json": text(name="n" * 10**6, note="n" * 10**6)},
            answer("run mine finished"),
        ),
        "a name that is a list": ({"person_json": text(name=[1], star="yes")}, answer("run mine finished")),
        "a card in bytes that are no text": ({"mine/README.md": b"\xff\xfe\xfd"}, PROBLEM),
        "a card of Markdown": ({"mine/README.md": b"![x](http://x/y.png) <script>"}, WHOLE),
        "a loss that is NaN": ({"metrics_jsonl": row(loss=float("nan"))}, EITHER),
        "a loss that is infinite": ({"metrics_jsonl": row(loss=float("inf"))}, EITHER),
        "a loss that is a text": ({"metrics_jsonl": row(loss="1")}, PROBLEM),
        "a loss of 5,000 digits": (
            {"metrics_jsonl": b'{"split": "train", "step": 1, "loss": ' + digits + b"}\n"},
            EITHER,
        ),
        "a step that is a truth value": ({"metrics_jsonl": row(step=True)}, PROBLEM),
        "a split that is nobody's": ({"metrics_jsonl": row(split="../x")}, PROBLEM),
        "half a last line": ({"metrics_jsonl": row(loss=1.0) + b'{"split": "tra'}, WHOLE),
        "rows of nothing": ({"metrics_jsonl": b"{}\n" * 9}, PROBLEM),
        "a row 50,000 deep": ({"metrics_jsonl": deep}, PROBLEM),
        "a row of lists": ({"metrics_jsonl": b"[[[]]]\n" * 99}, answer("with 0 rows")),
        "3 million empty lines": ({"metrics_jsonl": lambda: b"\n" * 3_000_000 + b'"noise"'}, EITHER),
        "3 million rows": ({"metrics_jsonl": lambda: b'{"split":"val","step":1}\n' * 3_000_000}, PROBLEM),
        "120 MB of one row": ({"events_jsonl": lambda: b'{"command": "' + b"x" * 120_000_000}, PROBLEM),
        "an order nobody gives": ({"events_jsonl": text(command="rm", step=1)}, PROBLEM),
        "an order with half a character": ({"events_jsonl": text(command="lr", step=1, value="\ud800")}, EITHER),
        "gradients of a million layers": (
            {"gradients_jsonl": lambda: json.dumps({"step": 1, "norm": {f"l{n}": 1 for n in range(10**6)}}).encode()},
            EITHER,
        ),
        "gradients that are texts": ({"gradients_jsonl": text(step=1, norm={"a": "1"})}, PROBLEM),
        "gradients of layers that turn the text": ({"gradients_jsonl": text(step=1, norm={TURNED: 1.0})}, EITHER),
    }
    return [
        Case(f"run with {name}", "run", lambda c=change: good.run_archive(**c), wanted, "mine.zip")
        for name, (change, wanted) in changes.items()
    ]


def tensors() -> list[Case]:
    kernel = {"conv1.weight": np.zeros((1, 1, 3, 3), np.float16)}
    moment = {"step": "1", "epoch": "0", "images": "1", "lr": "0.1"}
    changes = {
        "weights that are a pickle": ({"best_safetensors": good.checkpoint("weights.pth")}, PROBLEM),
        "weights cut in half": ({"best_safetensors": good.own()[:150_000]}, PROBLEM),
        "weights without a header": ({"best_safetensors": to_safetensors(kernel)}, PROBLEM),
        "weights that are empty": ({"best_safetensors": b""}, PROBLEM),
        "weights with a header that announces 90 MB": (
            {"best_safetensors": lambda: struct.pack("<Q", 90_000_000) + b"{" + b" " * 90_000_000},
            PROBLEM,
        ),
        "weights of 400,000 tensors": ({"best_safetensors": lambda: many_tensors(400_000)}, PROBLEM),
        "a moment without a step": ({"snapshots_00000001_safetensors": to_safetensors(kernel)}, PROBLEM),
        "a moment at NaN": (
            {"snapshots_00000001_safetensors": to_safetensors(kernel, {**moment, "step": "nan"})},
            PROBLEM,
        ),
        "a moment at 1e999": (
            {"snapshots_00000001_safetensors": to_safetensors(kernel, {**moment, "lr": "1e999"})},
            PROBLEM,
        ),
        "a moment at 5,000 digits": (
            {"snapshots_00000001_safetensors": to_safetensors(kernel, {**moment, "step": "9" * 5000})},
            PROBLEM,
        ),
        "a moment of empty kernels": (
            {
                "snapshots_00000001_safetensors": to_safetensors(
                    {"c.weight": np.zeros((0, 2**40, 3, 3), np.float16)}, moment
                )
            },
            PROBLEM,
        ),
        "a moment with NaN in it": (
            {
                "snapshots_00000001_safetensors": to_safetensors(
                    {"conv1.weight": np.full((1, 1, 3, 3), np.nan, np.float16)}, moment
                )
            },
            EITHER,
        ),
        "a moment of truth values": (
            {"snapshots_00000001_safetensors": to_safetensors({"conv1.weight": np.ones((1, 1, 3, 3), bool)}, moment)},
            EITHER,
        ),
        "pictures of one dimension": ({"mine/pictures.safetensors": to_safetensors({"images": np.zeros(9)})}, PROBLEM),
    }
    return [
        Case(f"run with {name}", "run", lambda c=change: good.run_archive(**c), wanted, "mine.zip")
        for name, (change, wanted) in changes.items()
    ]


def many_tensors(count: int) -> bytes:
    head = (
        '{"__metadata__":{"resnet_viz":"{\\"a\\":1}"},'
        + ",".join(f'"t{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(count))
        + "}"
    ).encode()
    return struct.pack("<Q", len(head)) + head


def names() -> list[Case]:
    return [
        Case(f"class names {what}", "names", lambda data=data: data() if callable(data) else data, wanted, "names.txt")
        for what, data, wanted in (
            ("as they should be", b"cat\ndog\nbird", answer("3 names: cat, dog, bird")),
            ("as JSON 100,000 deep", b"[" * 100_000, PROBLEM),
            ("of 5,000 digits", b"9" * 5000, PROBLEM),
            ("by numbers of 5,000 digits", b'{"' + b"9" * 5000 + b'": "a", "1": "b", "2": "c"}', EITHER),
            ("by numbers of another script", '{"\u00b2": "a", "1": "b", "2": "c"}'.encode(), EITHER),
            ("in bytes that are no text", b"\xff\xfe\nb\nc", EITHER),
            ("that turn the text", f"{TURNED}\nb\nc".encode(), EITHER),
            ("of half characters", b'["\\ud800", "b", "c"]', EITHER),
            ("that are lists", b"[[], {}, null]", EITHER),
            ("of 10 million lines", lambda: b"a\n" * 10_000_000, PROBLEM),
            ("that are none", b"", PROBLEM),
            ("of a megabyte each", b"\n".join([b"x" * 10**6] * 3), EITHER),
        )
    ]


def cases() -> list[Case]:
    whole = good.run_archive
    found = [
        Case("whole run", "run", whole, WHOLE, "mine.zip"),
        *truncations("run", "run", "mine.zip", whole),
        *flips("run", "run", "mine.zip", whole, 16),
    ]
    found += [
        Case(f"run with a file's name {what}", "run", lambda n=name: member(n), PROBLEM, "mine.zip")
        for what, name in WAYS_OUT.items()
    ]
    found += [Case("run with a file's name of nothing", "run", lambda: member(""), problem("has no name"), "mine.zip")]
    titles = {
        "up": "../../up.zip",
        "from the root": "/etc/cron.d/x.zip",
        "of Windows": "..\\..\\x.zip",
        "of dots": "...zip",
        "of nothing": "",
        "very long": "n" * 9000 + ".zip",
        "that turns the text": TURNED + ".zip",
        "with a zero": "a\0b.zip",
        "of half a character": "\ud800.zip",
    }
    bare = {name.removeprefix("mine/"): data for name, data in good.run_files().items()}
    found += [
        Case(
            f"run without a folder, uploaded under a name {what}",
            "run",
            lambda: good.zipped(bare),
            answer("run "),
            title,
        )
        for what, title in titles.items()
    ]
    found += [
        Case(
            f"run in a folder {what}",
            "run",
            lambda f=folder: good.zipped({f"{f}/{name}": data for name, data in bare.items()}),
            EITHER,
            "mine.zip",
        )
        for what, folder in {
            "that turns the text": TURNED,
            "of a dot": ".",
            "that is hidden": ".hidden",
            "of a device": "CON",
            "of dashes": "-rf",
            "of spaces": "   ",
        }.items()
    ]
    found += [
        Case(f"run {name}", "run", make, wanted, "mine.zip")
        for name, make, wanted in (
            (
                "with a link",
                lambda: member("mine/last.safetensors", b"/etc/passwd", stat.S_IFLNK | 0o777),
                problem("link"),
            ),
            ("with a device", lambda: member("mine/last.safetensors", b"", stat.S_IFBLK | 0o666), problem("device")),
            ("with a pipe", lambda: member("mine/last.safetensors", b"", stat.S_IFIFO | 0o666), problem("device")),
            ("with a name in capitals", lambda: member("mine/CONFIG.json", b"{}"), problem("twice")),
            ("with a folder for a file", lambda: member("mine/config.json/x"), PROBLEM),
            ("with a file for a folder", lambda: member("mine/snapshots", b"x"), PROBLEM),
            ("with an order to the trainer", lambda: member("mine/control/1-a.json", b"{}"), PROBLEM),
            ("with a program", lambda: member("mine/run.sh", b"touch evil", 0o100777), PROBLEM),
            (
                "with 6,000 files",
                lambda: good.zipped({"r/config.json": b"{}", **{f"r/{n}": b"" for n in range(6000)}}),
                problem("more than 5,000"),
            ),
            (
                "that unpacks to 100 MB",
                lambda: good.run_archive(metrics_jsonl=b" " * 100_000_000),
                problem("unpack to"),
            ),
            ("packed by LZMA", lambda: good.zipped(bare, zipfile.ZIP_LZMA), problem("packed in a way")),
            ("in a zip in a zip", lambda: good.zipped({"mine.zip": whole()}), problem("no config.json")),
            (
                "that is two",
                lambda: good.zipped({"a/config.json": b"{}", "b/config.json": b"{}"}),
                problem("no config.json"),
            ),
            ("that is a checkpoint", lambda: good.checkpoint("weights.pth"), PROBLEM),
            ("of no bytes", lambda: b"", PROBLEM),
        )
    ]
    return found + texts() + tensors() + names()
