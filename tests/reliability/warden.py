"""Opens hostile files in children of one warm process, and says of each what came of it and what it cost.

`python -m tests.reliability.warden` reads one job a line (JSON: files of door, path and name, and their folder) and
writes their reports as one line. Every job runs in a fork of its own, under an audit hook that writes down whatever
reaches out of the folder, starts a program or a connection, or runs code that is no module's. One that eats too much is
killed.
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

KILL_BYTES, KILL_CPU_S, KILL_S = (
    3 * 2**30,
    20,
    400.0,
)  # a case that gets there has failed; it must not take the machine along
CANARY = "nobody may read this"
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
PROJECT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    str(PROJECT / "resnet_viz"),
    str(PROJECT / "tests"),
    sys.prefix,
    sys.base_prefix,
    *sysconfig.get_paths().values(),
    "/usr/lib",
    "/lib",
    "/usr/share/zoneinfo",
)
DEVICES = ("/dev/null", "/dev/urandom")
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "os.kill",
    "os.killpg",
    "os.putenv",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.chown",
    "subprocess.Popen",
    "pty.spawn",
    "socket.",
    "urllib.Request",
    "ctypes.dlopen",
    "webbrowser.open",
    "shutil.unpack_archive",
    "pickle.find_class",
    "code.__new__",
    "builtins.input",
    "smtplib.",
    "ftplib.",
    "sys.setprofile",
    "sys.settrace",
    "resource.setrlimit",
)
TOUCHES = (
    "open",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.utime",
    "os.listdir",
    "os.scandir",
    "shutil.rmtree",
    "shutil.move",
    "shutil.copyfile",
)


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


def run(jobs: list[tuple], inside: Path, told) -> None:
    """In the child: what each door says of its file. `inside` is the only folder that may be touched."""
    from resnet_viz.problems import Problem

    os.chdir(inside)
    witness = Witness(inside)
    for door, path, name in jobs:
        before, began = resident_bytes(os.getpid()), time.process_time()
        witness.seen, witness.watching = [], True
        try:
            outcome = {"kind": "answer", "text": door(path, name)}
        except Problem as problem:
            outcome = {"kind": "problem", "text": str(problem)}
        except Exception as error:  # every other one is a fault, and reported as such
            outcome = {
                "kind": "fault",
                "text": f"{type(error).__name__}: {error}"[:2000],
                "trace": "".join(traceback.format_exception(error))[-3000:],
            }
        witness.watching = False
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
        told(
            {
                **outcome,
                "seen": witness.seen,
                "cpu_s": time.process_time() - began,
                "before": before,
                "peak_bytes": peak,
                "grown_bytes": max(0, peak - before),
            }
        )


def resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0  # not on this system, or gone already: the limit on time is left


def watched(jobs: list[tuple], inside: Path) -> list[dict]:
    """Take the files through their doors in a fork; a report for each, of a file that ended the process too."""
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (KILL_CPU_S, KILL_CPU_S + 5))
            os.environ |= {
                "RESNET_VIZ_RUNS": str(inside / "runs"),
                "RESNET_VIZ_DATA": str(inside / "data"),
                "TMPDIR": str(inside),
            }
            tempfile.tempdir = str(inside)
            with open(writing, "w", encoding="utf-8") as pipe:
                run(jobs, inside, lambda report: print(json.dumps(report), file=pipe, flush=True))
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
    reports = [json.loads(line) for line in said.splitlines() if line.endswith(b"}")]
    if len(reports) < len(jobs):
        how = killed or (
            f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        )
        reports.append(
            {
                "kind": "fault",
                "text": f"the process ended: {how}",
                "seen": [],
                "cpu_s": used.ru_utime + used.ru_stime,
                "grown_bytes": used.ru_maxrss * UNIT - before,
            }
        )
        left = jobs[len(reports) :]
        reports += watched(left, inside) if left else []
    return reports


def serve() -> None:
    from .doors import DOORS, warm_up

    warm_up()
    print(json.dumps({"ready": resident_bytes(os.getpid())}), flush=True)
    for line in sys.stdin:
        jobs = json.loads(line)
        print(
            json.dumps(
                watched([(DOORS[door], Path(path), name) for door, path, name in jobs["files"]], Path(jobs["inside"]))
            ),
            flush=True,
        )


class Warden:
    """The process from outside: `reports` hands it files and waits for what came of them."""

    def __enter__(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.warden"],
            cwd=PROJECT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.resident_bytes = json.loads(self.process.stdout.readline())["ready"]
        return self

    def reports(self, files: list[tuple], inside: Path) -> list[dict]:
        """Of (door, path, name) each, all in one fork; `inside` is the folder that may be touched."""
        job = {"files": [(door, str(path), name) for door, path, name in files], "inside": str(inside)}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    serve()
    os._exit(0)  # taking torch down in order takes seconds, on a busy machine many
