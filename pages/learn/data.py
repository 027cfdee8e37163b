"""What does the network get to see?"""

import streamlit as st

from resnet_viz.ui import data, lesson
from resnet_viz.ui.page import page

page("What does the network get to see?", "Not your picture: a square of it, in numbers around 0, and in training another one each time.")
part = lesson.choose_part(data.PARTS, "One picture")
st.fragment(data.show)(part)
