"""What happens in the next lecture?"""

from resnet_viz.ui import plan
from resnet_viz.ui.page import page, problems

page("What happens in the next lecture?", "Views of these pages in the order of a lecture, each with its question: go through "
     "them in front of a class, change them, save them, or print them.")
with problems():
    plan.show()
