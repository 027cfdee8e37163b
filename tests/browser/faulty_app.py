"""A page with a fault, as the app would serve it: for the test of what the person is shown."""

from resnet_viz.ui import startup


def main() -> None:
    import streamlit as st

    st.title("A page")
    secrets = {"name": "content of a file"}
    if st.button("Press"):
        secrets["missing"]


if __name__ == "__main__":
    main()
else:
    import streamlit as st

    startup.before_the_first_visitor()
    app = st.App(__file__, **startup.around_the_app())
