"""The hand on a run: pause, one batch, one epoch, another learning rate, stop, continue."""

import streamlit as st

from ..drawing.curves import number
from . import access, state
from .runs import Watched, new_seed, order, remove_run, resume_run, start_again


def controls(watched: Watched) -> None:
    """Buttons for what can be done now, in the same places whatever the state; called in a horizontal container."""
    _hand(watched)
    if access.may_change() and not watched.live:
        _again(watched)


def _again(watched: Watched) -> None:
    """Its recipe once more, from the very same start or from another one."""
    seed = watched.config.get("seed", 0)
    st.button(
        "Same start",
        icon=":material/replay:",
        key="same_start",
        on_click=start_again,
        args=(watched.config,),
        help=f"A new run of this recipe with the same seed, {seed}: the same first weights, the same order of pictures",
    )
    st.button(
        "New dice",
        icon=":material/casino:",
        key="other_start",
        on_click=lambda: start_again(watched.config, new_seed()),
        help="A new run of this recipe with another seed: other first weights, another order of pictures",
    )


def _hand(watched: Watched) -> None:
    run, live = watched.run, watched.live
    if watched.bundled or not (access.may_change() or watched.state == "finished"):
        return
    if watched.state in ("stopped", "failed", "elsewhere") or (watched.state == "new" and not live):
        if st.button(
            "Continue" if watched.status else "Start", icon=":material/play_arrow:", type="primary", key="continue"
        ):
            resume_run(run)
            st.rerun()
        if watched.state == "elsewhere":
            with st.popover("Delete", icon=":material/delete:"):
                _delete(watched)
        return
    if watched.state == "queued":
        st.button(
            "Cancel",
            icon=":material/close:",
            key="stop",
            on_click=order,
            args=(run, "stop"),
            help="Leave the queue; you can continue later, at its end",
        )
        return
    if watched.state == "finished":
        if st.button(
            "Use it on the other pages",
            icon=":material/visibility:",
            key="use",
            on_click=state.choose,
            args=(state.run_reference(run),),
        ):
            st.rerun()  # the sidebar stands outside this fragment
        return
    # one button with two words: two would stand side by side for a moment and push the others from under the mouse
    paused = watched.state == "paused"
    word, icon, command = ("Resume", "play_arrow", "resume") if paused else ("Pause", "pause", "pause")
    st.button(word, icon=f":material/{icon}:", key="hold", width=105, on_click=order, args=(run, command))
    st.button(
        "One batch",
        icon=":material/skip_next:",
        key="batch",
        on_click=order,
        args=(run, "step"),
        help="Do one step, then pause",
    )
    st.button(
        "One epoch",
        icon=":material/fast_forward:",
        key="epoch",
        on_click=order,
        args=(run, "epoch"),
        help="Go to the end of the epoch, then pause",
    )
    with st.popover("Learning rate"):
        _rate_control(watched)
    st.button(
        "Stop",
        icon=":material/stop:",
        key="stop",
        on_click=order,
        args=(run, "stop"),
        help="Keep all at this step; you can continue later",
    )


def _delete(watched: Watched) -> None:
    """Ask once more, since nothing brings a folder back."""
    st.markdown("Its curves, snapshots and weights are gone then. If it still goes on elsewhere, it fails there.")
    if st.button("Delete this run for good", key="delete", type="primary"):
        remove_run(watched.run)
        st.rerun()


def _rate_control(watched: Watched) -> None:
    """Change the learning rate of a live run; the rest of its schedule moves with it."""
    planned = float(watched.config["lr"])
    now = float(watched.metrics["train"]["lr"][-1]) if "train" in watched.metrics else planned
    st.markdown(f"Now {number(now)}. A new value holds from the next step; the rest of the schedule is scaled with it.")
    st.number_input("New learning rate", 1e-9, 1000.0, planned, step=0.01, format="%.4g", key="new_rate")
    st.button("Set", key="set_rate", on_click=lambda: order(watched.run, "lr", float(st.session_state.new_rate)))
