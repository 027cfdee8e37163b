"""Why did depth hurt, and what cured it?"""

import streamlit as st

from resnet_viz.ui import depth
from resnet_viz.ui.page import page

page("Why did depth hurt, and what cured it?", "The loss reaches a layer only through all the layers behind it, and each "
     "of them multiplies what it passes on.")
part = depth.choose_part()
st.fragment(depth.show)(part)
