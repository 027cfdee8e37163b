"""What changed inside, and when?"""

import streamlit as st

from resnet_viz.analysis import time_machine
from resnet_viz.ui import film_export, runs
from resnet_viz.ui import time_machine as ui
from resnet_viz.ui.page import download_table, page, problems, under_picture
from resnet_viz.ui.pictures import choose_picture


def look(shown) -> None:
    """The controls, the machine, the pinned picture; only this part runs again when the scrubber comes to rest."""
    with problems():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            run = runs.choose_run()
            reel = ui.choose(run)
            film_export.choose_film(reel)
        machine = st.container()
        layer = ui.choose_map_layer(reel)
        picture = choose_picture("time-machine")
        maps = ui.maps_of(reel, picture, layer)
        with machine:
            ui.show(reel, maps, layer, picture)
        frame = ui.frame(reel)
        under_picture(
            "view",
            story=lambda: story(reel, frame),
            formula=lambda: formula(reel, frame),
            code=lambda: code(reel, frame),
            numbers=lambda: numbers(reel, frame),
        )
        if run != shown:
            st.rerun()


def story(reel, frame) -> None:
    lines = time_machine.story(reel.film, reel.layer, reel.unordered, reel.labels, frame)
    st.markdown("\n".join(f"- {line}" for line in lines))


def formula(reel, frame) -> None:
    best = time_machine.rows(reel.film, reel.unordered, frame)[0]
    st.latex(
        r"\text{moved}_i = \frac{\lVert w_i - w_i^\text{before} \rVert}{\lVert w_i^\text{before} \rVert} \qquad "
        r"\cos_i = \frac{w_i \cdot w_i^\text{before}}{\lVert w_i \rVert \, \lVert w_i^\text{before} \rVert}"
    )
    number, when = best["kernel"], time_machine.when(reel.film, frame)
    st.latex(rf"\text{{moved}}_{{{number}}} = {best['moved']:.3g} \qquad \cos_{{{number}}} = {best['cosine']:.3g}")
    st.caption(f"Of kernel {number}, which had moved most at {when}; the lengths are L2 norms.")


def code(reel, frame) -> None:
    step = int(reel.film.step[frame])
    part = f"[{reel.filter}]" if reel.weights.ndim == 4 and reel.film.kernels[reel.layer].shape[2] > 1 else ""
    st.code(
        "from safetensors.torch import load_file\n\n"
        f'before = load_file("{reel.run.name}/snapshots/{0:08d}.safetensors")["{reel.layer}.weight"]{part}.float()\n'
        f'now = load_file("{reel.run.name}/snapshots/{step:08d}.safetensors")["{reel.layer}.weight"]{part}.float()\n'
        "moved = (now - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)  # one number a kernel"
    )


def numbers(reel, frame) -> None:
    rows = time_machine.rows(reel.film, reel.unordered, frame)
    alt = time_machine.describe(reel.film, reel.layer, reel.unordered)
    name = f"{reel.run.name}-{reel.layer}-step-{int(reel.film.step[frame])}.csv"
    download_table(rows, name, film_export.COLUMNS, alt)


page("What changed inside, and when?", "Move through a training run: kernels, answers and loss at the same moment.")
ui.prefer_pictures()
with problems():
    run, pause = runs.begin_to_look()
    st.fragment(ui.wait_for_news, run_every=pause)(run, ui.stamp(run))
    st.fragment(look)(run)
