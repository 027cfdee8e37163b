"""What network is this? Recognise a ResNet from the names and shapes of its tensors.

No table of known files: depth, widths, stem, block and shortcut are read off the shapes, the network is built without
memory, and every tensor is accounted for against it.
"""

import re
from dataclasses import asdict, dataclass, field, replace

from .networks import zoo
from .networks.resnet import BLOCKS, ResNetSpec
from .problems import Problem

PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "encoder.")  # wrappers that put their name before each tensor
RENAMED = (  # other repositories' words for torchvision's
    (re.compile(r"^(?:linear|classifier)\."), "fc."),
    (re.compile(r"\.shortcut\.(?=[01]\.)"), ".downsample."),
)
COUNTER = "num_batches_tracked"  # batch norm's step counter: older files lack it, and nothing in evaluation needs it
LAYER = re.compile(r"(?:layer\d+\.|(?:conv|bn)\d\.)")  # where a ResNet's own layers are
Shape = tuple[int, ...]


class Lacking(Problem):
    """A tensor without which nothing can be inferred is not in the file."""

    def __init__(self, name: str, sentence: str):
        super().__init__(sentence)
        self.name = name


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a file; `to_dict` is the document that the command `doctor` prints.

    renamed  our tensor name -> the file's
    """

    recognised: bool
    network: str | None = None
    arguments: dict = field(default_factory=dict)
    family: str | None = None
    shortcut: str | None = None
    num_classes: int | None = None
    conv_bias: bool | None = None
    in_channels: int | None = None
    params: int | None = None
    format: str | None = None
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict:
        document = asdict(self)
        for inner in ("arguments", "renamed"):
            del document[inner]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}


def diagnose(shapes: dict[str, Shape], header: dict | None, format: str) -> Diagnosis:
    """Name the network whose tensors these are.

    shapes  tensor name -> shape, as the file has them
    header  this project's own description, where the file carries one: then nothing is guessed
    """
    renamed: dict[str, str] = {}
    try:
        for old, new in _torchvision_names(list(shapes)).items():
            if renamed.setdefault(new, old) != old:
                raise Problem(f"{renamed[new]:.60} and {old:.60} are two names of the same tensor; keep one of them.")
        ours = {new: shapes[old] for new, old in renamed.items()}
        if header is not None:
            name, arguments, notes = _from_header(header)
        elif {"conv1.weight", "conv2.weight", "fc.weight"} <= ours.keys() and not any(k.startswith("layer") for k in ours):
            name, arguments, notes = _simple_cnn(ours)
        else:
            name, arguments, notes = _name_of(_infer(ours))
        model = zoo.build(name, arguments, device="meta")
    except Problem as problem:
        missing = (problem.name,) if isinstance(problem, Lacking) else ()
        return Diagnosis(False, format=format, missing=missing, notes=(str(problem),))
    return replace(_compare(model, ours, notes), network=name, arguments=arguments, format=format, renamed=renamed,
                   family=zoo.NETWORKS[name].family if name in zoo.NETWORKS else "custom ResNet")


def _torchvision_names(names: list[str]) -> dict[str, str]:
    """The file's name -> torchvision's, after wrappers' prefixes and other repositories' words are taken away."""
    stripped = {name: name for name in names}
    while prefix := next((p for p in PREFIXES if stripped and all(n.startswith(p) for n in stripped.values())), None):
        stripped = {old: new[len(prefix):] for old, new in stripped.items()}
    for pattern, word in RENAMED:
        stripped = {old: pattern.sub(word, new) for old, new in stripped.items()}
    return stripped


def _from_header(header: dict) -> tuple[str, dict, tuple[str, ...]]:
    name, arguments = header.get("network"), header.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Problem("The file's header names no network; write it again with this version of ResNet Viz.")
    return name, arguments, ()


def _shape(shapes: dict[str, Shape], name: str, dimensions: int) -> Shape:
    if name not in shapes:
        found = ", ".join(f"{other:.40}" for other in list(shapes)[:3]) or "nothing"
        raise Lacking(name, f"This is not a ResNet that we know: it has no tensor {name} (it begins with {found}).")
    if len(shapes[name]) != dimensions:
        raise Problem(f"This is not a ResNet that we know: {name} has shape {list(shapes[name])}, not {dimensions} dimensions.")
    return shapes[name]


def _infer(shapes: dict[str, Shape]) -> tuple[ResNetSpec, tuple[str, ...]]:
    """The spec that these shapes belong to, and what had to be assumed."""
    stem_width, in_channels, kernel, _ = _shape(shapes, "conv1.weight", 4)
    if kernel not in (3, 7):
        raise Problem(f"The first kernels are {kernel}x{kernel}; a ResNet's stem has 7x7 (ImageNet) or 3x3 (CIFAR).")
    classes, features = _shape(shapes, "fc.weight", 2)
    blocks: dict[int, set[int]] = {}
    for name in shapes:
        if match := re.match(r"layer(\d{1,3})\.(\d{1,4})\.", name):
            blocks.setdefault(int(match[1]), set()).add(int(match[2]))
    if not blocks or sorted(blocks) != list(range(1, len(blocks) + 1)):
        raise Problem("This is not a ResNet that we know: its stages layer1, layer2, ... are not complete.")
    block = "bottleneck" if _any(shapes, r"layer\d+\.\d+\.conv3\.") else "basic"
    widths = tuple(_shape(shapes, f"layer{n}.0.conv1.weight", 4)[0] for n in sorted(blocks))
    notes = []
    if features != widths[-1] * BLOCKS[block].expansion:
        raise Problem(f"fc.weight has {features} inputs, but the last stage gives {widths[-1] * BLOCKS[block].expansion} channels.")
    shortcut = "B" if any(".downsample." in name for name in shapes) else "A"
    if shortcut == "A":
        notes.append("No projection shortcuts in the file: shortcut A, which has no parameters, is assumed; "
                     "a plain network without shortcuts has the same tensors.")
    if block == "bottleneck":
        notes.append("The stride of the bottlenecks is assumed on their 3x3 convolution (v1.5, as torchvision): shapes do not tell.")
    return ResNetSpec(block=block, depths=tuple(max(blocks[n]) + 1 for n in sorted(blocks)), widths=widths, heads=(classes,),
                      stem="imagenet" if kernel == 7 else "cifar", stem_width=stem_width, shortcut=shortcut,
                      in_channels=in_channels, conv_bias=_any(shapes, r"(?:.*\.)?conv\d\.bias$"),
                      norm="batch" if _any(shapes, r"(?:.*\.)?bn\d\.") else "none"), tuple(notes)


def _any(shapes: dict[str, Shape], pattern: str) -> bool:
    """Whether any tensor is so named: one that is missing must not turn a network into another kind."""
    return any(re.match(pattern, name) for name in shapes)


def _name_of(inferred: tuple[ResNetSpec, tuple[str, ...]]) -> tuple[str, dict, tuple[str, ...]]:
    """The zoo's name for a spec, with the arguments that differ from it; CUSTOM with the whole spec where none fits."""
    spec, notes = inferred
    free = ("heads", "in_channels", "conv_bias", "norm", "shortcut")  # a ResNet-18 stays one whatever these are
    for name, network in zoo.NETWORKS.items():
        if network.spec is None or network.spec.shortcut is None:
            continue
        own = network.spec.arguments()
        arguments = {key: value for key, value in spec.arguments().items() if value != own[key]}
        if set(arguments) <= set(free):
            return name, {**arguments, "heads": list(spec.heads)}, notes
    note = (f"A custom ResNet: {spec.block} blocks {list(spec.depths)}, widths {list(spec.widths)}, {spec.stem} stem with "
            f"{spec.stem_width} filters.")
    return zoo.CUSTOM, spec.arguments(), (note, *notes)


