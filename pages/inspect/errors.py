"""What does the network get wrong?"""

from resnet_viz.ui import error_sections as sections
from resnet_viz.ui import error_views as views
from resnet_viz.ui import errors as ui
from resnet_viz.ui import state
from resnet_viz.ui.page import page, problems, under_picture

VIEWS = {"matrix": views.who_for_whom, "classes": views.classes, "sureness": views.sureness,
         "mistakes": views.surest_mistakes, "map": views.feature_map}

page("What does the network get wrong?", "Which class it takes for which, on pictures whose label is known, and "
     "whether it may be believed when it is sure.")
with problems():
    checkpoint = state.current_checkpoint()
    seen = ui.look(checkpoint, ui.controls(checkpoint))
    if seen is not None:
        VIEWS[seen.choice.show](seen)
        under_picture("view", story=lambda: sections.story(seen), formula=lambda: sections.formula(seen),
                      code=lambda: sections.code(seen), numbers=lambda: views.numbers(seen))
