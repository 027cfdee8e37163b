"""Where did the network look?"""

from resnet_viz.ui import attribution_sections as sections
from resnet_viz.ui import attribution_trust as trust
from resnet_viz.ui import attributions as ui
from resnet_viz.ui import state
from resnet_viz.ui.attribution_maps import subject_of
from resnet_viz.ui.page import page, problems, under_picture
from resnet_viz.ui.pictures import choose_picture

VIEWS = {"maps": ui.grid, "layers": trust.through_the_layers, "deletion": trust.deletion_test, "fake": trust.fake}

page("Where did the network look?", "Each method says in its own way which pixels spoke for a class (red) and which "
     "against it (blue).")
with problems():
    checkpoint = state.current_checkpoint()
    picture = choose_picture("attributions")
    if picture is not None:
        subject = subject_of(checkpoint, picture)
        choice = ui.controls(subject)
        VIEWS[choice.mode](subject, choice)
        under_picture("view", story=lambda: sections.story(subject, choice),
                      formula=lambda: sections.formula(subject, choice), code=lambda: sections.code(subject, choice),
                      numbers=lambda: sections.numbers(subject, choice))
