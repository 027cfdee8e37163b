"""The command that audits what is installed: pinned, strict, and about this project's environment. The service is not asked here."""

import os
import re
import subprocess
import sys

from resnet_viz.runs import PROJECT


def test_the_audit_is_well_formed():
    told = subprocess.run(["make", "--no-print-directory", "-n", "audit", f"PYTHON={sys.executable}"], cwd=PROJECT, capture_output=True, text=True, timeout=60,
                          env=os.environ | {"MAKEFLAGS": ""})  # make's own words where make test called this
    assert told.returncode == 0, told.stderr
    *_, install, audit = told.stdout.strip().splitlines()
    assert re.search(r"pip-audit==\d+\.\d+\.\d+", install)
    assert "--strict" in audit and "purelib" in audit and ".venv/bin/python" in audit


def test_what_is_installed_is_pinned():
    """Each line of the requirements names one version, so that an audit speaks of what runs."""
    for name in ("requirements.txt", "requirements-test.txt"):
        lines = [line.split("#")[0].strip() for line in (PROJECT / name).read_text().splitlines()]
        assert [line for line in lines if line and not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_licence_and_security_note_are_there():
    assert (PROJECT / "LICENSE").read_text().startswith("MIT License")
    note = (PROJECT / "SECURITY.md").read_text()
    for word in ("RESNET_VIZ_READONLY", "RESNET_VIZ_PASSWORD", "make audit", "To report"):
        assert word in note
