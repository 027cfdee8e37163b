"""How much work it is to open a pickle, found without doing it.

torch's unpickler with weights_only runs nothing that a file brings along. What it creates can still be made without end
by a few bytes: a bytearray of any size, a set of a tensor's ten billion rows, a text encoded again and again, a key
that is a pair of pairs of pairs. Here its opcodes are gone through with a weight in place of every object.
"""

import pickle
import pickletools
import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from dataclasses import dataclass
from typing import BinaryIO

MOST_BYTES = 32 * 2**20  # of a pickle
MOST_STEPS = 1_500_000  # opcodes of a pickle: sixty a tensor, and a network of a thousand blocks has 12,000
MOST_WEIGHT = 20_000_000  # objects and characters that are met again, all told
MOST_DEPTH = 50  # of tuples in tuples: a key of half a million ends the process, for lack of stack
MOST_LARGE_NUMBERS = (
    10_000  # whole numbers beyond 8 bytes: keys that all fall into one place of a dictionary are made of them
)
CONTAINERS = ("list", "dict", "tuple", "text", "none")
FILLED = (
    "builtins.set",
    "collections.Counter",
    "collections.OrderedDict",
    "torch.Size",
)  # walk through what they are given
ODD = re.compile(r"torch\._utils\._rebuild_(sparse_tensor|qtensor|meta_tensor_no_storage)|torch\.(\w+\.)*\w*sparse\w*")
MAKERS = re.compile(  # what may be called, of what torch permits
    r"torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter|parameter_with_state)|torch\._tensor\._rebuild_from_type_v2|"
    r"torch\.nn\.parameter\.Parameter|torch\.Size|torch\.device|torch\.serialization\._get_layout|torch\.(\w+\.)*\w*Storage|"
    r"torch\.[a-z]+\d*\w*|_codecs\.encode|builtins\.(set|complex)|collections\.(OrderedDict|Counter)"
)
PUT, GET = {"BINPUT", "LONG_BINPUT"}, {"BINGET", "LONG_BINGET"}
NUMBERS = {"BININT", "BININT1", "BININT2", "BINFLOAT", "NEWTRUE", "NEWFALSE"}
EMPTY = {"EMPTY_LIST": "list", "EMPTY_DICT": "dict", "EMPTY_TUPLE": "tuple", "EMPTY_SET": "set", "NONE": "none"}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
INTO = {"APPEND": 1, "SETITEM": 2, "BUILD": 1}  # how many go into what lies under them


class OddTensors(pickle.UnpicklingError):
    """The pickle makes tensors without plain numbers: sparse, quantised or without data."""


@dataclass(eq=False, slots=True)
class _Box:
    """Stands for an object: how much there is to walk through in it, and as much of what it is as decides."""

    kind: str
    weight: int = 1
    value: str = ""  # the name of something global, or a short text
    items: tuple = ()  # of a short tuple
    kinds: frozenset = frozenset()  # of all that was put into a list
    depth: int = 0  # of a tuple, tuples within it and so on


def check(file: BinaryIO, pickles: int, harmless: frozenset[str]) -> None:
    """Go through so many pickles that follow one another; pickle.UnpicklingError for one that must not be opened.

    harmless  names in whose place the caller puts objects of its own
    Also raises what broken files raise: ValueError, IndexError, KeyError, EOFError, AttributeError.
    """
    for _ in range(pickles):
        _check_one(file, harmless)


