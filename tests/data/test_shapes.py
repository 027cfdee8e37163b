"""The generated shapes: the outlines, the independence of everything else from the class, and how hard they are."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from resnet_viz.data import shapes

GRID = 512


@pytest.fixture(scope="module")
def train():
    return shapes.read("train")


@pytest.fixture(scope="module")
def test():
    return shapes.read("test")


def outline(name: str) -> np.ndarray:
    """Where the formula says "inside", over -1.2..1.2 in both directions."""
    axis = (np.arange(GRID, dtype=np.float32) + 0.5) * (2.4 / GRID) - 1.2
    u, v = np.meshgrid(axis, axis)
    return shapes.OUTLINES[name](u, v) < 0


def drawn(*polygons: list[tuple[float, float]]) -> np.ndarray:
    """The union of polygons as Pillow fills them."""
    image = Image.new("1", (GRID, GRID))
    for polygon in polygons:
        places = [((x + 1.2) * GRID / 2.4 - 0.5, (y + 1.2) * GRID / 2.4 - 0.5) for x, y in polygon]
        ImageDraw.Draw(image).polygon(places, fill=1)
    return np.asarray(image)


def box(x: float, y: float, left: float | None = None, top: float | None = None) -> list[tuple[float, float]]:
    left, top = -x if left is None else left, -y if top is None else top
    return [(left, top), (x, top), (x, y), (left, y)]


def disc(radius: float, x: float = 0, y: float = 0) -> list[tuple[float, float]]:
    return [(x + radius * np.cos(t), y + radius * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 200)]


def star() -> list[tuple[float, float]]:
    radii = [1 if k % 2 == 0 else 0.555 for k in range(10)]
    return [(r * np.sin(k * np.pi / 5), r * np.cos(k * np.pi / 5)) for k, r in enumerate(radii)]


@pytest.mark.parametrize("name, reference", [
    ("circle", drawn(disc(0.9))), ("ring", drawn(disc(0.93)) & ~drawn(disc(0.47))),
    ("square", drawn(box(0.76, 0.76))), ("frame", drawn(box(0.82, 0.82)) & ~drawn(box(0.42, 0.42))),
    ("triangle", drawn([(0, 1.04), (0.901, -0.52), (-0.901, -0.52)])),
    ("cross", drawn(box(0.28, 0.95), box(0.95, 0.28))), ("star", drawn(star())),
    ("moon", drawn(disc(0.95)) & ~drawn(disc(0.72, 0.45))),
    ("heart", drawn(disc(0.5, 0.42, -0.35), disc(0.5, -0.42, -0.35),
                    [(0.795, -0.02), (0, 0.885), (-0.795, -0.02), (-0.4, -0.2), (0.4, -0.2)])),
    ("arrow", drawn([(0, -0.968), (0.73, -0.05), (-0.73, -0.05)], box(0.22, 0.95, top=-0.15)))])
def test_outlines_are_the_shapes_that_pillow_draws(name, reference):
    inside = outline(name)
    assert (inside & reference).sum() / (inside | reference).sum() > 0.98


def test_every_class_has_a_reference_above():
    parametrized = test_outlines_are_the_shapes_that_pillow_draws.pytestmark[0].args[1]
    assert sorted(name for name, _ in parametrized) == sorted(shapes.CLASSES) == list(shapes.CLASSES)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(train, test):
    again = shapes.read("test")
    assert torch.equal(again.images, test.images) and torch.equal(again.labels, test.labels)
    other = shapes.read("test", seed=1)
    assert not torch.equal(other.labels, test.labels)
    assert len({bytes(row) for part in (train, test, other) for row in part.images.flatten(1).numpy()}) == 24_000


def test_the_splits_are_balanced_and_shuffled(train, test):
    for part, each in ((train, 2_000), (test, 200)):
        labels = part.labels[:, 0]
        assert labels.bincount().tolist() == [each] * 10
        runs = (labels[1:] == labels[:-1]).float().mean()
        assert abs(runs - 0.1) < 0.03


def test_colour_and_brightness_do_not_depend_on_the_class(train):
    values = train.images.float().mean((2, 3))                      # the mean colour of each picture
    labels = train.labels[:, 0]
    overall, spread = values.mean(0), values.std(0)
    for label in range(10):
        gap = values[labels == label].mean(0) - overall
        assert (gap.abs() / (spread / 2_000 ** 0.5)).max() < 4


def test_pictures_use_the_whole_range_and_hold_edges_of_every_direction(test):
    images = test.images.float()
    assert images.min() == 0 and images.max() == 255 and (images.std((1, 2, 3)) > 3).all()
    grey = images.mean(1)
    down, right = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1], grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    strong = torch.hypot(down, right) > 60
    direction = (torch.atan2(down, right)[strong] % torch.pi) / torch.pi
    share = torch.histc(direction, 12, 0, 1) / len(direction)
    assert share.min() > 0.5 / 12 and share.max() < 2 / 12


# ---------------------------------------------------------------- how hard: minutes

def logistic_regression(train_x: np.ndarray, train_y, test_x: np.ndarray, test_y, penalty: float) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    scaler = StandardScaler().fit(train_x)
    model = LogisticRegression(C=1 / penalty, max_iter=60)
    return model.fit(scaler.transform(train_x), train_y).score(scaler.transform(test_x), test_y)


def colour_histogram(images: torch.Tensor) -> np.ndarray:
    """A picture's shares of 4 x 4 x 4 joint colours and of 16 levels a channel."""
    red, green, blue = (images.long() // 64).flatten(2).unbind(1)
    joint = torch.nn.functional.one_hot(red * 16 + green * 4 + blue, 64).sum(1)
    levels = torch.nn.functional.one_hot((images.long() // 16).flatten(2), 16).sum(2).flatten(1)
    return torch.cat([joint, levels], 1).numpy() / 1024


@pytest.mark.hard
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_linear_view_of_pixels_or_colours_is_not_enough(train, test):
    y_train, y_test = train.labels[:, 0].numpy(), test.labels[:, 0].numpy()
    pixels = [part.images.flatten(1).numpy().astype(np.float32) for part in (train, test)]
    colours = [np.concatenate([colour_histogram(chunk) for chunk in part.images.split(1000)]) for part in (train, test)]
    for penalty in (10, 10_000):
        of_pixels = logistic_regression(pixels[0], y_train, pixels[1], y_test, penalty)
        of_colours = logistic_regression(colours[0], y_train, colours[1], y_test, penalty)
        print(f"logistic regression, penalty {penalty}: pixels {of_pixels:.1%}, colour histogram {of_colours:.1%}")
        assert of_pixels < 0.5
        assert of_colours < 0.4


@pytest.mark.hard
@pytest.mark.timeout(3600)
def test_resnet20_learns_them_in_five_epochs(train, test):
    accuracy = resnet20_after_five_epochs(train, test)
    print(f"ResNet-20 after 5 epochs: {accuracy:.1%} of 2,000 test pictures")
    assert 0.85 <= accuracy <= 0.98


def resnet20_after_five_epochs(train, test, batch: int = 128, peak: float = 0.2) -> float:
    """A plain one-cycle loop (SGD with Nesterov's momentum, no augmentation) on the CPU; accuracy on `test`."""
    from resnet_viz.networks import zoo

    def prepared(images: torch.Tensor) -> torch.Tensor:
        return ((images.float() / 255 - 0.5) / 0.25).contiguous(memory_format=torch.channels_last)

    torch.manual_seed(0)
    model = zoo.build("resnet20", {}).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = 5 * -(-len(train.images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps)
    for _ in range(5):
        for chosen in torch.randperm(len(train.images)).split(batch):
            with torch.autocast("cpu", torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(model(prepared(train.images[chosen])), train.labels[chosen, 0])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        said = torch.cat([model(prepared(chunk)).argmax(1) for chunk in test.images.split(500)])
    return (said == test.labels[:, 0]).float().mean().item()
