"""The live picture, drawn on a console that only remembers."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from reconciler.daemon.live import LiveView, render
from tests.unit.daemon.views import chunk, domain, fact, problem, view


def drawn(document: dict[str, Any], *, height: int = 50, colour: bool = False, width: int = 120) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(render(document, height=height, hint="Ctrl-C ends it"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_chunk_has_a_line_with_state_reason_and_message() -> None:
    text = drawn(view(domain("demo", chunk("db", "executing", "Probing", "connection refused"))))
    line = next(line for line in text.splitlines() if "stack/db" in line)
    assert "▶ executing" in line
    assert "Probing" in line
    assert "connection refused" in line


def test_each_state_has_a_sign_of_its_own_so_that_no_colour_is_needed() -> None:
    states = ("completed", "executing", "ready", "failed")
    text = drawn(view(domain("demo", *(chunk(state, state) for state in states))))
    signs = {line.split(state)[1].strip()[0] for state in states for line in text.splitlines() if f"/{state}" in line}
    assert len(signs) == 4


def test_facts_stand_in_a_line_of_their_own() -> None:
    text = drawn(view(domain("demo", chunk("db"), facts={"db_ready": fact("Y", "yes"), "x": fact("U")})))
    assert "db_ready=Y x=U" in text


def test_a_settled_stack_shows_its_addresses() -> None:
    text = drawn(view(domain("demo", chunk("web", urls=["http://127.0.0.1:8088"]))))
    assert "✔ settled  http://127.0.0.1:8088" in text


def test_errors_held_removals_and_a_lost_engine_are_shown() -> None:
    text = drawn(
        view(
            domain("demo", chunk("db"), errors=[problem("demo.json", "unknown key")], held="all files are gone"),
            engine_up=False,
            message="connection refused",
        )
    )
    assert "demo.json:3:7: cpuxs.a: unknown key [UnknownKey]" in text
    assert "all files are gone" in text
    assert "the engine does not answer: connection refused" in text


def test_where_lines_do_not_suffice_what_is_completed_is_counted() -> None:
    many = [chunk(f"c{n}") for n in range(100)]
    text = drawn(view(domain("demo", *many, chunk("bad", "failed", "PortInUse"))), height=24)
    assert len(text.splitlines()) <= 24
    assert "stack/bad" in text
    assert "completed" in text.splitlines()[-3] or "… and" in text


def test_neither_markup_nor_escape_sequences_of_others_are_obeyed() -> None:
    text = drawn(view(domain("demo", chunk("[red]x[/red]", "failed", "Exited", "a\x1b[2Jb\u202ec"))))
    assert "[red]x[/red]" in text
    assert "abc" in text
    assert "\x1b" not in text


def test_an_empty_view_says_what_to_do() -> None:
    assert "put a JSON file" in drawn(view())


def test_the_last_picture_stays() -> None:
    console = Console(file=io.StringIO(), width=100, height=30, force_terminal=True)
    with LiveView(console) as live:
        live.show(view(domain("demo", chunk("db", "executing", "Probing"))))
        live.show(view(domain("demo", chunk("db"))))
    assert isinstance(console.file, io.StringIO)
    assert "✔ completed" in console.file.getvalue()
