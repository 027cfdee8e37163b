"""What does a channel look for?"""

import streamlit as st

from resnet_viz.analysis.dreams import RATE, SHAKE, STEPS
from resnet_viz.ui import channels as ui
from resnet_viz.ui import state
from resnet_viz.ui.page import download_table, page, plain, problems, under_picture


def story(choice, found):
    st.markdown(plain(ui.finding(choice, found)))
    st.markdown("- Early channels answer edges and colours; later ones textures, parts and at last whole things. See what "
                "the nine patches have in common: that is what the channel looks for.\n"
                "- The patches are real, so they cannot mislead; but they are only the best of the pictures at hand.\n"
                "- The made picture shows what alone would please the channel most, also what no photograph has. Where both "
                "agree, you may trust them.\n"
                "- A channel need not have one meaning: many answer to several things that the next layer tells apart.")


def formula(choice, found):
    channel = int(found.values[:, 0].argmax())
    st.latex(r"\text{answer}_c(\text{picture}) = \max_{y, x} a_c[y, x]" +
             rf", \qquad \text{{largest: }} {found.values[channel, 0]:.4g} \text{{ of channel }} {channel}")
    st.caption(f"a: what {choice.layer.name} puts out, before its activation. A picture counts once, at its strongest spot.")
    st.latex(r"z \leftarrow z + \eta \, \nabla_z \, g\bigl(a_c(\text{shift}(p(z)))\bigr), \qquad "
             r"p(z) = \sigma\Bigl(C \, \mathcal F^{-1}\bigl[z_f / f\bigr]\Bigr)")
    st.caption(f"z: the picture's frequencies f; σ keeps pixels between 0 and 1, C gives them the colours of photographs; g: the "
               f"mean over the map or its middle; {STEPS} steps of Adam with η = {RATE}, shifted by up to {100 * SHAKE:g} % of "
               "the side each. Olah, Mordvintsev, Schubert: Feature Visualization (Distill 2017).")


def code(choice):
    st.code("import torch\n\nfrom resnet_viz import checkpoints\nfrom resnet_viz.analysis import channels, dreams\n"
            "from resnet_viz.data import sources\n\n"
            f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
            "model = checkpoints.model(checkpoint)\n"
            'images = sources.load("shapes", "test").images  # uint8, one size, as many channels as the network takes\n'
            f'found = channels.strongest(model, images, checkpoint.preprocessing, "{choice.layer.name}")\n'
            "found.pictures[0]  # the nine pictures that channel 0 answers most, the strongest first\n"
            f'made, = dreams.dreams(model, checkpoint.preprocessing, "{choice.layer.name}", [0], "{choice.goal}")\n'
            "made.pixels, made.value")


page("What does a channel look for?", "The parts of real pictures that it answers most, and a picture made to please it.")
with problems():
    choice = ui.controls(state.current_checkpoint())
    found = ui.look(choice)
    channel = ui.pick(choice, found)
    ui.detail(choice, found, channel)
    under_picture("view", story=lambda: story(choice, found), formula=lambda: formula(choice, found),
                  code=lambda: code(choice),
                  numbers=lambda: download_table(ui.table(choice, found), f"{choice.layer.name}-channels.csv", ui.COLUMNS,
                                                 ui.finding(choice, found)))
