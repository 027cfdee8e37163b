"""Which blocks does it need?"""

from resnet_viz.ui import surgery as ui
from resnet_viz.ui import surgery_sections as sections
from resnet_viz.ui.page import page, problems, under_picture

page("Which blocks does it need?", "Switch blocks off, or let them add more or less: the shortcut carries x around them, and a "
     "residual network goes on answering.")
with problems():
    operation = ui.controls()
    ui.results(operation)
    ui.profile(operation)
    under_picture("view", story=lambda: sections.story(operation), formula=lambda: sections.formula(operation),
                  code=lambda: sections.code(operation), numbers=lambda: sections.numbers(operation))
