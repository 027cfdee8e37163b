"""The recipes of the lesson on overfitting: thirty digits learned by heart, and one cure each."""

from dataclasses import replace

from .config import Config
from .preset import Preset

# Without batch norm and with a rate that stays: a network that is left to itself, and a loss that says so.
BY_HEART = Config(
    network="resnet8",
    arguments={"norm": "none"},
    data="digits",
    train_limit=30,
    val_fraction=0.3,
    epochs=40,
    batch_size=10,
    optimizer="adamw",
    lr=0.003,
    weight_decay=0.0,
    schedule="constant",
    flip=0.0,
    keep_weights=False,
)
CURES = {  # word -> (what is said of it, the recipe)
    "L1": ("a penalty on the sum of the weights' sizes", replace(BY_HEART, l1=0.0005)),
    "L2": ("weight decay: every weight a little smaller after each step", replace(BY_HEART, weight_decay=2.0)),
    "dropout": ("half of the last layer's inputs silenced, others each time",
                replace(BY_HEART, arguments={"norm": "none", "dropout": 0.5})),
    "augmentation": ("every picture turned and shifted a little, another way each time",
                     replace(BY_HEART, rotation=10.0, crop_padding=1)),
}
PRESETS = (
    Preset("by-heart", "By heart: thirty digits", "Three pictures of each digit and no cure: they are known by heart "
                                                  "in seconds.", BY_HEART),
    *(Preset(f"by-heart-{word.lower()}", f"By heart: {word}", f"The same with {said}.", config)
      for word, (said, config) in CURES.items()),
)
