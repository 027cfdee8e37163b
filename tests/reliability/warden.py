"""Opens hostile files in children of one warm process, and says of each what came of it and what it cost.

`python -m tests.reliability.warden` reads one job a line (JSON: door, path, name) and writes one report a line. Every
job runs in a fork of its own, in a folder of its own, under an audit hook that writes down whatever reaches outside of
it, starts a program or a connection, or runs code that is no module's. A job that eats too much is killed.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import traceback
from pathlib import Path

KILL_BYTES, KILL_S = 3 * 2**30, 60.0  # a case that gets there has failed; it must not take the machine along
CANARY = "nobody may read this"
PROJECT = Path(__file__).resolve().parents[2]
LIBRARIES = (str(PROJECT / "resnet_viz"), str(PROJECT / "tests"), sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(),
             "/usr/lib", "/lib", "/usr/share/zoneinfo")
DEVICES = ("/dev/null", "/dev/urandom")
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.putenv",
             "os.symlink", "os.link", "os.chmod", "os.chown", "subprocess.Popen", "pty.spawn", "socket.", "urllib.Request",
             "ctypes.dlopen", "webbrowser.open", "shutil.unpack_archive", "pickle.find_class", "code.__new__", "builtins.input",
             "smtplib.", "ftplib.", "sys.setprofile", "sys.settrace", "resource.setrlimit")
TOUCHES = ("open", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.utime", "os.listdir", "os.scandir",
           "shutil.rmtree", "shutil.move", "shutil.copyfile")


class Witness:
    """An audit hook: what the code under watch did that a file has no business to cause."""

    def __init__(self, inside: Path):
        self.inside, self.seen, self.watching = os.path.realpath(inside), [], False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.watching:
            return
        if event.startswith(FORBIDDEN):
            self.note(f"{event} {arguments!r:.120}")
        elif event in TOUCHES:
            for path in arguments[: 2 if event in ("os.rename", "shutil.move", "shutil.copyfile") else 1]:
                self.check(event, path, arguments)
        elif event == "exec" and not arguments[0].co_filename.startswith((*LIBRARIES, "<frozen")):
            self.note(f"exec of code from {arguments[0].co_filename!r:.80}")

    def check(self, event: str, path, arguments: tuple) -> None:
        if isinstance(path, int) or path is None:
            return  # a file that is open already
        path = os.path.realpath(os.fsdecode(path))
        if path == self.inside or path.startswith(self.inside + os.sep):
            return
        mode, flags = (arguments[1], arguments[2]) if event == "open" else ("", os.O_WRONLY)
        writes = any(letter in (mode or "") for letter in "wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event in ("os.listdir", "os.scandir"):
            writes = False
        if writes and path != "/dev/null" or not path.startswith((*LIBRARIES, *DEVICES)):
            self.note(f"{event} {'for writing ' if writes else ''}{path[:160]!r}")

    def note(self, what: str) -> None:
        if len(self.seen) < 20:
            self.seen.append(what)


def run(door, path: Path, name: str, inside: Path) -> dict:
    """In the child: what the door says of the file. `inside` is the only folder that may be touched."""
    os.chdir(inside)
    witness = Witness(inside)
    witness.watching = True
    try:
        outcome = {"kind": "answer", "text": door(path, name)}
    except Exception as error:  # judged here: a Problem is an outcome, everything else a fault to be reported
        kind = "problem" if type(error).__module__ == "resnet_viz.problems" or "Problem" in [c.__name__ for c in type(error).__mro__] else "fault"
        outcome = {"kind": kind, "text": str(error)[:2000]}
        if kind == "fault":
            outcome["trace"] = "".join(traceback.format_exception(error))[-3000:]
    witness.watching = False
    return {**outcome, "seen": witness.seen}


def resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0  # not on this system, or gone already: the limit on time is left


def watched(door, path: Path, name: str, inside: Path) -> dict:
    """Run the door in a fork; its outcome with cpu_s, wall_s and grown_bytes (resident memory beyond the start)."""
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.environ |= {"RESNET_VIZ_RUNS": str(inside / "runs"), "RESNET_VIZ_DATA": str(inside / "data"), "TMPDIR": str(inside)}
            tempfile.tempdir = str(inside)
            before = resident_bytes(os.getpid())  # less than the parent's: pages of libraries come back as they are used
            report = json.dumps({"before": before} | run(door, path, name, inside)).encode()
            with open(writing, "wb") as pipe:
                pipe.write(report)
            code = 0
        os._exit(code)
    os.close(writing)
    before, said, killed = resident_bytes(pid), b"", None
    with open(reading, "rb", buffering=0) as pipe:
        while True:
            if select.select([pipe], [], [], 0.02)[0]:
                piece = pipe.read(65536)
                if not piece:
                    break
                said += piece
            if resident_bytes(pid) - before > KILL_BYTES:
                killed = "too much memory"
            elif time.monotonic() - began > KILL_S:
                killed = "too long"
            if killed:
                os.kill(pid, signal.SIGKILL)
                break
    _, status, used = os.wait4(pid, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    before = json.loads(said)["before"] if said else before
    costs = {"cpu_s": used.ru_utime + used.ru_stime, "wall_s": time.monotonic() - began,
             "grown_bytes": max(0, used.ru_maxrss * unit - before), "peak_bytes": used.ru_maxrss * unit}
    if killed or status or not said:
        how = killed or (f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}")
        return {"kind": "fault", "text": f"the process ended: {how}", "seen": [], **costs}
    return {**json.loads(said), **costs}


def serve() -> None:
    from .doors import DOORS, warm_up

    warm_up()
    print(json.dumps({"ready": resident_bytes(os.getpid())}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(watched(DOORS[job["door"]], Path(job["path"]), job["name"], Path(job["inside"]))), flush=True)


class Warden:
    """The process from outside: `report` hands it one file and waits for what came of it."""

    def __enter__(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen([sys.executable, "-m", "tests.reliability.warden"], cwd=PROJECT, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.resident_bytes = json.loads(self.process.stdout.readline())["ready"]
        return self

    def report(self, door: str, path: Path, name: str, inside: Path) -> dict:
        self.process.stdin.write(json.dumps({"door": door, "path": str(path), "name": name, "inside": str(inside)}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


if __name__ == "__main__":
    serve()
