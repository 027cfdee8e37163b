"""What network is this? Recognise a ResNet from the names and shapes of its tensors.

No table of known files: depth, widths, stem, block and shortcut are read off the shapes, the network is built without
memory, and every tensor is accounted for against it. What shapes do not tell is assumed, said, and can be set by hand.
"""

import re
from dataclasses import dataclass, field, replace

from . import tensor_names
from .networks import zoo
from .networks.resnet import ACTIVATIONS, ResNetSpec
from .problems import Problem

COUNTER = "num_batches_tracked"  # batch norm's step counter: older files lack it, and nothing in evaluation needs it
LAYER = re.compile(r"(?:layer\d+\.|(?:conv|bn|fc)\d*\.)")  # where a ResNet's own layers are
BY_HAND = "Set by hand: "
SHOWN = 20  # disagreeing tensors that a diagnosis keeps
FREE = ("heads", "in_channels", "conv_bias", "norm", "shortcut", "activation", "variant")  # a ResNet-18 stays one
Shape = tuple[int, ...]


class Lacking(Problem):
    """A tensor without which nothing can be inferred is not in the file."""

    def __init__(self, name: str, sentence: str):
        super().__init__(sentence)
        self.name = name


@dataclass(frozen=True)
class Disagreement:
    """A tensor whose shape differs, or that only one side has (then the other shape is None)."""

    name: str
    in_file: Shape | None
    in_network: Shape | None


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a file; `to_dict` is the document that the command `doctor` prints.

    found, assumed, warnings  sentences: what it is, what shapes do not tell, what is missing or wrong (on failure the
                              first of these is the reason)
    undecided   argument of the network that shapes do not tell -> its possible values, the assumed one first
    renamed     our tensor name -> the file's
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
    found: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    undecided: dict[str, tuple] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.warnings, *self.found, *(f"Assumed: {sentence}" for sentence in self.assumed))

    def to_dict(self) -> dict:
        keys = ("recognised", "network", "family", "shortcut", "num_classes", "conv_bias", "in_channels", "params", "format")
        lists = ("missing", "unexpected", "notes")
        return {key: getattr(self, key) for key in keys} | {key: list(getattr(self, key)) for key in lists}


def diagnose(shapes: dict[str, Shape], header: dict | None, format: str) -> Diagnosis:
    """Name the network whose tensors these are.

    shapes  tensor name -> shape, as the file has them
    header  this project's own description, where the file carries one: then nothing is guessed
    """
    spec = None
    try:
        names = tensor_names.translate(list(shapes))
        ours = {new: shapes[old] for new, old in names.of_file.items()}
        if header is not None:
            name, arguments = _from_header(header)
        elif course := _course_network(ours):
            name, arguments = course
        else:
            spec = _infer(ours)
            name, arguments = _name_of(spec)
        model = zoo.build(name, arguments, device="meta")
    except Problem as problem:
        missing = (problem.name,) if isinstance(problem, Lacking) else ()
        return Diagnosis(False, format=format, missing=missing, warnings=(str(problem),))
    found = replace(_compare(model, ours), network=name, arguments=arguments, format=format, renamed=names.of_file,
                    family=_family(name))
    if spec is None:
        return found
    return replace(found, found=(_body(name, spec), _ends(spec), *_account(found, names)), assumed=_assumed(spec, {}),
                   undecided=_undecided(spec), warnings=found.warnings + _further(found, names))


def with_arguments(diagnosis: Diagnosis, chosen: dict) -> Diagnosis:
    """The same tensors with what a person knows and shapes do not tell, e.g. {"variant": "v1"}; Problem for anything else."""
    for key, value in chosen.items():
        if value not in diagnosis.undecided.get(key, ()):
            options = "; ".join(f"{name} {', '.join(map(str, values))}" for name, values in diagnosis.undecided.items())
            raise Problem(f"{key:.40} cannot be set to {value!r:.40} for these weights; choose among: {options or 'nothing'}.")
    if not diagnosis.undecided:
        return diagnosis
    # what is left open goes back to the assumption, also when something else was chosen for these weights before
    assumed = {key: values[0] for key, values in diagnosis.undecided.items()}
    spec = replace(zoo.build(diagnosis.network, diagnosis.arguments, device="meta").spec, **{**assumed, **chosen})
    name, arguments = _name_of(spec)
    found = [sentence for sentence in diagnosis.found[1:] if not sentence.startswith(BY_HAND)]
    said = tuple(f"{BY_HAND}{key} {value or 'none'}." for key, value in chosen.items())
    return replace(diagnosis, network=name, arguments=arguments, family=_family(name), shortcut=spec.shortcut,
                   found=(_body(name, spec), *found, *said), assumed=_assumed(spec, chosen))


