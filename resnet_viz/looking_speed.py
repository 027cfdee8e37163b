"""How long a look inside takes: feature maps, kernels, Grad-CAM, a change of view; and whether maps equal their peers'."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import checkpoints
from .analysis import attributions, feature_maps, kernels, kernels_history, kernels_words
from .analysis.kernels_history import History, Moment
from .checkpoints import Checkpoint
from .data import examples
from .data.preprocessing import NORMALISATIONS, Preprocessing, see
from .drawing import feature_maps as maps_drawing
from .drawing import kernels as kernels_drawing
from .networks import zoo

TIMES = 3  # of which the median counts, after one that warms up
SHOWN = 64  # maps of a wall, as the page begins
TARGET = 3


def _median(action: Callable) -> float:
    action()
    found = []
    for _ in range(TIMES):
        started = time.perf_counter()
        action()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def _network(name: str) -> tuple[nn.Module, torch.Tensor]:
    """With random weights, which take as long, and an example photograph as it gets it."""
    size = zoo.find(name).input_size
    recipe = Preprocessing(size, round(size * 8 / 7) if size > 200 else size, *NORMALISATIONS["imagenet"])
    torch.manual_seed(0)
    return zoo.build(name).eval().requires_grad_(False), see(examples.read(examples.default()), recipe).tensor


def maps(name: str) -> Callable[[], dict]:
    """Any layer of a network: the stem, the end of every stage and the classes; computed, drawn, packed as one picture."""
    def measure() -> dict:
        from .ui import walls

        model, tensor = _network(name)
        names = ["conv1", *(f"{stage}.{len(getattr(model, stage)) - 1}" for stage in model.stages), "fc"]
        leaves = [one if one in ("conv1", "fc") else f"{one}.act{3 if hasattr(model.get_submodule(one), 'act3') else 2}" for one in names]

        def look(layer: str) -> None:
            seen = feature_maps.feature_maps(model, tensor, layer)
            chosen = seen.maps[feature_maps.order(seen, "mean")[:SHOWN]]
            walls.png(maps_drawing.wall(chosen, None, maps_drawing.signed(seen.maps)))
        layer, seconds = max(((one, _median(lambda one=one: look(one))) for one in leaves), key=lambda found: found[1])
        return {"seconds": round(seconds, 4), "figure": f"{seconds:.3f} s ({layer})"}
    return measure


def kernel_walls() -> dict:
    """Every shape of convolution in ResNet-152 and ResNet-20, in every view: before, now and the difference, as sent."""
    from safetensors.torch import save_file

    slowest, largest = (0.0, ""), (0, "")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("resnet20", "resnet152"):
            torch.manual_seed(0)
            state = zoo.build(name).state_dict()
            shapes = {tuple(tensor.shape): layer.removesuffix(".weight") for layer, tensor in state.items() if tensor.ndim == 4}
            file = Path(folder) / f"{name}.safetensors"
            save_file({f"{layer}.weight": 1.1 * state[f"{layer}.weight"].roll(1, 0) for layer in shapes.values()}, file)
            recipe = Preprocessing(32, 32, *NORMALISATIONS["imagenet"])
            checkpoint = Checkpoint(name, name, {}, state, None, (10,), recipe)
            past = replace(kernels_history.history(checkpoint, "conv1"), before=Moment("before", 0, 0, file))
            for shape, layer in shapes.items():
                for view in kernels.views(shape):
                    sent = len(_wall(checkpoint, past, layer, view))
                    seconds = _median(lambda: _wall(checkpoint, past, layer, view))
                    slowest, largest = max(slowest, (seconds, f"{name} {layer}")), max(largest, (sent, f"{name} {layer}"))
    return {"seconds": round(slowest[0], 4), "bytes": largest[0],
            "figure": f"{slowest[0]:.3f} s ({slowest[1]}), {largest[0] / 1000:,.0f} kB ({largest[1]})"}


def _wall(checkpoint: Checkpoint, past: History, layer: str, view: str) -> bytes:
    """What the page sends for its first look at a layer."""
    from .ui import walls

    seen = kernels.compare(checkpoint, layer, past, past.moments[past.current], view, 0, "norm")
    tiles = kernels_drawing.drawn(seen.before, seen.now, seen.limit)
    names = kernels_words.names(seen, "Filter")
    head = {"label": layer, "names": list(names), "columns": walls.tiles.columns_for(len(seen.now))}
    return walls.packed([walls.Wall(name, part, kernels_words.describe(layer, seen)) for name, part in tiles.items()], head, 0)


def grad_cam() -> dict:
    """ResNet-50 on one photograph of 224 x 224."""
    model, tensor = _network("resnet50")
    seconds = _median(lambda: attributions.attribute(model, tensor, "gradcam", TARGET))
    return {"seconds": round(seconds, 4), "figure": f"{seconds:.3f} s"}


def change_of_view() -> dict:
    """Scale, sort and overlay on their pages, warm, as the server computes them; and whether a network was asked."""
    from .ui.page_speed import slowest_change

    if not checkpoints.bundled():
        return {"figure": "not measured: no bundled checkpoint"}
    what, seconds, passes = slowest_change()
    asked = "no forward pass" if not passes else f"{passes} forward passes"
    return {"seconds": round(seconds, 4), "passes": passes, "figure": f"{seconds:.3f} s ({what}), {asked}"}


# Maps beside those of others, from torchvision's networks with the same weights


def _twins(name: str) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    import torchvision

    ours, tensor = _network(name)
    theirs = getattr(torchvision.models, name)().eval()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs, tensor


def _apart(ours: np.ndarray, theirs: torch.Tensor) -> float:
    expected = theirs.detach().sum(1)[0].numpy()
    return float(np.abs(ours - expected).max() / np.abs(expected).max())


def beside_captum() -> dict:
    """Largest deviation of a map from Captum's own, in units of its largest number; ResNet-18."""
    from captum import attr

    ours, theirs, tensor = _twins("resnet18")
    calls = {"saliency": attr.Saliency(theirs), "input-x-gradient": attr.InputXGradient(theirs)}
    found = {name: _apart(attributions.attribute(ours, tensor, name, TARGET),
                          call.attribute(tensor.clone().requires_grad_(), target=TARGET)) for name, call in calls.items()}
    coarse = attr.LayerGradCam(theirs, theirs.layer4).attribute(tensor, target=TARGET)
    found["gradcam"] = _apart(attributions.attribute(ours, tensor, "gradcam", TARGET),
                              attr.LayerAttribution.interpolate(coarse, tuple(tensor.shape[2:]), "bilinear"))
    worst = max(found, key=found.get)
    return {"ratio": found[worst], "figure": f"{found[worst]:.0e} ({worst}; all 13 methods: tests/analysis/test_attributions.py)"}


