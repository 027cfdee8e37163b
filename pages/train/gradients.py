"""Does the signal reach the first layer?"""

import streamlit as st

from resnet_viz.analysis import gradient_words
from resnet_viz.ui import gradient_map, gradient_probe, gradients, runs
from resnet_viz.ui.page import page, problems, under_picture


def look(shown, pause) -> None:
    """One look at the run, and at a second one below it. Another run or pace renews the whole page."""
    with problems():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            run = runs.choose_run()
            twin = gradients.choose_twin(run)
            view = gradients.choose_view()
        watched = [runs.watch(one) for one in (run, twin) if one is not None]
        gradients.progress_line(watched[0])
        found = gradients.thermometers(watched, view)
        names = [one.run.name for one in watched]
        under_picture("view", story=lambda: gradients.story(found, names), formula=lambda: gradients.formula(found[0]),
                      code=lambda: st.code(gradient_words.CODE),
                      numbers=lambda: gradients.numbers(found[0], names[0]))
        if run != shown or min(map(runs.seconds_between_looks, watched)) != pause:
            st.rerun()


def during_training() -> None:
    run, pause = gradients.begin_to_look()
    st.fragment(look, run_every=pause)(run, pause)


def before_the_first_step() -> None:
    setting = gradient_probe.choose()
    found = gradient_probe.measure(setting)
    gradient_probe.show(setting, found)
    under_picture("view", story=lambda: gradient_probe.story(setting),
                  formula=lambda: gradient_probe.formula(setting, found), code=lambda: gradient_probe.code(setting),
                  numbers=lambda: gradient_probe.numbers(setting, found))


SECTIONS = {"During training": during_training, "Before the first step": before_the_first_step}

page("Does the signal reach the first layer?", "The loss pulls at every layer's weights through all the layers behind "
     "it: bright is a strong pull, dark a weak one.")
section = st.segmented_control("When", list(SECTIONS), default="During training", required=True, key="part",
                               bind="query-params", label_visibility="collapsed")
with problems():
    SECTIONS[section]()
gradient_map.install()