def _simple_cnn(shapes: dict[str, Shape]) -> tuple[str, dict, tuple[str, ...]]:
    return "simple-cnn", {"heads": [_shape(shapes, "fc.weight", 2)[0]], "in_channels": _shape(shapes, "conv1.weight", 4)[1]}, ()


def _compare(model, shapes: dict[str, Shape], notes: tuple[str, ...]) -> Diagnosis:
    """Every tensor accounted for: what the network lacks in the file, what the file has besides, what disagrees."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    missing = tuple(n for n in wanted if n not in shapes and not n.endswith(COUNTER))
    unexpected = tuple(n for n in shapes if n not in wanted)
    wrong = next((n for n in wanted if n in shapes and shapes[n] != wanted[n]), None)
    strange = next((n for n in unexpected if LAYER.match(n)), None)  # without it the network is another function
    if wrong:
        notes = (f"{wrong} has shape {list(shapes[wrong])} in the file, but {list(wanted[wrong])} in the network.", *notes)
    elif missing:
        notes = (f"{len(missing)} tensors are missing, the first is {missing[0]}; save the whole state_dict.", *notes)
    elif strange:
        notes = (f"This is not a ResNet that we know: its layers have tensors that ours lack, the first is {strange:.80}.",
                 *notes)
    elif unexpected:
        first = f"{unexpected[0]:.80}"
        notes = (*notes, f"{len(unexpected)} tensors belong to no layer and are not used, the first is {first}.")
    spec = getattr(model, "spec", None)
    return Diagnosis(
        recognised=not (wrong or missing or strange), shortcut=spec.shortcut if spec else None,
        num_classes=model.fc.out_features, conv_bias=model.conv1.bias is not None, in_channels=model.conv1.in_channels,
        params=zoo.num_params(model), missing=missing, unexpected=unexpected, notes=notes)
