"""How does a network learn from a mistake?"""

import streamlit as st

from resnet_viz.ui import learning
from resnet_viz.ui.page import page

page("How does a network learn from a mistake?", "It asks of every weight which way makes the mistake smaller, and moves each a little that way.")
part = learning.choose_part()
st.fragment(learning.show)(part)
