"""The settings of a recipe as a form: one control a setting, made from the table of all settings (training.ranges)."""

from collections.abc import Callable

import streamlit as st

from .. import checkpoints
from ..data.preprocessing import NORMALISATIONS
from ..networks import zoo
from ..networks.resnet import ACTIVATIONS, NORMS
from ..problems import Problem
from ..training.config import Config
from ..training.ranges import GROUPS, SETTINGS, Setting, used
from . import networks

KEY = "recipe_{}".format  # session key of a setting; persist_state keeps it when the person looks at another page
ROW = ("network", "data", "epochs", "seed")  # in view above the picture; all others are in the form
ARGUMENTS = {"activation": list(ACTIVATIONS), "norm": list(NORMS)}  # of the network; the first is a ResNet's own
DROPOUT = Setting("number", "Dropout", "Share of the numbers that are silenced in training", 0, 0.99)
STEPS = {  # of a field's plus and minus; others 0.01
    "weight_decay": 1e-4,
    "l1": 1e-5,
    "ema_decay": 1e-3,
    "min_lr": 1e-4,
    "rotation": 5.0,
    "warmup_epochs": 1.0,
    "cycle_epochs": 1.0,
    "clip_norm": 0.5,
    "head_lr_factor": 1.0,
}
USUAL = "as usual"  # of a yes or no that may be left open
TITLES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "all": "all layers",
    "head": "the last layer",
    "data": "data: mean 0, deviation 1",
    "unit": "unit: 0 to 1",
    "half": "half: −1 to 1",
    "none": "none: 0 to 255",
}


def fill_in(config: Config) -> None:
    """Put a recipe's settings on the screen."""
    for name, setting in SETTINGS.items():
        if name != "arguments":
            st.session_state[KEY(name)] = SHOWN.get(setting.kind, lambda value, setting: value)(
                getattr(config, name), setting
            )
    for name, values in ARGUMENTS.items():
        st.session_state[KEY(name)] = config.arguments.get(name, values[0])
    own = zoo.dropout_of(config.network)
    st.session_state[KEY("dropout")] = float(config.arguments.get("dropout", own or 0))


def settings_on_screen() -> dict:
    """Every setting but the network's arguments; those that do nothing beside the others as a new recipe has them."""
    values = {}
    for name, setting in SETTINGS.items():
        if name != "arguments":
            read = READ.get(setting.kind, lambda value, setting: value)
            values[name] = read(st.session_state[KEY(name)], setting)
    defaults = Config().to_dict()
    return {name: value if used(name, values) else defaults[name] for name, value in values.items()}


def arguments_on_screen(network: str, arguments: dict) -> dict:
    """These arguments of the network with the choices on the screen, as far as the network has them."""
    others = {key: value for key, value in arguments.items() if key not in (*ARGUMENTS, "dropout")}
    chosen = {key: st.session_state[KEY(key)] for key in ARGUMENTS if key in networks.choices_of(network)}
    changed = {key: value for key, value in chosen.items() if value != ARGUMENTS[key][0]}
    own, dropout = zoo.dropout_of(network), st.session_state[KEY("dropout")]
    return others | changed | ({"dropout": dropout} if own is not None and dropout != own else {})


def form() -> None:
    """All settings that are not in the row, in groups; one that does nothing beside the others is left out."""
    own = networks.choices_of(st.session_state[KEY("network")])
    shown = {name: st.session_state[KEY(name)] for name in SETTINGS if name != "arguments"}
    for tab, (group, settings) in zip(st.tabs(list(GROUPS)), GROUPS.items()):
        controls = [
            (CONTROLS[setting.kind], name, setting)
            for name, setting in settings.items()
            if name not in (*ROW, "arguments") and used(name, shown)
        ]
        if group == "Pictures":
            controls += [(_argument, key, Setting("", networks.LABELS[key], "")) for key in ARGUMENTS if key in own]
        if group == "Overfitting" and zoo.dropout_of(shown["network"]) is not None:
            controls.insert(0, (_number, "dropout", DROPOUT))
        for first in range(0, len(controls), 2):  # a row each, so that neighbours stand at one height
            columns = tab.columns(2, gap="medium", vertical_alignment="bottom")
            for column, (control, name, setting) in zip(columns, controls[first : first + 2]):
                with column:
                    control(name, setting)


