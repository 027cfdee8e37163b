"""A growing file read on: every line once, half a line later, and a file that was written again from its begin."""

import os

from resnet_viz.new_lines import NewLines, parse_line


def test_every_line_comes_once_and_half_a_line_waits(tmp_path):
    lines = NewLines(tmp_path / "rows.jsonl")
    assert lines.read() == ([], True)
    with open(lines.path, "wb", buffering=0) as file:
        file.write(b'{"a": 1}\n{"a"')
        assert lines.read() == ([{"a": 1}], True)
        assert lines.read() == ([], False)
        file.write(b": 2}\nnonsense\n[3]\n")
        assert lines.read() == ([{"a": 2}], False)


def test_a_file_that_was_cut_and_written_again_begins_anew(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    lines = NewLines(path)
    assert lines.read()[0] == [{"a": 1}, {"a": 2}]
    (tmp_path / "other").write_text('{"a": 1}\n{"a": 5}\n{"a": 6}\n')
    os.replace(tmp_path / "other", path)
    assert lines.read() == ([{"a": 1}, {"a": 5}, {"a": 6}], True)
    path.write_text('{"a": 7}\n')  # the same file, shorter
    assert lines.read() == ([{"a": 7}], True)
    path.unlink()
    assert lines.read() == ([], True) and lines.read() == ([], True)


def test_only_an_object_is_a_row():
    assert parse_line(b'{"a": 1}') == {"a": 1} and parse_line(b"[1]") is None and parse_line(b'{"a"') is None
