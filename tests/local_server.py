"""A web server on this machine that behaves, and misbehaves, as one on the internet can."""

import http.server
import threading
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(folder: Path):
    """The address of a server of the folder. Files named *.silent are never answered, *.torn break off."""
    done = threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):
            if self.path.endswith(".silent"):
                done.wait(20)
            elif self.path.endswith(".torn"):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"x" * 400)
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None  # that the other side hung up is what some tests want
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    done.set()
    server.shutdown()
    server.server_close()
