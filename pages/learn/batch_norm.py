"""Why does the same picture get two answers?"""

import streamlit as st

from resnet_viz.ui import batch_norm
from resnet_viz.ui.page import page

page("Why does the same picture get two answers?", "Batch norm is in one of two moods: in training it looks at the whole "
     "batch, in evaluation it remembers.")
part = batch_norm.choose_part()
st.fragment(batch_norm.show)(part)
