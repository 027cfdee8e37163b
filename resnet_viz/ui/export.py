"""A checkpoint to take away: each format with what it is for, made when its button is pressed."""

from functools import partial

import streamlit as st

from .. import export
from ..analysis import arithmetic
from ..checkpoints import Checkpoint
from . import state

ABOUT = {  # format -> title, what it is for, how it is read
    "safetensors": ("safetensors", "Opens here again with nothing left to assume: network, classes, and how pictures "
                    "are prepared stand in its header. It can hold no program, and any safetensors reader opens it.",
                    'from safetensors.torch import load_file\n\nstate = load_file("{file}")'),
    "state-dict": ("PyTorch state_dict", "Tensors alone, in float32 and by torchvision's names, for your own code. It "
                   "says nothing of classes and pictures.",
                   'import torch\n\nstate = torch.load("{file}", weights_only=True)\nmodel.load_state_dict(state)'),
    "onnx": ("ONNX", "Weights and network in one, for programs without PyTorch: browsers, telephones, ONNX Runtime. "
             "Classes and the normalisation are in its metadata; making it takes some seconds.",
             'import onnxruntime\n\nsession = onnxruntime.InferenceSession("{file}")\n'
             'session.run(["logits"], {{"pictures": pictures}})  # float32 {shape}, normalised'),
}


def save_as(checkpoint: Checkpoint) -> None:
    """A card for each format, and the command that does the same."""
    recipe = checkpoint.preprocessing
    shape = f"[N, {recipe.channels}, {recipe.size}, {recipe.size}]"
    for place, (format, (title, purpose, reading)) in zip(st.columns(len(ABOUT)), ABOUT.items()):
        file = f"{checkpoint.name.rpartition('.')[0] or checkpoint.name}{export.ENDINGS[format]}"
        with place.container(border=True, height="stretch"):
            st.markdown(f"**{title}**")
            st.markdown(purpose)
            st.download_button(f"Save {export.ENDINGS[format]}", partial(export.as_bytes, checkpoint, format), file,
                               "application/octet-stream", on_click="ignore", icon=":material/download:",
                               key=f"save_{format}", help="The file is made when you press.")
            st.code(reading.format(file=file, shape=shape), wrap_lines=True)
    size = sum(tensor.nbytes for tensor in checkpoint.state.values())
    st.caption(f"Each is about {arithmetic.size(size)}: 4 bytes a number. The same without a browser:")
    st.code(f"python -m resnet_viz export {state.current_reference()} --format onnx --out FILE", language="bash")
