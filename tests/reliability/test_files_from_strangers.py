"""Every hostile file ends in the right answer or in one sentence, and takes no more than RELIABILITY.md says.

`make test` takes forty cases, spread evenly; `make test-hard` takes all.
"""

import re
import subprocess

import pytest

from . import corpus
from .warden import CANARY, Warden

SHORT = 40
MOST_S = 5.0  # of processor time: the clock of the wall also runs for whoever else uses the machine
MOST_BYTES = 600 * 2**20  # of resident memory, beyond what the program takes before
MENDED = (  # one for each fault that was found by a file or by reading, and closed
    "a tuple in a tuple as a key, 500,000 deep",
    "a text encoded 4,000 times",
    "a key that is a pair of a pair of a pair",
    "60,000 keys of one place",
    "a dictionary in itself under 250 names",
    "pth with a second pickle in capitals",
    "pth with two tables of contents",
    "weights with 4,000 networks",
    "own header with classes of half characters",
    "own header with a mean of 400 digits",
    "own header with metrics that are texts",
    "progressive JPEG of 3,000 scans",
    "TIFF in 3 million strips",
    "BMP in runs of one pixel",
    "PPM in text",
    "a TIFF of nothing but NaN",
    "zip with a picture that says 8 bytes and unpacks to 3 GB",
    "zip with a name of nothing",
    "run with a file's name of nothing",
    "table of numbers of 9,000 digits",
    "class names as JSON 100,000 deep",
    "run with a name of half characters",
    "landscape flipped 0",
    "landscape with an array that is none",
    "landscape with a head that never ends",
    "plan of half characters",
)
LONGEST = 420  # characters of a sentence


@pytest.fixture(scope="module")
def warden():
    with Warden() as warden:
        yield warden


def opened(warden, case, folder):
    """The report of one case. The file lies in a folder of its own; beside it stands what nobody may touch."""
    inside = folder / "inside"
    inside.mkdir()
    for name in ("canary", "a.png", "config.json"):
        (folder / name).write_text(CANARY)
    path = inside / "upload"
    if case.folder:
        case.make(path)
    else:
        path.write_bytes(case.make())
    (report,) = warden.reports([(case.door, path, case.upload)], inside)
    left = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    return {**report, "untouched": left == dict.fromkeys(("canary", "a.png", "config.json"), CANARY)}


def faults(case, report) -> list[str]:
    """What is wrong with a report, in words."""
    text = report["text"]
    found = [f"did {what}" for what in report["seen"]]
    if not re.match(case.wanted, f"{report['kind']}: {text}"):
        found.append(f"ended in {report['kind']}: {text!r:.300}, and not in {case.wanted}\n{report.get('trace', '')}")
    if report["kind"] == "problem" and not (text.isprintable() and text.endswith(".") and 20 < len(text) <= LONGEST):
        found.append(f"is not one sentence: {text!r}")
    if report["cpu_s"] > MOST_S:
        found.append(f"took {report['cpu_s']:.1f} s of processor time")
    if report["grown_bytes"] > MOST_BYTES:
        found.append(f"took {report['grown_bytes'] / 2**20:,.0f} MiB of memory")
    if not report["untouched"]:
        found.append("changed what lies beside its folder")
    if CANARY in text:
        found.append("read what lies beside its folder")
    return found


def check(warden, cases, folder, printed=print) -> list[dict]:
    """All cases through their doors; fails with what is wrong with each, prints what RELIABILITY.md quotes."""
    reports, wrong = [], []
    for number, case in enumerate(cases):
        place = folder / str(number)
        place.mkdir()
        report = opened(warden, case, place)
        reports.append(report)
        wrong += [f"{case.door}: {case.name} {fault}" for fault in faults(case, report)]
        subprocess.run(["rm", "-r", str(place)], check=True)  # Python's own way cannot go 1,500 folders deep
    answers = sum(report["kind"] == "answer" for report in reports)
    memory, slowest = (
        max(range(len(cases)), key=lambda i, key=key: reports[i][key]) for key in ("grown_bytes", "cpu_s")
    )
    printed(
        f"{len(cases)} hostile files: {answers} answers, {len(cases) - answers} sentences; most memory "
        f"{reports[memory]['grown_bytes'] / 2**20:,.0f} MiB ({cases[memory].name}); "
        f"longest {reports[slowest]['cpu_s']:.1f} s "
        f"({cases[slowest].name})"
    )
    assert not wrong, "\n".join(wrong)
    return reports


def sprung(warden, cases, folder) -> list[str]:
    """The names of those whose code does not run, or is not seen, when they are opened without care."""
    dead = []
    for number, case in enumerate(cases):
        (inside := folder / f"trap-{number}" / "inside").mkdir(parents=True)
        (inside / "upload").write_bytes(case.make())
        (report,) = warden.reports([("unguarded", inside / "upload", case.upload)], inside)
        dead += [case.name] if not report["seen"] else []
    return dead


def traps():
    return [case for case in corpus.all_cases() if case.trap]


def test_the_traps_are_real_and_the_witness_sees_them(warden, tmp_path):
    assert sprung(warden, corpus.evenly(traps(), 8), tmp_path) == []


@pytest.mark.hard
def test_every_trap_is_real(warden, tmp_path):
    assert len(traps()) > 100
    assert sprung(warden, traps(), tmp_path) == []


def test_what_was_mended_stays_mended(warden, tmp_path):
    cases = [case for case in corpus.all_cases() if case.name in MENDED]
    assert len(cases) == len(MENDED)
    check(warden, cases, tmp_path)


def test_forty_of_them(warden, tmp_path):
    check(warden, corpus.evenly(corpus.all_cases(), SHORT), tmp_path)


@pytest.mark.hard
def test_all_of_them(warden, tmp_path, printed):
    cases = corpus.all_cases()
    assert len(cases) >= 300
    check(warden, cases, tmp_path, printed)
