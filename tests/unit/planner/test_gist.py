"""Of what a run printed last, the lines that name the cause."""

from __future__ import annotations

import pytest

from reconciler.planner.gist import MOST_CHARACTERS, gist

PYTHON = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    import yaml
    ^^^^^^^^^^^
  File "/usr/lib/python3/site-packages/loader.py", line 99, in load
    raise Missing(name)
ModuleNotFoundError: No module named 'yaml'
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: cannot open the store
\tat com.example.Store.open(Store.java:12)
\tat com.example.Main.main(Main.java:3)
Caused by: java.io.IOException: disk quota exceeded
\t... 12 more
"""
NODE = """Error: Cannot find module 'express'
    at Function.Module._resolveFilename (node:internal/modules/cjs/loader:933:15)
    at node:internal/main/run_main_module:17:47
"""
GO = """panic: no configuration

goroutine 1 [running]:
main.main()
\t/app/main.go:7 +0x1d
"""
USAGE = """nc: invalid option -- 'k'

Usage: nc [-iN] [-wN] [-l] [-p PORT]

\t-l\tListen mode, for inbound connects
"""


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("", ""),
        ("bye\n", "bye"),
        ("one\n\ntwo\nthree\nfour\n", "two\nthree\nfour"),
        (PYTHON, "ModuleNotFoundError: No module named 'yaml'"),
        (
            JAVA,
            'Exception in thread "main" java.lang.IllegalStateException: cannot open the store\n'
            "Caused by: java.io.IOException: disk quota exceeded",
        ),
        (NODE, "Error: Cannot find module 'express'"),
        (GO, "panic: no configuration\nmain.main()"),
        (USAGE, "nc: invalid option -- 'k'"),
        ("Usage: serve PORT\n", "Usage: serve PORT"),
        ("\tat com.example.Store.open(Store.java:12)\n", "at com.example.Store.open(Store.java:12)"),
        ("look at me: 5\nat last it came up\n", "look at me: 5\nat last it came up"),
    ],
)
def test_stacks_and_usage_texts_are_left_out_unless_there_is_nothing_else(output: str, told: str) -> None:
    assert gist(output) == told


def test_long_lines_leave_room_for_the_last_one_and_are_shortened() -> None:
    assert gist("x" * 400 + "\nthe end") == "the end"
    assert len(gist("y" * 4000)) == MOST_CHARACTERS
