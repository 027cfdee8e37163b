"""How fast the trainer is, beside peers that do the same work: each pair measured alternating in one process."""

import importlib.util
import math
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from . import runs
from .networks import zoo
from .training import presets
from .training.config import Config, resolve
from .training.loop import Loop
from .training.recipe import make_optimizer
from .training.saving import Position
from .training.status import Status
from .training.update import Update
from .training.work import Work, prepare

BATCH = 128
CROP = 4  # pixels of border, as in He et al. 2016, section 4.2
WORKERS = 2  # as in PyTorch's own CIFAR tutorial
BLOCKS, STEPS = 5, 8  # so often the textbook loop has its turn, and that many steps are timed then
WARM, PAIRS = 4, 20  # steps on a constant batch and on fresh ones, in turns


def recipe() -> Config:
    """ResNet-20 on pictures of CIFAR's size and number of classes, cropped and flipped, in batches of 128."""
    return resolve(replace(presets.find("shapes-resnet20").config, crop_padding=CROP, batch_size=BATCH, val_fraction=0.0, train_limit=6_400))


def _each(config: Config) -> tuple[Work, Update]:
    work = prepare(config)
    work.model.train()
    return work, Update(work, make_optimizer(work.model, config))


def _seconds(step, batches) -> float:
    """Of one step: the mean over the batches, after all work of the device is done."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else (lambda: None)
    wait()
    started, count = time.perf_counter(), 0
    for batch in batches:
        step(batch)
        count += 1
    wait()
    return (time.perf_counter() - started) / count


def _ratio(ours: list[float], theirs: list[float], batch: int) -> dict:
    """The medians of both, and their ratio."""
    ratio = statistics.median(theirs) / statistics.median(ours)
    rates = " against ".join(f"{batch / statistics.median(seconds):,.0f}" for seconds in (ours, theirs))
    return {"ratio": round(ratio, 3), "figure": f"{ratio:.2f} x ({rates} images/s)"}


def _textbook(config: Config, device: torch.device):
    """The plain loop of many tutorials, as a generator function of so many steps: PIL pictures through torchvision's
    transforms in a DataLoader's workers, float pictures NCHW, the same network and optimiser."""
    from PIL import Image
    from torchvision import transforms

    from .data import sources

    pictures = sources.load(config.data, "train")
    change = transforms.Compose([transforms.RandomCrop(32, padding=CROP), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
                                 transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))])
    data = _PilPictures(pictures.images.permute(0, 2, 3, 1).contiguous().numpy(), pictures.labels[:, 0], change, Image.fromarray)
    model = zoo.build(config.network, config.arguments).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    loss_of = torch.nn.CrossEntropyLoss()

    def seconds(warm: int, steps: int) -> float:
        """Of one step, once the batches that the workers had ready in advance are used up."""
        loader = iter(torch.utils.data.DataLoader(data, BATCH, shuffle=True, num_workers=WORKERS))

        def step(_):
            images, labels = (part.to(device) for part in next(loader))
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimizer.step()
            loss.item()  # as such loops print a running loss

        _seconds(step, range(warm))
        return _seconds(step, range(steps))

    return seconds


def in_bf16_beside_textbook_loop() -> dict:
    """With the precision of the CIFAR-10 preset: the forward pass in 16 bits, weights in 32."""
    return beside_textbook_loop("bf16")


@dataclass(frozen=True)
class _PilPictures:
    arrays: object
    labels: torch.Tensor
    change: object
    picture: object

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int):
        return self.change(self.picture(self.arrays[index])), int(self.labels[index])


def beside_textbook_loop(precision: str = "fp32") -> dict:
    """Our step with its data work, over the plain loop's, which stays in float32."""
    config = replace(recipe(), precision=precision)
    torch.set_num_threads(config.threads)
    work, update = _each(config)
    plan, order = update.draw(0), torch.arange(len(work.train))
    textbook = _textbook(config, work.device)
    ours, theirs = [], []
    for block in range(BLOCKS):
        samples = [order[index * BATCH: (index + 1) * BATCH] for index in range(block * STEPS, (block + 1) * STEPS)]
        _seconds(lambda chosen: update.step(chosen, plan, config.lr), samples[:2])
        ours.append(_seconds(lambda chosen: update.step(chosen, plan, config.lr), samples))
        theirs.append(textbook(2 * WORKERS + 1, STEPS))  # each worker prepares two batches ahead
    return _ratio(ours, theirs, BATCH)


def beside_constant_batch() -> dict:
    """Our step with its data work, over the same step on one batch that never changes."""
    config = recipe()
    torch.set_num_threads(config.threads)
    work, update = _each(config)
    plan, order = update.draw(0), torch.arange(len(work.train), device=work.device)
    constant = update.batch(order[:BATCH], plan)
    ours, theirs = [], []
    for index in range(WARM + PAIRS):  # step by step in turns, so that whatever else the machine does hits both
        chosen = order.roll(-index * BATCH)[:BATCH]
        ours.append(_seconds(lambda samples: update.step(samples, plan, config.lr), [chosen]))
        theirs.append(_seconds(lambda batch: update.learn(batch, config.lr), [constant]))
    return _ratio(ours[WARM:], theirs[WARM:], BATCH)


