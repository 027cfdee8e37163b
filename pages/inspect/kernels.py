"""What did the first layer learn?"""

import streamlit as st

from resnet_viz.analysis import kernels, kernels_words
from resnet_viz.ui import kernels as ui
from resnet_viz.ui import kernels_detail, kernels_profile, networks, state, walls
from resnet_viz.ui.page import download_table, page, plain, problems, under_picture


def story(seen, layer):
    st.markdown(ui.HOW_TO_READ[ui.family(seen)])
    st.markdown(kernels_words.counted(seen))
    if seen.change is not None:
        st.markdown(f"Since before training, these {len(seen.now):,} kernels of {layer} moved by "
                    f"**{seen.change.relative:.2f}** times their length, and point in a direction whose cosine with "
                    f"the old one is **{seen.change.cosine:.2f}** "
                    "(1 is the same direction, 0 has nothing to do with it).")


def formula(seen):
    found = seen.change
    st.latex(r"\text{change} = \frac{\lVert w_\text{now} - w_\text{before} \rVert}{\lVert w_\text{before} \rVert}"
             + (rf" = \frac{{{found.moved:.4g}}}{{{found.length:.4g}}} = {found.relative:.3g}" if found else ""))
    st.latex(r"\cos = \frac{w_\text{now} \cdot w_\text{before}}"
             r"{\lVert w_\text{now} \rVert \, \lVert w_\text{before} \rVert}"
             + (f" = {found.cosine:.3g}" if found else ""))
    st.caption(f"Over the {seen.now.size:,} weights of the {len(seen.now):,} kernels shown; the lengths are L2 norms.")
    st.latex(r"|H(f_x, f_y)| = \Bigl| \sum_{x, y} w_{x, y} \, e^{-2 \pi i (f_x x + f_y y)} \Bigr|")
    st.caption("How strongly a kernel answers a wave of f cycles a pixel: a pixel of its frequency response.")


def code(past, layer, view, index, shape):
    part = {"colour": "", "filter": f"[{index}]", "input": f"[:, {index}]"}[view]
    st.code(("import torch\n\n" if shape[-1] > 1 else "")
            + f"from resnet_viz import {'beginnings, ' if past.before else ''}checkpoints\n\n"
            f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
            f'now = checkpoint.state["{layer}.weight"]{part}  # {networks.shape_text(shape)}\n'
            + (f'before = beginnings.of(checkpoint).checkpoint.state["{layer}.weight"]{part}\n'
               "change = (now - before).norm() / before.norm()\n" if past.before else "")
            + ("waves = torch.fft.fftshift(torch.fft.fft2(now, s=(33, 33)).abs(), dim=(-2, -1))" if shape[-1] > 1 else ""))


page("What did the first layer learn?", "Its kernels, the small patterns that the network holds against every spot of "
     "a picture: before training, now, and the difference.")
with problems():
    checkpoint = state.current_checkpoint()
    layer, view, index, past, moment, scale, by = ui.controls(checkpoint)
    seen = ui.compared(checkpoint, layer, past, moment, view, index, by)
    number = ui.pick(layer, view, seen, moment, scale)
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        ui.scale_line(seen, scale)
    with right:
        walls.download(lambda: ui.picture(seen, scale), f"{checkpoint.name}-{layer}-{moment.label.replace(' ', '-')}.png")
    kernels_detail.show(checkpoint, layer, view, index, number, seen)
    if past.why:
        st.info(plain(past.why))
    under_picture("view", story=lambda: story(seen, layer), formula=lambda: formula(seen),
                  code=lambda: code(past, layer, view, index, seen.now.shape),
                  numbers=lambda: download_table(kernels.rows(seen), f"{checkpoint.name}-{layer}.csv", ui.COLUMNS,
                                                 kernels_words.describe(layer, seen)))
    kernels_profile.show(checkpoint, layer)
