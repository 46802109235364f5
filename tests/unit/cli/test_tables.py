"""What ``status``, ``facts``, ``events`` and ``graph`` print."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from reconciler.cli.diagram import Edge, Graph, Node, dot, graph_of, mermaid
from reconciler.cli.events import event_line
from reconciler.cli.facts import facts_lines, facts_of
from reconciler.cli.status import status_lines
from reconciler.cli.terminal import print_json, wants_colour
from reconciler.daemon.viewing import UnknownDomain, ago
from reconciler.facts import TV, FactRef, GateEntry, Pnr
from reconciler.intent.model import Chunk, ChunkId, ContainerSpec, Cpux, Domain
from tests.unit.daemon.views import chunk, domain, fact, problem, view

NOW = datetime(2026, 1, 1, 0, 3, tzinfo=UTC)


def test_the_status_is_an_aligned_table_with_ages() -> None:
    lines = status_lines(view(domain("demo", chunk("db", message="tcp 27017 answered"), chunk("longer-name"))), NOW)
    assert lines == [
        "DOMAIN  CPUX   CHUNK        STATE      REASON   SINCE  RESTARTS  MESSAGE",
        "demo    stack  db           completed  Healthy  3m     0         tcp 27017 answered",
        "demo    stack  longer-name  completed  Healthy  3m     0",
    ]


def test_colours_come_only_where_they_are_asked_for_and_never_from_others() -> None:
    document = view(domain("demo", chunk("db", "failed", "Exited", "\x1b[32mfine\x1b[0m")))
    assert not any("\x1b" in line for line in status_lines(document, NOW))
    painted = status_lines(document, NOW, paint=True)
    assert "\x1b[31mfailed\x1b[0m" in painted[1]
    assert painted[1].count("\x1b") == 2


def test_on_a_terminal_a_long_message_is_cut_and_never_the_state() -> None:
    lines = status_lines(view(domain("demo", chunk("db", message="x" * 500))), NOW, width=100)
    assert max(len(line) for line in lines) <= 100
    assert lines[1].endswith("…")


def test_the_end_of_a_build_is_not_in_the_table() -> None:
    said = "image shop can't be built from .: exit code 2; what to do: correct it\nStep 1/2\nRUN false"
    lines = status_lines(view(domain("demo", chunk("db", "failed", "ImageBuildFailed", said))), NOW)
    assert lines[1].endswith("can't be built from .: exit code 2; what to do: correct it")


def test_what_is_wrong_stands_below_the_table() -> None:
    document = view(
        domain("demo", chunk("db"), errors=[problem("demo.json", "unknown key")], stalled=True, held="all gone"),
        engine_up=False,
        message="refused",
    )
    assert status_lines(document, NOW)[2:] == [
        "the engine does not answer: refused",
        "not valid: demo.json:3:7: cpuxs.a: unknown key [UnknownKey]",
        "demo is stalled: `pnr why CHUNK` says what is missing",
        "the removal of demo is held: all gone",
    ]


def test_facts_are_listed_with_full_names() -> None:
    document = view(domain("demo", chunk("db"), facts={"db_ready": fact("Y", "yes", by="db")}), domain("other"))
    found = facts_of(document, ["demo"])
    assert found[0]["fact"] == "demo/stack/db_ready"
    assert facts_lines(found, NOW)[1].split() == ["demo/stack/db_ready", "Y", "yes", "3m", "db", "is", "it", "so?"]
    with pytest.raises(UnknownDomain, match="known are: demo, other"):
        facts_of(document, ["demon"])


def test_a_time_that_is_none_or_nonsense_has_no_age() -> None:
    assert ago(None, NOW) == ago("yesterday", NOW) == ""


def test_an_event_is_a_line_without_control_characters() -> None:
    entry = {
        "at": "2026-01-01T00:00:00Z", "kind": "transition", "domain": "demo", "cpux": "stack", "chunk": "db",
        "from": "ready", "to": "executing", "reason": "Starting", "message": "a\x1b[2Jb\n c",
    }  # fmt: skip
    line = event_line(entry, NOW)
    assert line.endswith("demo/stack/db transition ready -> executing (Starting) ab  c")


def test_json_output_is_ascii_and_free_of_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "\x00\x1b[31m\x7f\x9b\u202e\ud800é"
    print_json({"text": nasty})
    printed = capsys.readouterr().out
    assert all(" " <= character <= "~" or character == "\n" for character in printed)
    assert json.loads(printed)["text"] == nasty


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "env", "wanted"),
    [
        (_Terminal(), {"TERM": "xterm"}, True),
        (_Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (_Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(stream: io.StringIO, env: dict[str, str], wanted: bool) -> None:
    assert wants_colour(stream, env) is wanted


def _chunk(name: str, *waits_for: str, answers: tuple[str, ...] = ()) -> Chunk:
    yes = Pnr("?", ("yes",), TV.Y)
    return Chunk(
        ChunkId("demo", "stack", name),
        ContainerSpec(name, "image", "", {}, {}),
        gate=tuple(GateEntry(FactRef("demo", "stack", key), yes) for key in waits_for),
        flowout=dict.fromkeys(answers, yes),
    )


def _demo() -> Graph:
    chunks = (_chunk("db", "given", answers=("db_ready",)), _chunk("web", "db_ready", "nobody"))
    cpux = Cpux("stack", {"given": Pnr("?", ("yes",), TV.Y)}, chunks)
    return graph_of([Domain("demo", "demo.json", "", "", (cpux,))])


def test_the_graph_leads_from_who_answers_to_who_waits() -> None:
    graph = _demo()
    assert Edge("c0", "c1", "db_ready = Y") in graph.edges
    assert Node("f0", "demo/stack/given", "given") in graph.domains["demo"]
    assert Node("f1", "demo/stack/nobody", "missing") in graph.domains["demo"]


def test_the_graph_is_drawn_for_mermaid_and_for_graphviz() -> None:
    assert mermaid(_demo()).splitlines() == [
        "flowchart LR",
        '  subgraph d0["demo"]',
        '    c0["stack/db"]',
        '    c1["stack/web"]',
        '    f0(["demo/stack/given"])',
        '    f1{{"demo/stack/nobody: no chunk answers it"}}',
        "  end",
        '  f0 -->|"given = Y"| c0',
        '  c0 -->|"db_ready = Y"| c1',
        '  f1 -->|"nobody = Y"| c1',
    ]
    assert '  c0 -> c1 [label="db_ready = Y"];' in dot(_demo())


def test_a_name_can_not_add_anything_to_the_drawing() -> None:
    nasty = 'x"]; click c0 "javascript:alert(1)"\n<script> \\" \x1b[31m'
    graph = Graph({nasty: (Node("c0", nasty, "chunk"),)}, (Edge("c0", "c0", nasty),))
    drawn = mermaid(graph)
    assert len(drawn.splitlines()) == 5
    assert drawn.count('"') == 6
    assert "<" not in drawn
    for line in dot(graph).splitlines():
        if "label=" in line:
            body = line.split("label=", 1)[1].rstrip("];")
            assert body[0] == body[-1] == '"'
            assert '"' not in body[1:-1].replace("\\\\", "").replace('\\"', "")
