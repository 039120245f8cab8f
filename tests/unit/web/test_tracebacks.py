"""Tracebacks as a page shows them."""

from __future__ import annotations

from sagelet.web.tracebacks import frames_of, own_frames

TRACEBACK = """\
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/sagelet/worker/serving/loading.py", line 10, in load
    module = import_module(name)
  File "/home/me/project/code/inference.py", line 7, in predict_fn
    return helper(data)
           ^^^^^^^^^^^^
  File "/home/me/project/code/text/clean.py", line 3, in helper
    return data["txt"]
  File "/usr/lib/python3.11/json/decoder.py", line 337, in decode
    obj, end = self.raw_decode(s)
KeyError: 'txt'
"""
SYNTAX = """\
  File "/home/me/project/code/inference.py", line 12
    def predict_fn(data, model:
                  ^
SyntaxError: '(' was never closed
"""


def test_the_users_own_frames_are_told_apart() -> None:
    own = own_frames(TRACEBACK)
    assert [(f.file.rpartition("/")[2], f.line, f.function, f.code) for f in own] == [
        ("inference.py", 7, "predict_fn", "return helper(data)"),
        ("clean.py", 3, "helper", 'return data["txt"]'),
    ]
    assert len(frames_of(TRACEBACK)) == 4


def test_a_syntax_error_has_a_place_and_no_function() -> None:
    (frame,) = own_frames(SYNTAX)
    assert (frame.line, frame.function) == (12, "")
    assert frame.code == "def predict_fn(data, model:"


def test_frames_without_their_lines_text_are_found() -> None:
    text = 'File "a.py", line 1, in f\nFile "b.py", line 2, in g\nValueError: x\n'
    assert [(f.file, f.code) for f in frames_of(text)] == [("a.py", ""), ("b.py", "")]


def test_what_is_no_traceback_has_no_frames() -> None:
    assert frames_of("out of memory") == ()
