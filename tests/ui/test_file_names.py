"""What a browser calls an uploaded file never leads out of the folder that it is kept in."""

import pytest

from resnet_viz.ui.picker import file_name

SENT = {
    "resnet18-f37072fd.pth": "resnet18-f37072fd.pth", "my weights.pt": "my weights.pt", "../../etc/passwd": "passwd", "/etc/cron.d/x.pth": "x.pth",
    "C:\\Windows\\w.pth": "w.pth", "..\\..\\w.pth": "w.pth", "..": "weights", ".": "weights", "": "weights", "a/": "weights", ".hidden": "hidden",
    "a\0b.pth": "a\ufffdb.pth", "a\ud800.pth": "a\ufffd.pth", "\u202ehtp.w": "\ufffdhtp.w", "n" * 5000 + ".pth": "n" * 116 + ".pth",
}


@pytest.mark.parametrize(("sent", "kept"), SENT.items(), ids=range(len(SENT)))
def test_a_name_stays_a_name(sent, kept, tmp_path):
    assert file_name(sent) == kept
    assert (tmp_path / file_name(sent)).parent == tmp_path
    (tmp_path / file_name(sent)).write_bytes(b"")  # and the system takes it
