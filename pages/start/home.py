"""What is this?"""

from resnet_viz.ui.page import page

page("What is inside a residual network?", "Its table, its kernels before and after training, its feature maps, its loss as it "
     "falls, and what it says of your picture.")