def _label(setting: Setting) -> str:
    return f"**{setting.title}** :gray[:small[{setting.explained}]]" if setting.explained else f"**{setting.title}**"


def _argument(name: str, setting: Setting) -> None:
    _choice(name, setting, ARGUMENTS[name], networks.VALUES)


def _choice(name: str, setting: Setting, values, titles: dict) -> None:
    """Side by side where they are few."""
    control, more = (st.segmented_control, {"required": True}) if len(values) <= 4 else (st.selectbox, {})
    control(
        _label(setting),
        values,
        key=KEY(name),
        persist_state="session",
        format_func=lambda value: titles.get(value, value),
        **more,
    )


def _whole(name: str, setting: Setting) -> None:
    low, high = int(setting.low), int(setting.high)
    st.number_input(
        _label(setting),
        low,
        high,
        value=None if setting.optional else "min",
        key=KEY(name),
        persist_state="session",
        placeholder=setting.without or None,
    )


def _number(name: str, setting: Setting) -> None:
    st.number_input(
        _label(setting),
        float(setting.low),
        float(setting.high),
        value=None if setting.optional else "min",
        step=STEPS.get(name, 0.01),
        format="%.6g",
        key=KEY(name),
        persist_state="session",
        placeholder=setting.without or None,
    )


def _one_of(name: str, setting: Setting) -> None:
    _choice(name, setting, setting.choices, TITLES)


def _yes_or_no(name: str, setting: Setting) -> None:
    if not setting.optional:
        st.toggle(_label(setting), key=KEY(name), persist_state="session")
        return
    choices = [USUAL, "yes", "no"]
    st.segmented_control(
        _label(setting),
        choices,
        key=KEY(name),
        required=True,
        persist_state="session",
        help=f"{USUAL.capitalize()}: {setting.without}",
    )


def _numbers(name: str, setting: Setting) -> None:
    st.text_input(_label(setting), key=KEY(name), persist_state="session", placeholder="0.5, 0.75")


def _text(name: str, setting: Setting) -> None:
    known = TEXTS[name]()
    own = st.session_state.get(KEY(name))
    st.selectbox(
        _label(setting),
        known + ([own] if own and own not in known else []),
        index=None if setting.optional else 0,
        key=KEY(name),
        persist_state="session",
        accept_new_options=True,
        placeholder=setting.without or "",
        format_func=lambda value: TITLES.get(value, value),
    )


TEXTS: dict[str, Callable[[], list[str]]] = {
    "normalisation": lambda: ["data", *NORMALISATIONS],
    "start_from": checkpoints.bundled,
}
CONTROLS = {
    "whole": _whole,
    "number": _number,
    "numbers": _numbers,
    "one of": _one_of,
    "yes or no": _yes_or_no,
    "text": _text,
}


# Between a setting's value and what its control holds


def _list_of(text: str, setting: Setting) -> list[float]:
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError as error:
        raise Problem(f"{setting.title} are numbers parted by commas, e.g. 0.5, 0.75; not {text!r:.40}.") from error


SHOWN = {  # a number field holds one kind of number
    "number": lambda value, setting: None if value is None else float(value),
    "numbers": lambda value, setting: ", ".join(f"{number:g}" for number in value),
    "yes or no": lambda value, setting: {None: USUAL, True: "yes", False: "no"}[value] if setting.optional else value,
}
READ = {
    "numbers": _list_of,
    "yes or no": lambda value, setting: {USUAL: None, "yes": True, "no": False}[value] if setting.optional else value,
    "text": lambda value, setting: value or (None if setting.optional else ""),
}