def _from_header(header: dict) -> tuple[str, dict]:
    name, arguments = header.get("network"), header.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Problem("The file's header names no network; write it again with this version of ResNet Viz.")
    if name not in zoo.NETWORKS and name != zoo.CUSTOM:
        raise Problem(f"The file is for the network {name!r:.60}, which this version of ResNet Viz does not have; update it.")
    return name, arguments


def _course_network(shapes: dict[str, Shape]) -> tuple[str, dict] | None:
    """The one of the small course networks that has exactly these tensors' names."""
    def names(tensors):
        return {name for name in tensors if not name.endswith(COUNTER)}

    for name, network in zoo.NETWORKS.items():
        if network.spec is not None or names(zoo.build(name, device="meta").state_dict()) != names(shapes):
            continue
        classes, channels = _shape(shapes, "fc.weight", 2)[0], _shape(shapes, "conv1.weight", 4)[1]
        own = zoo.build(name, device="meta").conv1.in_channels
        heads = list(network.heads) if classes == sum(network.heads) else [classes]
        return name, {"heads": heads, **({"in_channels": channels} if channels != own else {})}
    return None


# Reading a ResNet off its shapes

def _shape(shapes: dict[str, Shape], name: str, dimensions: int) -> Shape:
    if name not in shapes:
        first = ", ".join(f"{other:.40}" for other in list(shapes)[:3]) or "nothing"
        raise Lacking(name, f"This is not a ResNet that we know: it has no tensor {name} (it begins with {first}); save the whole network.")
    if len(shapes[name]) != dimensions:
        raise Problem(f"This is not a ResNet that we know: {name} has shape {list(shapes[name])}, not {dimensions} dimensions.")
    return shapes[name]


def _infer(shapes: dict[str, Shape]) -> ResNetSpec:
    """The spec that these shapes belong to, with the paper's or torchvision's choice where they do not tell."""
    if "conv1.0.weight" in shapes and "conv1.weight" not in shapes:
        raise Lacking("conv1.weight", "Its stem has several convolutions (a ResNet-C or -D); only stems of one convolution are built here; choose another file.")
    stem_width, in_channels, kernel, _ = _shape(shapes, "conv1.weight", 4)
    if kernel not in (3, 7):
        raise Problem(f"The first kernels are {kernel}x{kernel}; a ResNet's stem has 7x7 (ImageNet) or 3x3 (CIFAR); choose such a file.")
    blocks: dict[int, set[int]] = {}
    for name in shapes:
        if match := re.match(r"layer(\d{1,3})\.(\d{1,4})\.", name):
            blocks.setdefault(int(match[1]), set()).add(int(match[2]))
    if not blocks or sorted(blocks) != list(range(1, len(blocks) + 1)):
        raise Problem("This is not a ResNet that we know: its stages layer1, layer2, ... are not complete; save the whole network.")
    block = "bottleneck" if _any(shapes, r"layer\d+\.\d+\.conv3\.") else "basic"
    widths = tuple(_shape(shapes, f"layer{n}.0.conv1.weight", 4)[0] for n in sorted(blocks))
    norm = "batch" if _any(shapes, r"(?:.*\.)?bn\d\.") else "none"
    if "bn1.weight" not in shapes and any(shapes.get(f"layer{n}.0.bn1.weight") not in (None, (width,))
                                          for n, width in enumerate(widths, start=1)):
        raise Lacking("bn1.weight", "Its batch norm stands before the convolutions (pre-activation ResNet, He et al. 2016b); "
                                    "only ResNets with batch norm after them are built here; choose another file.")
    spec = ResNetSpec(block=block, depths=tuple(max(blocks[n]) + 1 for n in sorted(blocks)), widths=widths,
                      heads=_heads(shapes), stem="imagenet" if kernel == 7 else "cifar", stem_width=stem_width,
                      shortcut="B" if any(".downsample." in name for name in shapes) else "A",
                      in_channels=in_channels, conv_bias=_any(shapes, r"(?:.*\.)?conv\d\.bias$"), norm=norm,
                      **(_bottleneck(shapes) if block == "bottleneck" else {}))
    features, channels = _shape(shapes, "fc.weight", 2)[1], spec.out_channels(widths[-1])
    if features != channels:
        raise Problem(f"fc.weight has {features:,} inputs, but the last stage gives {channels:,} channels; a ResNet averages "
                      "each over the picture; choose such a file.")
    return spec


