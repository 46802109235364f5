"""Plain lines: one a change, and none without one."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.daemon.plain_output import PlainView, changes, settled_line, urls
from tests.unit.daemon.views import chunk, domain, problem, view

NOW = datetime(2026, 1, 1, 12, 0, 1)  # noqa: DTZ001 - a local clock's time, as shown


def test_the_first_view_tells_everything() -> None:
    shown = changes(None, view(domain("demo", chunk("db", "ready", "New"))), NOW)
    assert shown == ["12:00:01 the engine answers: docker 20.10.24", "12:00:01 demo/stack/db ready (New)"]


def test_a_change_of_state_is_a_line_with_both_states() -> None:
    before = view(domain("demo", chunk("db", "ready", "New")))
    after = view(domain("demo", chunk("db", "executing", "PullingImage", "pulling mongo:latest: 40 %")))
    assert changes(before, after, NOW) == [
        "12:00:01 demo/stack/db ready -> executing (PullingImage) pulling mongo:latest: 40 %"
    ]


def test_a_change_of_reason_is_a_line_and_a_change_of_message_is_none() -> None:
    a = view(domain("demo", chunk("db", "executing", "PullingImage", "1 %")))
    b = view(domain("demo", chunk("db", "executing", "PullingImage", "2 %")))
    c = view(domain("demo", chunk("db", "executing", "Probing", "connection refused")))
    assert changes(a, b, NOW) == []
    assert changes(b, c, NOW) == ["12:00:01 demo/stack/db executing (Probing) connection refused"]


def test_a_restart_between_two_looks_is_told() -> None:
    before = view(domain("demo", chunk("db", "executing", "Probing")))
    after = view(domain("demo", chunk("db", "executing", "Probing", restarts=2)))
    assert changes(before, after, NOW) == ["12:00:01 demo/stack/db executing, restarted (2 times so far)"]


def test_when_all_is_settled_the_addresses_are_told_once() -> None:
    before = view(domain("demo", chunk("web", "executing", "Probing")))
    after = view(domain("demo", chunk("web", urls=["http://127.0.0.1:8088"])))
    plain = PlainView()
    plain.lines(before)
    assert plain.lines(after, NOW)[-1] == "12:00:01 settled: demo: http://127.0.0.1:8088"
    assert plain.lines(after, NOW) == []


def test_how_far_a_pull_is_is_told_every_few_seconds_and_only_when_it_goes_on() -> None:
    plain = PlainView()

    def after(seconds: float, message: str, reason: str = "PullingImage") -> list[str]:
        shown = view(domain("demo", chunk("db", "executing", reason, message)))
        return plain.lines(shown, NOW + timedelta(seconds=seconds))

    assert after(0, "pulling mongo:7")[-1] == "12:00:01 demo/stack/db executing (PullingImage) pulling mongo:7"
    assert after(1, "pulling mongo:7: 10 %") == []
    assert after(5, "pulling mongo:7: 40 %") == ["12:00:06 demo/stack/db pulling mongo:7: 40 %"]
    assert after(6, "pulling mongo:7: 41 %") == []
    assert after(30, "pulling mongo:7: 40 %") == []
    assert after(31, "pulling mongo:7: 90 %") == ["12:00:32 demo/stack/db pulling mongo:7: 90 %"]
    assert after(32, "tcp refused", "Probing") == ["12:00:33 demo/stack/db executing (Probing) tcp refused"]
    assert after(60, "tcp reset", "Probing") == []


def test_nothing_is_settled_without_domains_or_before_the_first_look() -> None:
    assert settled_line(view()) is None
    assert settled_line(view(domain("demo", chunk("db")), ready=False)) is None
    assert settled_line(view(domain("demo", chunk("db"), settled=True), domain("x", settled=False))) is None


def test_a_domain_that_was_taken_down_is_not_called_settled() -> None:
    assert settled_line(view(domain("demo", chunk("db", "ready", "Suspended"), settled=True, suspended=True))) is None


def test_errors_of_a_file_are_lines_and_so_is_their_end() -> None:
    good = view(domain("demo", chunk("db")))
    bad = view(domain("demo", chunk("db"), errors=[problem("demo.json", "unknown key prots")], settled=False))
    assert changes(good, bad, NOW) == ["12:00:01 not valid: demo.json:3:7: cpuxs.a: unknown key prots [UnknownKey]"]
    assert changes(bad, good, NOW)[0] == "12:00:01 demo.json is valid again"


def test_the_engine_that_goes_and_comes_is_told() -> None:
    up = view(domain("demo", chunk("db", "executing", "Probing")), engine_up=True)
    gone = view(domain("demo", chunk("db", "executing", "Probing")), engine_up=False, message="refused")
    assert changes(up, gone, NOW) == ["12:00:01 the engine does not answer: refused"]
    assert changes(gone, up, NOW) == ["12:00:01 the engine answers: docker 20.10.24"]


def test_chunks_that_go_held_removals_and_stalls_are_told() -> None:
    before = view(domain("demo", chunk("db", "ready"), chunk("old", "ready")))
    after = view(domain("demo", chunk("db", "ready"), held="the directory is missing", stalled=True))
    assert changes(before, after, NOW) == [
        "12:00:01 stalled: demo; `pnr why CHUNK` says what is missing",
        "12:00:01 the removal of demo is held: the directory is missing",
        "12:00:01 demo/stack/old removed",
    ]


def test_what_containers_say_can_not_act_on_the_terminal() -> None:
    shown = changes(None, view(domain("demo", chunk("db", "failed", "Exited", "a\x1b[2Jb\nc"))), NOW)
    assert shown[-1] == "12:00:01 demo/stack/db failed (Exited) ab c"


def test_an_address_is_listed_once() -> None:
    one = chunk("a", urls=["http://127.0.0.1:1", "http://127.0.0.1:2"])
    assert urls(domain("demo", one, chunk("b", urls=["http://127.0.0.1:1"]))) == [
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
    ]


def test_what_only_looks_wrong_is_told_once() -> None:
    before = view(domain("demo", chunk("db")))
    after = view(domain("demo", chunk("db"), warnings=[problem("demo.json", "there is no domain base (yet)")]))
    told = changes(before, after, NOW)
    assert len(told) == 1
    assert told[0].startswith("12:00:01 warning: ")
    assert "there is no domain base (yet)" in told[0]
    assert changes(after, after, NOW) == []
