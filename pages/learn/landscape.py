"""What does the loss look like from here?"""

from resnet_viz.ui import landscape
from resnet_viz.ui.page import page, problems

page(
    "What does the loss look like from here?",
    "Move all weights a little, in two directions at once: the height is what the mistake becomes.",
)
with problems():
    landscape.lesson()