def _heads(shapes: dict[str, Shape]) -> tuple[int, ...]:
    layers = sorted({name.rsplit(".", 1)[0] for name, shape in shapes.items()
                     if re.match(r"fc\.?\d", name) and len(shape) == 2})
    if "fc.weight" not in shapes and layers:
        raise Lacking("fc.weight", f"Its classifier has {len(layers)} linear layers ({', '.join(layers)[:60]}); a ResNet "
                                   "has one, fc.weight; choose another file.")
    if "fc.weight" not in shapes:
        raise Lacking("fc.weight", "It has no classifier (fc.weight): it gives features and no answers; save the whole "
                                   "network's state_dict.")
    return (_shape(shapes, "fc.weight", 2)[0],)


def _bottleneck(shapes: dict[str, Shape]) -> dict[str, int]:
    """Groups and expansion of the first bottleneck; whether all others agree is seen when the tensors are compared."""
    inner, per_group, *_ = _shape(shapes, "layer1.0.conv2.weight", 4)
    outer, channels, *_ = _shape(shapes, "layer1.0.conv3.weight", 4)
    if 0 in (inner, per_group) or inner % per_group or outer % inner:
        raise Problem(f"layer1.0 goes from {inner} to {outer} channels in groups of {per_group}, which no bottleneck does; choose another file.")
    return {"groups": inner // per_group, "expansion": outer // inner}


def _any(shapes: dict[str, Shape], pattern: str) -> bool:
    """Whether any tensor is so named: one that is missing must not turn a network into another kind."""
    return any(re.match(pattern, name) for name in shapes)


def _undecided(spec: ResNetSpec) -> dict[str, tuple]:
    options = {"activation": tuple(ACTIVATIONS)}
    if spec.block == "bottleneck":
        options["variant"] = ("v1.5", "v1")
    if spec.shortcut == "A":
        options["shortcut"] = ("A", None)
    return options


def _name_of(spec: ResNetSpec) -> tuple[str, dict]:
    """The zoo's name for a spec, with the arguments that differ from it; CUSTOM with the whole spec where none fits."""
    for name, network in zoo.NETWORKS.items():
        if network.spec is None or (network.spec.shortcut is None) != (spec.shortcut is None):
            continue
        own = network.spec.arguments()
        arguments = {key: value for key, value in spec.arguments().items() if value != own[key]}
        if set(arguments) <= set(FREE):
            return name, {**arguments, "heads": list(spec.heads)}
    return zoo.CUSTOM, spec.arguments()


# Accounting for every tensor

def _compare(model, shapes: dict[str, Shape]) -> Diagnosis:
    """What the network lacks in the file, what the file has besides, what disagrees."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    missing = tuple(n for n in wanted if n not in shapes and not n.endswith(COUNTER))
    unexpected = tuple(n for n in shapes if n not in wanted)
    wrong = [n for n in wanted if n in shapes and shapes[n] != wanted[n]]
    strange = [n for n in unexpected if LAYER.match(n)]  # without it the network is another function
    if wrong:
        name = wrong[0]
        warnings = (f"{name} has shape {list(shapes[name])} in the file, but {list(wanted[name])} in the network.",)
    elif missing:
        warnings = (f"{len(missing):,} tensors are missing, the first is {missing[0]}; save the whole state_dict.",)
    elif strange:
        warnings = ("This is not a ResNet that we know: its layers have tensors that ours lack, the first is "
                    f"{strange[0]:.80}.",)
    elif unexpected:
        plural = "tensors belong to no layer and are" if len(unexpected) > 1 else "tensor belongs to no layer and is"
        warnings = (f"{len(unexpected):,} {plural} not used, the first is {unexpected[0]:.80}.",)
    else:
        warnings = ()
    odd = [n for n in wanted if n in wrong or n in missing] + strange
    return Diagnosis(
        recognised=not (wrong or missing or strange), shortcut=getattr(getattr(model, "spec", None), "shortcut", None),
        num_classes=model.fc.out_features, conv_bias=model.conv1.bias is not None, in_channels=model.conv1.in_channels,
        params=zoo.num_params(model), missing=missing, unexpected=unexpected, warnings=warnings,
        disagreements=tuple(Disagreement(n, shapes.get(n), wanted.get(n)) for n in odd[:SHOWN]))


# In plain sentences

def _family(name: str) -> str:
    return zoo.NETWORKS[name].family if name in zoo.NETWORKS else "custom ResNet"


def in_words(network: str, arguments: dict) -> tuple[str, ...]:
    """The same sentences for a network that did not have to be inferred, because its file names it."""
    spec = getattr(zoo.build(network, arguments, device="meta"), "spec", None)
    return (_body(network, spec), _ends(spec)) if spec else \
        (f"{network}, {_family(network)}: {zoo.find(network).description}.",)


def _body(name: str, spec: ResNetSpec) -> str:
    what = "A custom ResNet" if name == zoo.CUSTOM else f"{name}, {_family(name)}"
    kind = f"{spec.block} blocks" + (f" in {spec.groups} groups" if spec.groups > 1 else "")
    ways = {"A": "zeros stand for the missing channels where the shape changes (shortcut A)",
            "B": "1x1 convolutions where the shape changes (shortcut B)", None: "no shortcuts: it is plain"}[spec.shortcut]
    stages = "one stage" if len(spec.depths) == 1 else f"{len(spec.depths)} stages"
    equal = len(spec.depths) > 1 and len(set(spec.depths)) == 1
    blocks = f"{spec.depths[0]:,} {kind} each" if equal else f"{listed(spec.depths)} {kind}"
    return f"{what}: {stages} of {blocks}, {listed(spec.widths)} channels wide; {ways}."


def listed(numbers: tuple[int, ...]) -> str:
    """(3, 4, 6) -> "3, 4 and 6"."""
    *first, last = (f"{n:,}" for n in numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _ends(spec: ResNetSpec) -> str:
    stem = {"imagenet": "7x7, stride 2, and a max pool", "cifar": "3x3"}[spec.stem]
    extras = ["biases in the convolutions"] * spec.conv_bias + ["no normalisation layers"] * (spec.norm == "none")
    return (f"Its stem reads {spec.in_channels} channel{'s' * (spec.in_channels > 1)} with {spec.stem_width} filters "
            f"({stem}); its classifier gives {sum(spec.heads):,} classes" + (f"; {' and '.join(extras)}" if extras else "") + ".")


def _account(found: Diagnosis, names: tensor_names.Names) -> tuple[str, ...]:
    """How the tensors were named, and that each has its place."""
    parts = ([f"the naming of {names.dialect}"] if names.dialect else []) + \
            ([f"the prefix {names.prefix!r:.60}"] if names.prefix else [])
    naming = (f"The file has {' and '.join(parts)}; here its tensors go by torchvision's names.",) if parts else ()
    used = len(found.renamed) - len(found.unexpected)
    return naming + ((f"{used:,} tensors with {found.params:,} parameters: each has its place in the rebuilt network.",)
                     if found.recognised else ())


def _further(found: Diagnosis, names: tensor_names.Names) -> tuple[str, ...]:
    if not names.others or not found.recognised:
        return ()
    return (f"The file holds {len(names.others) + 1} networks; the one under {names.prefix!r:.60} is shown.",)


def _assumed(spec: ResNetSpec, chosen: dict) -> tuple[str, ...]:
    sentences = {
        "activation": "ReLU as the activation, and the strides of the published networks.",
        "variant": "The stride of the bottlenecks on their 3x3 convolution (v1.5, as torchvision), not on the first 1x1 (v1).",
        "shortcut": "Shortcut A, which has no parameters: a plain network without shortcuts has the same tensors.",
    }
    return tuple(sentences[key] for key in _undecided(spec) if key not in chosen)
