"""Streamlit only: cached calls, session state, and displays that several pages share."""