# On a GPU

NO_GPU = {"figure": "no GPU here: not measured"}
GPU_BATCH, GPU_STEPS = 1024, 40  # the batch is airbench's
AIRBENCH_EPOCHS = 9.9  # what train94 of airbench 0.1.8 trains
SQUARE = 8192  # side of the matrices whose product shows what the device can do


def on_gpu(measure):
    """The measure as a row of the benchmark: a sentence where there is no GPU."""
    return lambda: measure() if torch.cuda.is_available() else dict(NO_GPU)


def _gpu_recipe() -> Config:
    return resolve(replace(recipe(), network="resnet18-cifar", precision="bf16", batch_size=GPU_BATCH, train_limit=None, epochs=4,
                           compile=True, keep_weights=False))


def whole_loop_beside_constant_batch() -> dict:
    """Whole epochs of the loop, with augmentation, rows, snapshots and saving, over as many steps on a constant batch."""
    config = _gpu_recipe()
    with tempfile.TemporaryDirectory() as folder, Status(Path(folder)) as status:
        runs.write_config(Path(folder), config.to_dict())
        work, update = _each(config)
        loop = Loop(Path(folder), update, Position(), status, lambda text: None)
        constant = update.batch(torch.arange(config.batch_size, device=work.device), update.draw(0))
        ours, theirs = [], []
        for _ in range(config.epochs):
            ours.append(_seconds(lambda _: loop.epoch(), [None]))
            theirs.append(_seconds(lambda _: [update.learn(constant, config.lr) for _ in range(loop.steps_per_epoch)], [None]))
    return _ratio(ours[1:], theirs[1:], loop.steps_per_epoch * config.batch_size)


def _operations(model: torch.nn.Module, pictures: torch.Tensor) -> int:
    """Floating-point operations of one forward and backward pass: 2 x multiply-adds of convolutions and matrix products."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(pictures).float().sum().backward()
    return counter.get_total_flops()


def _matmul_rate() -> float:
    """Operations a second of the best of two types of large matrix products."""
    found = []
    for kind in (torch.bfloat16, torch.float16):
        a, b = (torch.randn(SQUARE, SQUARE, device="cuda", dtype=kind) for _ in range(2))
        _seconds(lambda _: a @ b, range(5))
        found.append(2 * SQUARE**3 / _seconds(lambda _: a @ b, range(20)))
    return max(found)


def _our_rate() -> float:
    config = _gpu_recipe()
    work, update = _each(config)
    plan, order = update.draw(0), torch.arange(len(work.train), device=work.device)
    steps = [order.roll(-index * GPU_BATCH)[:GPU_BATCH] for index in range(GPU_STEPS)]
    _seconds(lambda samples: update.step(samples, plan, config.lr), steps[:10])
    seconds = _seconds(lambda samples: update.step(samples, plan, config.lr), steps)
    with torch.autocast("cuda", torch.bfloat16):
        return _operations(work.model, update.batch(order[:GPU_BATCH], plan).pictures) / seconds


def _airbench_rate() -> float:
    """The package's own train94, whole, on noise in place of CIFAR-10: as many pictures, as large; its speed is the same."""
    import airbench

    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cifar10").mkdir()
        for name, count in (("train", 50_000), ("test", 10_000)):  # where it looks first
            torch.save({"images": torch.randint(0, 256, (count, 32, 32, 3), dtype=torch.uint8), "labels": torch.randint(0, 10, (count,)),
                        "classes": [str(label) for label in range(10)]}, Path(folder) / "cifar10" / f"{name}.pt")
        os.chdir(folder)
        try:
            loader = airbench.CifarLoader("cifar10", train=True, batch_size=GPU_BATCH, aug={"flip": True, "translate": 2}, altflip=True)
            airbench.train94(loader, epochs=2, verbose=False)
            seconds = _seconds(lambda _: airbench.train94(loader, verbose=False), [None])
        finally:
            os.chdir(here)
    steps = math.ceil(AIRBENCH_EPOCHS * (50_000 // GPU_BATCH))
    pictures = torch.randn(GPU_BATCH, 3, 32, 32, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
    return _operations(airbench.make_net94(), pictures) * steps / seconds


def rate_beside_airbench() -> dict:
    """ResNet-18 with a 3x3 stem: operations a second, beside those of airbench's training and of a plain matrix product."""
    if importlib.util.find_spec("airbench") is None:
        return {"figure": "not measured: airbench is not installed (pip install airbench==0.1.8)"}
    ours, theirs, most = _our_rate(), _airbench_rate(), _matmul_rate()
    return {"ratio": round(ours / theirs, 2), "figure": f"{ours / theirs:.2f} x ({ours / 1e12:.0f} against {theirs / 1e12:.0f} TFLOP/s; "
            f"{ours / most:.0%} against {theirs / most:.0%} of a matrix product's {most / 1e12:.0f})"}
