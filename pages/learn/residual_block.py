"""What does a residual block add?"""

import streamlit as st

from resnet_viz.ui import residual_block
from resnet_viz.ui.page import page

page("What does a residual block add?", "Its layers work out a correction F(x), and x goes around them: H(x) = F(x) + x.")
part = residual_block.choose_part()
st.fragment(residual_block.show)(part)
