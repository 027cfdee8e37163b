"""When does a network learn by heart?"""

from resnet_viz.ui import overfitting
from resnet_viz.ui.page import page

page("When does a network learn by heart?", "When it has room for every picture and looks at them often enough: then it is "
     "right on these, and gets worse on all others.")
overfitting.show(overfitting.choose_part())