def _check_one(file: BinaryIO, harmless: frozenset[str]) -> None:
    stack: list[_Box | None] = []  # None is a mark
    memo: dict[int, _Box] = {}
    again = large = 0
    begin = file.tell()
    for step, (opcode, argument, at) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if step > MOST_STEPS or at - begin > MOST_BYTES:
            raise pickle.UnpicklingError("longer than any pickle of weights")
        if name in PUT:
            memo[argument] = stack[-1]
        elif name in GET:
            stack.append(memo[argument])
            again += stack[-1].weight
        elif name == "GLOBAL":
            stack.append(_Box("global", value=_permitted(argument, harmless)))
        elif name == "LONG1":
            large += argument.bit_length() > 64
            stack.append(_Box("number"))
        elif name in NUMBERS:
            stack.append(_Box("number"))
        elif name in ("BINUNICODE", "SHORT_BINSTRING"):
            stack.append(_Box("text", 1 + len(argument), argument if len(argument) < 20 else ""))
        elif name in EMPTY:
            stack.append(_Box(EMPTY[name]))
        elif name == "MARK":
            stack.append(None)
        elif name in TUPLES:
            _tuple(stack, TUPLES[name])
        elif name == "TUPLE":
            _tuple(stack, _above_mark(stack))
        elif name in INTO:
            if name == "BUILD" and not _state(stack[-1]):
                raise pickle.UnpicklingError("a state that is none")
            _into(stack, INTO[name])
        elif name in ("APPENDS", "SETITEMS"):
            _into(stack, _above_mark(stack))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, function = stack.pop(), stack.pop()
            again += arguments.weight
            stack.append(_called(function, arguments))
        elif name == "BINPERSID":
            stack.append(_Box("storage", stack.pop().weight))
        elif name not in ("PROTO", "STOP"):
            raise pickle.UnpicklingError(f"{name} is nothing that torch.save writes")
        if again > MOST_WEIGHT or large > MOST_LARGE_NUMBERS:
            raise pickle.UnpicklingError("the same is met again and again")


def _permitted(argument: str, harmless: frozenset[str]) -> str:
    """The name of a GLOBAL, as Python 3 has it."""
    module, name = argument.split(" ", 1)
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    full = f"{module}.{name}"
    if ODD.fullmatch(full):
        raise OddTensors(full)
    if full not in harmless and not MAKERS.fullmatch(full):
        raise pickle.UnpicklingError(f"GLOBAL {full}")
    return full


def _above_mark(stack: list) -> int:
    """How many lie above the last mark, which is taken away."""
    above = stack[::-1].index(None)
    del stack[-above - 1]
    return above


def _tuple(stack: list, count: int) -> None:
    items = tuple(stack[len(stack) - count :])
    if len(items) < count:
        raise IndexError("fewer than a tuple needs")
    del stack[len(stack) - count :]
    depth = 1 + max((item.depth for item in items), default=0)
    if depth > MOST_DEPTH:
        raise pickle.UnpicklingError("tuples within tuples without end")
    stack.append(_Box("tuple", 1 + sum(item.weight for item in items), items=items if count < 9 else (), depth=depth))


def _into(stack: list, count: int) -> None:
    """The last so many go into what lies under them, wherever else that is known by."""
    added = stack[len(stack) - count :] if count else []
    del stack[len(stack) - count :]
    into = stack[-1]
    into.weight += sum(item.weight for item in added)
    into.kinds |= {item.kind for item in added}
    if into.weight > MOST_WEIGHT:
        raise pickle.UnpicklingError("the same is met again and again")


def _called(function: _Box, arguments: _Box) -> _Box:
    """What a call gives; pickle.UnpicklingError for one that no trainer's file needs."""
    name, items = function.value, arguments.items
    good = function.kind == "global" and arguments.kind == "tuple" and not name.endswith("Storage")
    if name in FILLED:  # these walk through what they are given, and a tensor announces any size
        good &= all(item.kind in CONTAINERS for item in items)
        good &= name != "collections.OrderedDict" or all(
            item.kinds <= {"list", "tuple"} or item.kind == "dict" for item in items
        )
    elif name == "_codecs.encode":
        good &= [item.value for item in items[1:]] in (["latin1"], ["latin-1"])
    elif name == "torch._tensor._rebuild_from_type_v2":
        good &= (
            len(items) == 4
            and items[0].value.startswith("torch._utils._rebuild_")
            and items[2].kind == "tuple"
            and _state(items[3])
        )
    elif name == "torch._utils._rebuild_parameter_with_state":
        good &= len(items) == 4 and _state(items[3])
    if not good:
        raise pickle.UnpicklingError(f"GLOBAL {name}" if function.kind == "global" else "a call of what is no function")
    return _Box({"collections.OrderedDict": "dict", "torch.Size": "tuple"}.get(name, "object"), 1 + arguments.weight)


def _state(box: _Box) -> bool:
    """Whether it may be an object's state: a dictionary, or a tuple of two or other things, but nothing endless."""
    return box.kind in ("dict", "none") or (
        box.kind == "tuple" and (len(box.items) != 2 or all(i.kind in CONTAINERS for i in box.items))
    )
