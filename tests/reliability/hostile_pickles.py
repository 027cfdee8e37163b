"""Checkpoints of torch.save whose pickle runs code, or asks for work without end."""

import io
import pickletools
import struct
import zipfile

import torch

from . import good
from .cases import PROBLEM, Case, answer, problem

COMMAND = "S'touch evil'\n"
GADGETS = {  # what runs when it is unpickled without care; every opcode that calls, by protocol 0 where it can
    "REDUCE of os.system": f"cos\nsystem\n({COMMAND}tR",
    "REDUCE of posix.system": f"cposix\nsystem\n({COMMAND}tR",
    "REDUCE of eval": 'cbuiltins\neval\n(S\'__import__("os").system("touch evil")\'\ntR',
    "REDUCE of eval by its old name": 'c__builtin__\neval\n(S\'__import__("os").system("touch evil")\'\ntR',
    "REDUCE of subprocess": "csubprocess\ncheck_output\n((S'touch'\nS'evil'\nltR",
    "REDUCE of open": "cbuiltins\nopen\n(S'../evil'\nS'w'\ntR",
    "REDUCE of a connection": "csocket\ncreate_connection\n((S'127.0.0.1'\nI9\ntF0.1\ntR",
    "REDUCE of rmtree": "cshutil\nrmtree\n(S'../evil'\nI01\ntR",
    "INST": f"({COMMAND}ios\nsystem\n",
    "OBJ": f"(cos\nsystem\n{COMMAND}o",
    "BUILD": f"ctypes\nSimpleNamespace\n(tR(dS'__setstate__'\ncos\nsystem\nsb{COMMAND}b",
    "NEWOBJ": f"ctypes\nSimpleNamespace\n)\x81}}S'__setstate__'\ncos\nsystem\nsb{COMMAND}b",
    "NEWOBJ_EX": f"ctypes\nSimpleNamespace\n)}}\x92}}S'__setstate__'\ncos\nsystem\nsb{COMMAND}b",
    "STACK_GLOBAL": f"\x8c\x02os\x8c\x06system\x93({COMMAND}tR",
    "a persistent id": f"(S'storage'\ncos\nsystem\n({COMMAND}tRS'0'\nS'cpu'\nI1\ntQ",
}
OLDER_OPCODES = {"INST", "OBJ"}


def framed(code: bytes, protocol: int) -> bytes:
    """The opcodes with the head that a protocol has; no STOP."""
    head = b"\x80" + bytes([protocol]) if protocol >= 2 else b""
    return head + (b"\x95" + struct.pack("<Q", len(code)) if protocol >= 4 else b"") + code


def with_pickle(change, data: bytes | None = None) -> bytes:
    """A checkpoint of torch.save, its pickle changed."""
    return good.repacked(data or good.checkpoint("weights.pth"), zipfile.ZIP_STORED, data_pkl=change)


def in_an_older_file(change) -> bytes:
    """The same in the format before 1.6: the fourth pickle of the file is the one that counts."""
    data, file = good.checkpoint("older.pth"), io.BytesIO(good.checkpoint("older.pth"))
    for _ in range(3):
        list(pickletools.genops(file))
    begin = file.tell()
    list(pickletools.genops(file))
    return data[:begin] + change(data[begin : file.tell()]) + data[file.tell() :]


def traps() -> list[Case]:
    """Each gadget before a good pickle: what it leaves lies under the weights, and the file would open as any other."""
    found = []
    for name, words in GADGETS.items():
        code = words.encode("latin1")
        for protocol in range(6):
            hidden = framed(code, protocol)
            found.append(
                Case(
                    f"pickle of protocol {protocol}, {name}",
                    "weights",
                    lambda h=hidden: with_pickle(lambda good_: h + good_),
                    PROBLEM,
                    "evil.pth",
                    trap=name != "a persistent id",
                )
            )
        hidden = framed(code, 2)
        found.append(
            Case(
                f"older file, {name}",
                "weights",
                lambda h=hidden: in_an_older_file(lambda good_: h + good_),
                PROBLEM,
                "evil.pt",
                trap=name != "a persistent id",
            )
        )
        if name != "a persistent id":
            for protocol in (0, 2, 4):
                alone = framed(code, protocol) + b"."
                found.append(
                    Case(
                        f"bare pickle of protocol {protocol}, {name}",
                        "weights",
                        lambda a=alone: a,
                        PROBLEM,
                        "evil.bin",
                        trap=True,
                    )
                )
    return found


# Work without end


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def call(name: str, arguments: bytes) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + arguments + b"tR"


def expanded(count: int) -> bytes:
    """One number of the file's as a tensor of so many: stride 0 costs nothing."""
    storage = b"((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n"
        + storage
        + b"K\0("
        + number(count)
        + b"t(K\0t\x89ccollections\nOrderedDict\n)Rt"
        + b"R"
    )


def one_number() -> bytes:
    return good.torch_file({"x": torch.zeros(1)})


def before(code: bytes):
    """The same as a gadget: what the code leaves lies under the good weights."""
    return lambda: with_pickle(lambda good_: b"\x80\x02" + code + good_)


def lone(code: bytes):
    return lambda: with_pickle(lambda _: b"\x80\x02" + code + b".", one_number())


