"""ResNet Viz: look inside a residual network, before, while and after it learns."""
