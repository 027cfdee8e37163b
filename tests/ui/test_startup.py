"""What the server sets up once: its threads share two pools of memory."""

import subprocess
import sys

from resnet_viz.runs import PROJECT

POOLS = """
import ctypes, sys, threading
if sys.argv[1] == "shared":
    from resnet_viz.ui import startup
    startup._share_pools()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.malloc_info.argtypes = [ctypes.c_size_t], [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
together = threading.Barrier(12)
def take():
    together.wait()
    libc.malloc(10_000)
    together.wait()
threads = [threading.Thread(target=take) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


def test_its_threads_share_two_pools_of_memory(tmp_path):
    def pools(how: str) -> int:
        path = tmp_path / how
        subprocess.run([sys.executable, "-c", POOLS, how, str(path)], cwd=PROJECT, check=True, timeout=100)
        return path.read_text().count("<heap nr=")

    assert pools("shared") <= 2 < pools("each its own")