def laughs(levels: int, build: bytes = b"\x86") -> bytes:
    """A pair of the same pair of the same pair ...: 2 to the power of `levels` in what walks through it."""
    return b"K\x01" + b"".join(b"q" + bytes([n % 256]) + b"h" + bytes([n % 256]) + build for n in range(levels))


def list_laughs(levels: int) -> bytes:
    inner = b"(" + b"K\x01" * 10 + b"l"
    for level in range(levels):
        inner = inner + b"q" + bytes([level]) + b"0(" + (b"h" + bytes([level])) * 10 + b"l"
    return inner.replace(b"(" + b"K\x01" * 10 + b"l", b"](" + b"K\x01" * 10 + b"e")


def own_mirror(keys: int) -> bytes:
    """A dictionary that holds itself under many names."""
    return b"}q\x00(" + b"".join(text(f"k{n}") + b"h\x00" for n in range(keys)) + b"u"


def encoded_again_and_again(length: int, times: int) -> bytes:
    again = b"c_codecs\nencode\nq\x01" + text("x" * length) + b"q\x02"
    return again + b"](" + b"h\x01(h\x02X\x06\0\0\0latin1tR" * times + b"e"


def endless() -> list[Case]:
    collisions = (
        b"}("
        + b"".join(b"\x8a\x0c" + ((n + 1) * (2**61 - 1)).to_bytes(12, "little") + b"N" for n in range(60_000))
        + b"u"
    )
    lists = b"](" + b"(" * 0 + b"e"
    return [
        Case(name, "weights", make, wanted, "w.pth")
        for name, make, wanted in (
            ("a bytearray of 50 GB", before(call("builtins bytearray", number(50_000_000_000))), PROBLEM),
            (
                "a tensor of 2 billion numbers from nothing",
                before(call("torch FloatTensor", number(2_000_000_000))),
                PROBLEM,
            ),
            ("a set of a tensor's 10 billion rows", lone(call("builtins set", expanded(10**10))), PROBLEM),
            ("a Counter of a tensor's 10 billion rows", lone(call("collections Counter", expanded(10**10))), PROBLEM),
            ("a size of a tensor's 10 billion rows", lone(call("torch Size", expanded(10**10))), PROBLEM),
            (
                "a tensor of stride 0 moved to another kind",
                lone(
                    call(
                        "torch._utils _rebuild_device_tensor_from_cpu_tensor",
                        expanded(10**10) + b"ctorch\nfloat64\nX\x03\0\0\0cpu\x89",
                    )
                ),
                PROBLEM,
            ),
            (
                "a sparse tensor of stride 0",
                lone(
                    call(
                        "torch._utils _rebuild_sparse_tensor",
                        b"ctorch.serialization\n_get_layout\n(X\x10\0\0\0torch.sparse_cootR("
                        + expanded(10**10)
                        + expanded(10**10)
                        + b"("
                        + number(10**10)
                        + b"t\x89t",
                    )
                ),
                PROBLEM,
            ),
            ("a text encoded 4,000 times", before(encoded_again_and_again(200_000, 4_000)), PROBLEM),
            (
                "a text encoded as a domain's name",
                before(call("_codecs encode", text("a" * 300_000) + text("idna"))),
                PROBLEM,
            ),
            (
                "a text encoded as punycode",
                before(call("_codecs encode", text("\u0101\u0102" * 200_000) + text("punycode"))),
                PROBLEM,
            ),
            ("a key that is a pair of a pair of a pair", lone(b"}" + laughs(60) + b"Ns"), PROBLEM),
            ("a list of a list of a list, as a tensor", lone(call("torch Tensor", list_laughs(9))), PROBLEM),
            ("a dictionary in itself under 250 names", lone(own_mirror(250)), problem("not of tensors")),
            ("a number of 20,000 digits as a key", lone(b"}\x8a\xff" + b"\x7f" * 255 + b"Ns"), PROBLEM),
            (
                "a number of 200,000 digits as a key",
                lone(b"}\x8b" + struct.pack("<i", 90_000) + b"\x7f" * 90_000 + b"Ns"),
                PROBLEM,
            ),
            ("60,000 keys of one place", lone(collisions), PROBLEM),
            ("a list in a list, 500,000 deep", lone(b"]" * 500_000 + b"a" * 499_999), PROBLEM),
            ("a tuple in a tuple, 500,000 deep", lone(b")" + b"\x85" * 500_000), PROBLEM),
            ("a tuple in a tuple as a key, 500,000 deep", lone(b"})" + b"\x85" * 500_000 + b"Ns"), PROBLEM),
            ("a pickle that ends at once", lone(b""), PROBLEM),
            ("a pickle of a million marks", lone(b"(" * 1_000_000), PROBLEM),
            ("a pickle that takes what is not there", lone(b"h\xff"), PROBLEM),
            ("a million empty dictionaries", lone(lists[:2] + b"}" * 1_000_000 + b"e"), PROBLEM),
            ("a text of 4 GB that is not there", lone(b"X\xff\xff\xff\xff"), PROBLEM),
            (
                "weights twice under two names",
                lambda: good.torch_file({"model": good.state(), "ema": good.state()}),
                answer("resnet8"),
            ),
        )
    ]


def cases() -> list[Case]:
    return traps() + endless()