def beside_grad_cam_package() -> dict:
    """Spearman's rank correlation with pytorch-grad-cam's map of ResNet-50, over what both keep above 0."""
    try:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
    except ImportError:
        return {"figure": "not measured: grad-cam is not installed (requirements-test.txt)"}
    from scipy.stats import spearmanr

    ours, theirs, tensor = _twins("resnet50")
    heats = attributions.gradcams(ours, tensor.repeat(10, 1, 1, 1), range(10))
    target = int((heats > 0).mean(axis=(1, 2)).argmax())  # the class with the largest part above 0, which the package keeps
    with GradCAM(model=theirs, target_layers=[theirs.layer4[-1]]) as camera:
        expected = camera(input_tensor=tensor, targets=[ClassifierOutputTarget(target)])[0]
    found = float(spearmanr(np.maximum(heats[target], 0).ravel(), expected.ravel()).statistic)
    return {"ratio": round(found, 4), "figure": f"{found:.4f}"}


MEASURES = (
    ("feature maps of ResNet-152 at 224 x 224, slowest layer", maps("resnet152"), "under 0.7 s"),
    ("feature maps of ResNet-20, slowest layer", maps("resnet20"), "under 0.2 s"),
    ("kernel walls, slowest and largest layer of ResNet-152 and ResNet-20", kernel_walls, "under 0.3 s and 300 kB"),
    ("Grad-CAM, ResNet-50", grad_cam, "under 1 s"),
    ("change of scale, sort or overlay, slowest page, server side", change_of_view, "under 0.2 s, no forward pass"),
    ("attribution maps of ResNet-18, farthest from Captum called directly", beside_captum, "under 1e-5"),
    ("Grad-CAM of ResNet-50, rank correlation with pytorch-grad-cam", beside_grad_cam_package, "over 0.99"),
)
