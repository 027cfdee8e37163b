"""Can the maps be trusted? Grad-CAM through the depth, the deletion test, and the question which map is the fake."""

import numpy as np
import streamlit as st

from ..analysis import attribution_words as words
from ..analysis.attribution_sanity import PATCHES, PIXELS, RANDOM_ORDERS, STEPS, Deletion, deletion, likeness, stages
from ..analysis.attributions import METHODS
from ..drawing import attributions as drawing
from .attribution_maps import Job, Subject, announced, heat_of, network_of, store, under_a_bar, work_out
from .attributions import MOST_LAYERS, Choice, layers_of, show, tile
from .page import plain

SHARES = (0.05, 0.1, 0.2, 0.4)
COARSE = ("gradcam", "occlusion", "feature-ablation", "layer-conductance")
CHART = {"displayModeBar": False}
QUIZ = "attribution_quiz"  # session key: round, answered, right


def through_the_layers(subject: Subject, choice: Choice) -> None:
    """Grad-CAM at one layer after the other: from edges anywhere to the whole thing."""
    names, target = layers_of(subject), choice.targets[0]
    if not names:
        st.info("No layer of this network has a map of more than one pixel.")
        return
    chosen = [names[i] for i in sorted({round(i) for i in np.linspace(0, len(names) - 1, MOST_LAYERS)})]
    jobs = {name: Job("gradcam", target.index, name) for name in chosen}
    work_out(subject, list(jobs.values()))
    st.markdown(f"**Grad-CAM for {plain(target.label)}, layer by layer**, each on a scale of its own: early layers see "
                "edges anywhere, late ones a few places that matter.")
    with st.container(horizontal=True, gap="small"):
        for name, job in jobs.items():
            heat, (height, width) = heat_of(subject, job), subject.anatomy.layers[name]
            blank = heat is not None and heat.max() <= 0
            show(subject, heat, drawing.limit([heat]) if heat is not None else 0.0, choice,
                 f"{name}, {height} × {width}" + (": nothing speaks for it" if blank else ""),
                 f"{name}: {words.finding('gradcam', target.label, heat)}" if heat is not None else "")


def deletion_test(subject: Subject, choice: Choice) -> None:
    """Paint grey what a map calls important: the better the map, the sooner the class is gone."""
    target, names = choice.targets[0], choice.methods
    if not names:
        st.info("Pick methods above: each map is put to the test.", icon=":material/touch_app:")
        return
    jobs = {name: Job(name, target.index, choice.layer) for name in names}
    work_out(subject, list(jobs.values()))
    heats = {name: heat for name, job in jobs.items() if (heat := heat_of(subject, job)) is not None}
    found = _deletion(subject, tuple(jobs[name].key(subject) for name in heats), heats, target.index) if heats else None
    if found is None:
        return
    areas = {name: found.area(name) for name in heats}
    best = min(areas, key=areas.get)
    beaten = [METHODS[name].title for name in heats if areas[name] >= found.area(PATCHES if name in COARSE else PIXELS)]
    finding = ("The lower, the better the map knew what counts. Mean height: " + ", ".join(
        f"{METHODS[name].title} {areas[name]:.1%}" for name in sorted(areas, key=areas.get))
        + "".join(f", {kind} {found.area(kind):.1%}" for kind in found.chance) + ".")
    curves = {METHODS[name].title: found.curves[name] for name in heats}
    st.plotly_chart(drawing.deletion_curves(found.shares, curves, found.chance, target.label), config=CHART,
                    key="deletion_curves", alt=finding)
    st.markdown(plain(finding))
    st.caption("Strewn grey pixels confuse a network by themselves, whole patches less: maps of single pixels have "
               "random pixels to beat, coarse maps (Grad-CAM, occlusion, ablation, conductance) random patches.")
    if beaten:
        st.caption(f"No better than chance here: {', '.join(beaten)}.")
    st.markdown(f"**What {METHODS[best].title} deletes first**")
    with st.container(horizontal=True, gap="small"):
        pictures = stages(subject.tensor, heats[best], SHARES, subject.checkpoint.preprocessing)
        for share, pixels in zip(SHARES, pictures):
            at = float(np.interp(share, found.shares, found.curves[best]))
            tile(pixels, f"{share:.0%} grey: {at:.0%} {plain(target.label)}",
                 f"{subject.picture.name} with its strongest {share:.0%} painted grey")


def _deletion(subject: Subject, keys: tuple, heats: dict[str, np.ndarray], target: int) -> Deletion | None:
    """Worked out once; None while it waits for a click."""
    key = ("deletion", *keys)
    cost = (len(heats) + 2 * RANDOM_ORDERS) * (STEPS + 1) * subject.speed.more_s
    if store().get(key) is None and announced("The test takes", cost, "deletion"):
        def work(told) -> None:
            with network_of(subject) as model:
                found = deletion(model, subject.tensor, heats, target, subject.checkpoint.heads,
                                 lambda done, total, text: told(done / total, text))
            store().keep(key, found)
        under_a_bar(work, cost, "deletion")
    return store().get(key)


# Which map is the fake?


def fake(subject: Subject, choice: Choice) -> None:
    """One map of the network and one of its twin that learned nothing, in an order by dice: which is which?"""
    if not choice.methods:
        st.info("Pick methods above: the question takes one after the other.", icon=":material/touch_app:")
        return
    quiz = st.session_state.setdefault(QUIZ, {"round": 0, "answer": None, "asked": 0, "right": 0})
    target = choice.targets[0]
    method = choice.methods[quiz["round"] % len(choice.methods)]
    jobs = [Job(method, target.index, choice.layer), Job(method, target.index, choice.layer, True)]
    work_out(subject, jobs)
    heats = [heat_of(subject, job) for job in jobs]
    if any(heat is None for heat in heats):
        return
    fake_place = int(np.random.default_rng(quiz["round"]).integers(2))
    shown = heats[::-1] if fake_place == 0 else heats
    st.markdown(f"**{METHODS[method].title} for {plain(target.label)}**: one map comes from the network, the other "
                "from a twin whose weights were shuffled, so that it knows nothing. Which is the fake?")
    with st.container(horizontal=True, gap="medium"):
        for place, heat in enumerate(shown):
            name = "AB"[place]
            with st.container(width="content"):
                show(subject, heat, drawing.limit([heat]), choice, f"Map {name}", f"Map {name} of two")
                st.button(f"{name} is the fake", key=f"fake_{name}", on_click=_answer, args=(place, fake_place),
                          disabled=quiz["answer"] is not None)
    if quiz["answer"] is not None:
        _told(quiz, fake_place, method, likeness(*heats))


def _answer(place: int, fake_place: int) -> None:
    quiz = st.session_state[QUIZ]
    quiz.update(answer=place, asked=quiz["asked"] + 1, right=quiz["right"] + (place == fake_place))


def _next() -> None:
    quiz = st.session_state[QUIZ]
    quiz.update(answer=None, round=quiz["round"] + 1)


def _told(quiz: dict, fake_place: int, method: str, alike: float) -> None:
    verdict = "Right" if quiz["answer"] == fake_place else "No"
    st.markdown(f"**{verdict}: {'AB'[fake_place]} is the fake.** {words.trust(method, alike)} The two maps rank the "
                f"pixels alike by {alike:.2f} (1 is the same order, 0 is nothing in common).")
    st.caption(f"{quiz['right']} of {quiz['asked']} right in this session")
    st.button("Another", key="fake_next", on_click=_next, icon=":material/casino:")
