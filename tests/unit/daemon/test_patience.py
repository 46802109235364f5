"""Who waits is told what for."""

from __future__ import annotations

from typing import Any

from reconciler.daemon.patience import FIRST_WORD_SECONDS, NEXT_WORD_SECONDS, Patience, waited_for


def view(*chunks: tuple[str, str, str], files_wait: str = "", **of_domain: Any) -> dict[str, Any]:
    made = [{"name": name, "state": state, "reason": reason, "message": ""} for name, state, reason in chunks]
    domain = {"name": "shop", "cpuxs": [{"name": "main", "chunks": made}], **of_domain}
    daemon = {"ready": True, "engine_up": True, "message": "", "files_wait": files_wait}
    return {"daemon": daemon, "domains": [domain]}


PROBED = view(("db", "completed", "Healthy"), ("web", "executing", "Probing"))


def test_the_first_word_comes_after_a_moment_and_the_next_ones_seldom() -> None:
    patience = Patience(100.0)
    times = [at / 10 for at in range(1000, 1650)]
    said = [at for at in times if patience.word(at, PROBED)]
    assert said == [100.0 + FIRST_WORD_SECONDS, 100.0 + FIRST_WORD_SECONDS + NEXT_WORD_SECONDS]


def test_what_keeps_the_files_from_being_read_is_said_at_once_and_when_it_changes() -> None:
    patience = Patience(0.0)
    held = view(files_wait="git holds its lock")
    assert patience.word(0.1, held) == "git holds its lock"
    assert patience.word(0.2, held) == ""
    assert patience.word(0.3, view(files_wait="no process holds its lock")) == "no process holds its lock"
    assert patience.word(0.3 + NEXT_WORD_SECONDS, held) == "git holds its lock"


def test_a_limit_is_over_when_it_is_and_without_one_never() -> None:
    assert not Patience(0.0).is_over(1e9)
    assert not Patience(0.0, 5.0).is_over(4.9)
    assert Patience(0.0, 5.0).is_over(5.0)


def test_those_who_are_not_done_are_named_with_their_reasons() -> None:
    assert waited_for(PROBED) == "shop/main/web is executing (Probing)"
    assert waited_for(view(removing=True)) == "shop is being removed"
    many = view(*((f"c{n}", "ready", "WaitingForGatekeeper") for n in range(5)))
    assert waited_for(many).endswith("; and 2 more")
    assert "engine does not answer" in waited_for({**PROBED, "daemon": {"engine_up": False, "message": "gone"}})
