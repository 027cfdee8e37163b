"""Files that were dropped on a page, once they are read: the server would keep their bytes until the browser leaves."""

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx


def let_go(file) -> None:
    """Forget the bytes of an UploadedFile whose uploader is replaced by an empty one; whoever uses the object still can.

    Streamlit deletes an upload when its uploader says so, or with the session. An uploader that the program replaces says
    nothing: a weights file of 231 MB, opened five times, would stay as 1.2 GB.
    """
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):  # as Streamlit does for a chat's files
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)
