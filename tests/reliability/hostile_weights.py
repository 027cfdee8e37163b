"""Checkpoints that are cut, flipped, lying about themselves, or full of what no network holds."""

import io
import json
import struct
import zipfile
from collections.abc import Callable

import torch
from safetensors.torch import save as to_safetensors

from . import good
from .cases import EITHER, PROBLEM, Case, answer, flips, problem, truncations

NETWORK = answer("resnet8 says finite")
TURNED = "\u202egnp.x\x1b[2J\n"


def safetensors(head: dict | bytes | str, data: bytes = b"", length: int | None = None) -> bytes:
    text = head if isinstance(head, bytes) else (head if isinstance(head, str) else json.dumps(head)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape: list, offsets: list, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def many_names(count: int) -> str:
    return "{" + ",".join(f'"t{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(count)) + "}"


def liars() -> list[Case]:
    """Safetensors whose header is not true."""
    two = {"a": entry([2], [0, 8]), "b": entry([2], [4, 12])}
    deep = '{"a":' + "[" * 200_000
    heads = {
        "of a length beyond the file": (safetensors({}, length=10**6), PROBLEM),
        "of the largest length": (safetensors({}, length=2**64 - 1), PROBLEM),
        "of length 0": (safetensors({"a": 1}, length=0), PROBLEM),
        "that is a list": (safetensors([1]), PROBLEM),
        "that is half JSON": (safetensors('{"a": {"dtype"'), PROBLEM),
        "in bytes that are no text": (safetensors(b'{"\xff\xfe": 1}'), PROBLEM),
        "200,000 deep": (safetensors(deep), PROBLEM),
        "of 400,000 tensors": (lambda: safetensors(many_names(400_000)), PROBLEM),
        "of 90 MB of spaces": (lambda: safetensors("{" + " " * 90_000_000 + "}"), PROBLEM),
        "with tensors that overlap": (safetensors(two, bytes(12)), PROBLEM),
        "with a hole between tensors": (
            safetensors({"a": entry([1], [0, 4]), "b": entry([1], [8, 12])}, bytes(12)),
            PROBLEM,
        ),
        "with offsets the wrong way": (safetensors({"a": entry([2], [8, 0])}, bytes(8)), PROBLEM),
        "with offsets below 0": (safetensors({"a": entry([2], [-8, 0])}, bytes(8)), PROBLEM),
        "with offsets that are fractions": (safetensors({"a": entry([2], [0.5, 8.5])}, bytes(8)), PROBLEM),
        "with offsets beyond 2^64": (safetensors({"a": entry([2], [2**70, 2**70 + 8])}, bytes(8)), PROBLEM),
        "with a shape larger than its bytes": (safetensors({"a": entry([2**40], [0, 8])}, bytes(8)), PROBLEM),
        "with a shape that runs over": (safetensors({"a": entry([2**33, 2**33], [0, 8])}, bytes(8)), PROBLEM),
        "with a shape that runs over to 0": (safetensors({"a": entry([2**32, 2**32], [0, 0])}, b""), PROBLEM),
        "with a shape below 0": (safetensors({"a": entry([-2], [0, 8])}, bytes(8)), PROBLEM),
        "with 1,000 dimensions": (safetensors({"a": entry([1] * 1000, [0, 4])}, bytes(4)), PROBLEM),
        "with a dtype nobody knows": (safetensors({"a": entry([2], [0, 8], "F33")}, bytes(8)), PROBLEM),
        "with another dtype than its bytes": (safetensors({"a": entry([2], [0, 8], "F64")}, bytes(8)), PROBLEM),
        "with tensors that are not there": (safetensors({"a": entry([2], [0, 8])}, b""), PROBLEM),
        "with bytes that belong to none": (safetensors({"a": entry([2], [0, 8])}, bytes(99)), PROBLEM),
        "with a key twice": (
            safetensors(
                '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
                bytes(8),
            ),
            PROBLEM,
        ),
        "with metadata that are numbers": (safetensors({"__metadata__": {"resnet_viz": 5}}), PROBLEM),
        "with metadata that are a list": (safetensors({"__metadata__": [1]}), PROBLEM),
        "with metadata alone": (safetensors({"__metadata__": {"resnet_viz": "{}"}}), PROBLEM),
    }
    return [
        Case(
            f"safetensors with a header {name}",
            "weights",
            lambda data=data: data() if callable(data) else data,
            wanted,
            "w.safetensors",
        )
        for name, (data, wanted) in heads.items()
    ]


def own_headers() -> list[Case]:
    """This project's own header, changed by hand."""
    changes = {
        "of a network nobody has": ({"network": "../../resnet8"}, PROBLEM),
        "of a network that is a number": ({"network": 8}, PROBLEM),
        "of a billion blocks": ({"network": "resnet18", "arguments": {"depths": [10**9]}}, PROBLEM),
        "of 999 blocks a stage": ({"network": "resnet18", "arguments": {"depths": [999, 999, 999, 999]}}, PROBLEM),
        "of a billion channels": ({"network": "resnet18", "arguments": {"widths": [2**40]}}, PROBLEM),
        "of 10,000 stages": (
            {"network": "custom-resnet", "arguments": {"depths": [1] * 10_000, "widths": [1] * 10_000}},
            PROBLEM,
        ),
        "of a billion classes": ({"arguments": {"heads": [10**9]}}, PROBLEM),
        "of arguments that are code": ({"arguments": {"__class__": "os.system"}}, PROBLEM),
        "of NaN": ({"arguments": {"heads": [float("nan")]}}, PROBLEM),
        "with too few classes": ({"classes": ["a"]}, PROBLEM),
        "with classes that turn the text": ({"classes": [TURNED + str(n) for n in range(10)]}, NETWORK),
        "with classes of half characters": ({"classes": ["\ud800" + str(n) for n in range(10)]}, NETWORK),
        "with classes that are lists": ({"classes": [[[]]] * 10}, NETWORK),
        "with classes of a megabyte": ({"classes": ["x" * 10**6] * 10}, NETWORK),
        "with metrics that are texts": ({"metrics": {"val_accuracy": "<script>"}}, PROBLEM),
        "with metrics that are NaN": ({"metrics": {"val_accuracy": float("nan")}}, PROBLEM),
        "with metrics that are a list": ({"metrics": [1]}, PROBLEM),
        "with an epoch that is a text": ({"epoch": "2"}, PROBLEM),
        "with a data set that turns the text": ({"data": TURNED}, NETWORK),
        "with pictures of a billion pixels": (
            {"preprocessing": {"size": 10**9, "resize": 10**9, "mean": [0.5], "std": [0.5]}},
            PROBLEM,
        ),
        "with a mean of 400 digits": (
            {"preprocessing": {"size": 32, "resize": 32, "mean": [10**400] * 3, "std": [1] * 3}},
            PROBLEM,
        ),
        "with a spread of 0": (
            {"preprocessing": {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0] * 3}},
            PROBLEM,
        ),
        "with pictures that are a text": ({"preprocessing": "32"}, PROBLEM),
        "with means that are NaN": (
            {"preprocessing": {"size": 32, "resize": 32, "mean": [float("nan")] * 3, "std": [1] * 3}},
            PROBLEM,
        ),
        "with what nobody asked for": ({"code": "import os"}, NETWORK),
    }
    found = [
        Case(f"own header {name}", "weights", lambda c=change: good.own(**c), wanted, "w.safetensors")
        for name, (change, wanted) in changes.items()
    ]
    texts = {
        "100,000 deep": '{"network":' * 100_000,
        "that is a number": "5",
        "that is empty": "",
        "with a number of 5,000 digits": '{"epoch": ' + "9" * 5000 + "}",
    }
    return found + [
        Case(f"own header {name}", "weights", lambda t=text: good.own(text=t), EITHER, "w.safetensors")
        for name, text in texts.items()
    ]


def with_state(change: Callable[[dict], dict]) -> Callable[[], bytes]:
    """The good weights with a change, as a stranger's safetensors."""
    return lambda: to_safetensors({name: tensor.contiguous() for name, tensor in change(dict(good.state())).items()})


def filled(value: float, name: str = "conv1.weight"):
    return lambda state: {**state, name: torch.full_like(state[name], value)}


def added(**tensors: torch.Tensor):
    return lambda state: {**state, **{name.replace("__", "."): tensor for name, tensor in tensors.items()}}


def numbers() -> list[Case]:
    """Weights that open as a file, and are no weights, or strange ones."""
    nothing, zero = torch.zeros(0), torch.zeros(0, 2**40, 3, 3)
    strange = answer("not finite|NaN or infinity")
    stages = {f"layer{n}.{b}.conv1.weight": torch.zeros(0) for n in range(1, 40) for b in (0, 9999)}
    nets = {f"net{n}.{name}": nothing for n in range(4000) for name in ("conv1.weight", "layer1.0.conv1.weight")}
    changes = {
        "NaN in the stem": (filled(float("nan")), strange),
        "infinity in the stem": (filled(float("inf")), strange),
        "infinity in the classifier": (filled(float("-inf"), "fc.bias"), strange),
        "NaN in a running variance": (filled(float("nan"), "bn1.running_var"), strange),
        "a running variance below 0": (filled(-1.0, "bn1.running_var"), answer("resnet8")),
        "the largest floats": (filled(3e38), answer("resnet8")),
        "the smallest floats": (filled(1e-45), NETWORK),
        "zeros": (lambda s: {n: torch.zeros_like(t) for n, t in s.items()}, NETWORK),
        "whole numbers": (lambda s: {n: (t * 10).to(torch.int64) for n, t in s.items()}, EITHER),
        "truth values": (lambda s: {n: t > 0 for n, t in s.items()}, EITHER),
        "bytes": (lambda s: {n: t.abs().to(torch.uint8) for n, t in s.items()}, EITHER),
        "doubles": (lambda s: {n: t.double() for n, t in s.items()}, NETWORK),
        "halves": (lambda s: {n: t.half() for n, t in s.items()}, NETWORK),
        "floats of 8 bits": (lambda s: {n: t.to(torch.float8_e4m3fn) for n, t in s.items()}, answer("resnet8")),
        "complex numbers": (lambda s: {n: t.to(torch.complex64) for n, t in s.items()}, PROBLEM),
        "counters that are fractions": (
            lambda s: {n: t.float() if n.endswith("tracked") else t for n, t in s.items()},
            EITHER,
        ),
        "a stem of no pictures": (added(conv1__weight=torch.zeros(16, 0, 3, 3)), PROBLEM),
        "a stem of a trillion channels": (added(conv1__weight=zero), PROBLEM),
        "a classifier of no classes": (added(fc__weight=torch.zeros(0, 64), fc__bias=nothing), PROBLEM),
        "a classifier of one dimension": (added(fc__weight=torch.zeros(640)), PROBLEM),
        "a scalar for a kernel": (added(conv1__weight=torch.zeros(())), PROBLEM),
        "nothing but names": (lambda s: {n: nothing for n in s}, PROBLEM),
        "block 9,999 and none between": (lambda s: {**s, **stages}, PROBLEM),
        "4,000 networks": (lambda s: nets, PROBLEM),
        "4,000 networks and one": (lambda s: {**nets, **s}, EITHER),
        "a name of 200,000 wrappers": (lambda s: {"net." * 200_000 + n: t for n, t in list(s.items())[:3]}, PROBLEM),
        "names of 1,000 wrappers": (lambda s: {"module." * 1_000 + n: t for n, t in s.items()}, PROBLEM),
        "a name that turns the text": (lambda s: {**s, TURNED: nothing}, PROBLEM),
        "an empty name": (lambda s: {**s, "": nothing}, EITHER),
        "two names of one tensor": (lambda s: {**s, "linear.weight": s["fc.weight"].clone()}, PROBLEM),
        "names in capitals": (lambda s: {n.upper(): t for n, t in s.items()}, PROBLEM),
        "50,000 more names": (lambda s: {**s, **{f"x{n}": nothing for n in range(50_000)}}, EITHER),
        "a name that is a path": (lambda s: {**s, "../../../etc/passwd": nothing}, answer("resnet8")),
    }
    return [
        Case(f"weights with {name}", "weights", with_state(change), wanted, "w.safetensors")
        for name, (change, wanted) in changes.items()
    ]


def zips() -> list[Case]:
    whole, older, packed = (
        (lambda: good.checkpoint("weights.pth")),
        (lambda: good.checkpoint("older.pth")),
        zipfile.ZIP_DEFLATED,
    )

    def two_of(name: str) -> bytes:
        with zipfile.ZipFile(io.BytesIO(whole())) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        return good.zipped({**members, name: b"\x80\x02cos\nsystem\n(S'touch evil'\ntR."}, zipfile.ZIP_STORED)

    return [
        Case(name, "weights", make, wanted, upload)
        for name, upload, make, wanted in (
            (
                "pth whose pickle unpacks to 90 MB",
                "w.pth",
                lambda: good.repacked(whole(), packed, data_pkl=bytes(90_000_000)),
                PROBLEM,
            ),
            (
                "pth whose weights unpack to 200 MB",
                "w.pth",
                lambda: good.repacked(whole(), packed, data_0=bytes(200_000_000)),
                PROBLEM,
            ),
            (
                "pth that says less than it unpacks to",
                "w.pth",
                lambda: shrunk(good.repacked(whole(), packed, data_0=bytes(200_000_000))),
                PROBLEM,
            ),
            ("pth with a second pickle in capitals", "w.pth", lambda: two_of("ARCHIVE/DATA.PKL"), PROBLEM),
            ("pth with a second pickle elsewhere", "w.pth", lambda: two_of("b/data.pkl"), PROBLEM),
            ("pth with two tables of contents", "w.pth", lambda: two_tables(whole()), PROBLEM),
            ("pth with a way out", "w.pth", lambda: two_of("archive/../../../evil"), EITHER),
            ("zip in a zip in a zip", "w.pth", lambda: nested(1000), PROBLEM),
            ("pth in a pth", "w.pth", lambda: good.zipped({"archive/data.pkl": whole()}, zipfile.ZIP_STORED), PROBLEM),
            (
                "TorchScript",
                "w.pt",
                lambda: good.zipped({"a/data.pkl": b"\x80\x02}.", "a/code/__torch__.py": b"import os"}),
                problem("TorchScript"),
            ),
            ("pictures with the ending of weights", "w.pth", lambda: good.picture("photo.png"), PROBLEM),
            ("no weights at all", "w.pth", lambda: b"", problem("is empty")),
            ("8 bytes", "w.safetensors", lambda: bytes(8), PROBLEM),
            ("ONNX", "w.onnx", lambda: b"\x08\x07\x12\x07pytorch" + bytes(99), PROBLEM),
            ("HDF5", "w.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(99), PROBLEM),
            ("a tar", "w.tar", lambda: b"storages".ljust(512, b"\0") + bytes(1024), PROBLEM),
            ("safetensors with the ending of a pickle", "w.pth", good.own, NETWORK),
            ("a pickle with the ending of safetensors", "w.safetensors", whole, NETWORK),
            ("an older file with bytes after it", "w.pth", lambda: older() + bytes(99), EITHER),
        )
    ]


def shrunk(data: bytes) -> bytes:
    """A zip whose table gives the largest member as 8 bytes long."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        largest = max(info.file_size for info in archive.infolist())
    return data.replace(struct.pack("<I", largest), struct.pack("<I", 8))


def two_tables(data: bytes) -> bytes:
    """The zip's table twice: the first, to which its end points, is another than the one that stands before the end."""
    end = data.rindex(b"PK\x05\x06")
    size, at = struct.unpack("<II", data[end + 12 : end + 20])
    table = data[at : at + size]
    return data[:at] + table.replace(b"data.pkl", b"dbta.pkl") + table + data[end:]


def nested(levels: int) -> bytes:
    data = b"x"
    for _ in range(levels):
        data = good.zipped({"data.pkl": data}, zipfile.ZIP_DEFLATED)
    return data


def cases() -> list[Case]:
    found = []
    for name in good.CONTAINERS:
        whole = lambda name=name: good.checkpoint(name)  # noqa: E731
        found += [
            Case(f"whole {name}", "weights", whole, NETWORK, name),
            *truncations(name, "weights", name, whole),
            *flips(name, "weights", name, whole, 8),
        ]
    return found + liars() + own_headers() + numbers() + zips()
