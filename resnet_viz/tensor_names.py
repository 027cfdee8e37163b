"""The names of a ResNet's tensors in other people's files, in torchvision's words."""

import re
from dataclasses import dataclass

from .problems import Problem

STEM = ("conv1.weight", "conv1.0.weight", "embedder.embedder.convolution.weight")  # the first tensor of each dialect
FIRST_STAGE = ("layer1.", "conv2_x.", "encoder.stages.0.")
STAGED = re.compile(r"(?<![^.])(?=" + "|".join(map(re.escape, FIRST_STAGE)) + ")")  # after a dot, or at the start
MOST_NETWORKS = 50  # in one file: a few are averages or teachers of the first
WRAPPER = re.compile(r"(?:module|_orig_mod|model|backbone|encoder|resnet|net|network)\.")  # before every name of a file
HEAD = re.compile(r"^(?:linear|classifier|last_linear|head\.fc|head)\.(?=(?:\d+\.)?(?:weight|bias)$)")


def _hugging_face(match: re.Match) -> str:
    stage, block, rest = int(match[1]), match[2], match[3]
    if shortcut := re.fullmatch(r"shortcut\.(convolution|normalization)\.(\w+)", rest):
        return f"layer{stage + 1}.{block}.downsample.{int(shortcut[1] == 'normalization')}.{shortcut[2]}"
    if layer := re.fullmatch(r"layer\.(\d+)\.(convolution|normalization)\.(\w+)", rest):
        word = "conv" if layer[2] == "convolution" else "bn"
        return f"layer{stage + 1}.{block}.{word}{int(layer[1]) + 1}.{layer[3]}"
    return match[0]


def _residual_function(match: re.Match) -> str:
    """conv2_x.0.residual_function.3.weight: a list of convolution, batch norm and ReLU in turns."""
    number, turn = divmod(int(match[3]), 3)
    return f"layer{int(match[1]) - 1}.{match[2]}.{('conv', 'bn', 'act')[turn]}{number + 1}."


DIALECTS = {  # where names like the first occur -> how they become torchvision's; the rest is common to all
    "Hugging Face's ResNet": (re.compile(r"embedder\.embedder\."), (
        (re.compile(r"^embedder\.embedder\.convolution\."), "conv1."),
        (re.compile(r"^embedder\.embedder\.normalization\."), "bn1."),
        (re.compile(r"^encoder\.stages\.(\d{1,3})\.layers\.(\d{1,4})\.(.*)$"), _hugging_face),
    )),
    "the CIFAR-100 repositories (residual_function)": (re.compile(r"conv2_x\.\d+\.residual_function\."), (
        (re.compile(r"^conv1\.([01])\."), lambda match: ("conv1.", "bn1.")[int(match[1])]),
        (re.compile(r"^conv(\d{1,3})_x\.(\d{1,4})\.residual_function\.(\d)\."), _residual_function),
        (re.compile(r"^conv(\d{1,3})_x\.(\d{1,4})\.shortcut\.([01])\."),
         lambda match: f"layer{int(match[1]) - 1}.{match[2]}.downsample.{match[3]}."),
    )),
    "the CIFAR repositories (shortcut, linear)": (re.compile(r"(?:linear\.|layer\d+\.\d+\.shortcut\.)"), (
        (re.compile(r"^(layer\d{1,3}\.\d{1,4})\.shortcut\.(?=[01]\.)"), r"\1.downsample."),
    )),
}


@dataclass(frozen=True)
class Names:
    """ours -> the file's name, in the file's order; what was done to them, in words, for the card."""

    of_file: dict[str, str]
    dialect: str | None
    prefix: str
    others: tuple[str, ...]  # prefixes of further networks in the same file


def translate(names: list[str]) -> Names:
    """torchvision's name of every tensor; Problem where two tensors would get the same one.

    A prefix is whatever stands before the stem's name where the same stands before the first stage's; names outside
    of it, such as a classifier beside a `backbone.`, lose the wrappers they have.
    """
    prefixes = _prefixes(names)
    prefix = prefixes[0] if prefixes else _common_prefix(names)
    stripped = {name: name if name.startswith(tuple(prefixes[1:])) else _strip(name, prefix) for name in names}
    dialect, rules = _dialect(stripped.values())
    of_file: dict[str, str] = {}
    lone = _lone_linear(stripped.values())
    for theirs, name in stripped.items():
        for pattern, word in rules:
            name = pattern.sub(word, name)
        name = HEAD.sub("fc.", name)
        if lone and name.startswith(lone):
            name = "fc." + name.removeprefix(lone)
        if of_file.setdefault(name, theirs) != theirs:
            raise Problem(f"{of_file[name]:.60} and {theirs:.60} are two names of the same tensor; keep one of them.")
    return Names(of_file, dialect, prefix, tuple(prefixes[1:]))


def _prefixes(names: list[str]) -> list[str]:
    """What stands before the stem of each ResNet in the file, in the file's order."""
    found = {}
    for name in names:
        for stem in STEM:
            prefix = name.removesuffix(stem)
            if prefix != name and (not prefix or prefix.endswith(".")):
                found[prefix] = None
    staged = {name[:match.start()] for name in names for match in STAGED.finditer(name)}
    prefixes = [prefix for prefix in found if prefix in staged]
    if len(prefixes) > MOST_NETWORKS:
        raise Problem(f"The file holds {len(prefixes):,} networks; keep the tensors of one of them.")
    return prefixes


def _common_prefix(names: list[str]) -> str:
    """Wrappers that all names share, e.g. "module.model."; of a file without a ResNet's stem and first stage."""
    prefix = ""
    while names and (match := WRAPPER.match(names[0], len(prefix))):
        if not all(name.startswith(match[0], len(prefix)) for name in names):
            break
        prefix += match[0]
    return prefix


def _strip(name: str, prefix: str) -> str:
    if name.startswith(prefix):  # with an empty prefix every name does
        return name[len(prefix):]
    while match := WRAPPER.match(name):
        name = name[match.end():]
    return name


def _dialect(names) -> tuple[str | None, tuple]:
    names = list(names)
    for dialect, (sign, rules) in DIALECTS.items():
        if any(sign.match(name) for name in names):
            return dialect, rules
    return None, ()


def _lone_linear(names) -> str | None:
    """"fc.1." where the classifier is a list with one linear layer, e.g. after a dropout; None where it is not."""
    found = {match[1] for name in names if (match := re.fullmatch(r"fc\.(\d+)\.(?:weight|bias)", HEAD.sub("fc.", name)))}
    return f"fc.{found.pop()}." if len(found) == 1 else None
