"""``pnr why``: the cause at the root, and the next step."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from reconciler.cli.explain import explain
from reconciler.daemon.short_names import UnknownChunk
from reconciler.sentences import advised
from reconciler.states import Heals, Reason, State
from tests.unit.daemon.views import View, chunk, domain, fact, problem, view, waits_for

NOW = datetime(2026, 1, 1, 0, 3, tzinfo=UTC)


def waiting(name: str, *facts: View, **more: object) -> View:
    """A chunk that waits for facts."""
    return chunk(name, "ready", "WaitingForGatekeeper", "…", waiting_for=list(facts), **more)


def why(document: View, name: str) -> str:
    return explain(document, name, NOW)


def test_a_chunk_that_is_up_is_said_to_be_up() -> None:
    assert why(view(domain("demo", chunk("db", message="tcp 27017 answered"))), "db") == (
        "demo/stack/db is completed (Healthy) for 3m: tcp 27017 answered.\nNothing needs to be done."
    )


def test_what_is_missing_is_named_with_what_was_found_and_who_answers_it() -> None:
    document = view(
        domain(
            "demo",
            chunk("db", "executing", "Probing", "connection refused"),
            waiting("web", waits_for("demo/stack/db_ready", "demo/stack/db")),
            facts={"db_ready": fact("U")},
        )
    )
    first, second, *rest = why(document, "web").splitlines()
    assert first == (
        "demo/stack/web waits for 3m for demo/stack/db, which is executing (Probing) for 3m: connection refused."
    )
    assert "pnr logs demo/stack/db" in second
    wanted = 'demo/stack/web waits for demo/stack/db_ready: wanted Y [yes], found U ("is it so?"); answered by'
    assert f"{wanted} demo/stack/db." in rest


def test_the_chain_is_followed_to_the_chunk_at_its_root() -> None:
    document = view(
        domain(
            "demo",
            chunk("db", "failed", "ImagePullFailed", "no such image mongo:lates", next_try="2026-01-01T00:03:32Z"),
            waiting("api", waits_for("demo/stack/db_ready", "db", found="N")),
            waiting("web", waits_for("demo/stack/api_ready", "demo/stack/api")),
        )
    )
    lines = why(document, "web").splitlines()
    assert lines[0] == (
        "demo/stack/web waits for 3m for demo/stack/db (through demo/stack/api), which is failed (ImagePullFailed)"
        " for 3m: no such image mongo:lates."
    )
    assert "docker pull" in lines[1]
    assert "(in 32s)" in lines[1]


def test_a_fact_that_nobody_answers_is_said_to_be_so() -> None:
    first, second, *_ = why(view(domain("demo", waiting("web", waits_for("demo/stack/nobody")))), "web").splitlines()
    assert first == "demo/stack/web waits for demo/stack/nobody, and nothing that is declared answers it."
    assert "rt_state of demo/stack" in second


def test_a_fact_of_a_domain_that_is_not_there_names_the_domain() -> None:
    first, second, *_ = why(view(domain("demo", waiting("web", waits_for("gone/stack/up")))), "web").splitlines()
    assert first == "demo/stack/web waits for gone/stack/up, and there is no domain gone."
    assert "Declare the domain gone" in second


def test_of_several_that_are_waited_for_the_one_that_failed_is_the_cause() -> None:
    document = view(
        domain(
            "demo",
            chunk("slow", "executing", "Probing", "connection refused"),
            chunk("broken", "failed", "PortInUse", "host port 80 is held by nginx (pid 7); what to do: free it"),
            waiting("web", waits_for("demo/stack/a", "slow"), waits_for("demo/stack/b", "broken")),
        )
    )
    first, second, *_ = why(document, "web").splitlines()
    assert first.endswith(
        "demo/stack/broken, which is failed (PortInUse) for 3m: host port 80 is held by nginx (pid 7)."
    )
    assert second == "Free it."


def test_what_failed_is_the_cause_also_while_it_is_tried_again() -> None:
    trying = chunk(
        "web", "executing", "Starting", "starting web", last_failure="host port 80 is held; what to do: free it"
    )
    first, second, *_ = why(view(domain("demo", trying)), "web").splitlines()
    assert first == (
        "demo/stack/web is executing (Starting) for 3m: host port 80 is held; it is tried again (starting web)."
    )
    assert second == "Free it."


def test_an_old_error_of_what_is_up_is_no_cause_of_what_is_done_now() -> None:
    ending = {"code": 3, "oom": False, "output": "boom"}
    now = chunk("web", "executing", "Updating", "its intent changed", exit=ending, last_error="exit code 3")
    assert "3 " not in why(view(domain("demo", now)), "web").replace("for 3m", "")


def test_what_was_done_from_outside_and_put_right_is_told() -> None:
    mended = {"at": "2026-01-01T00:02:00Z", "text": "was paused"}
    first, *_ = why(view(domain("demo", chunk("web", message="running", mended=mended))), "web").splitlines()
    assert first.startswith("demo/stack/web was paused from outside at ")
    assert "(by whom is not known), and was put right" in first


def test_a_chunk_of_a_file_that_was_never_valid_is_explained_by_the_file() -> None:
    broken = domain("shop.json", errors=[problem("shop.json", "unknown key")], file="shop.json", said=["shop", "web"])
    document = view(domain("demo", chunk("db")), {**broken, "generation": 0})
    for name in ("web", "shop/main/web", "shop/web", "main/web", "shop.json", "shop"):
        first, second = why(document, name).splitlines()
        assert first == (
            "shop.json is not valid, so nothing of it is in force, and nothing of it runs: shop.json:3:7: cpuxs.a:"
            " unknown key [UnknownKey]."
        )
        assert "pnr validate" in second
    with pytest.raises(UnknownChunk):
        why(document, "other/main/web")


def test_a_state_that_can_not_be_kept_is_told_of_what_is_up() -> None:
    document = view(
        domain("demo", chunk("db")), message="/state/events.jsonl can't be written: no space left on device"
    )
    first, second, *_ = why(document, "db").splitlines()
    assert first.startswith("pnr can't keep its state: /state/events.jsonl can't be written: no space left on device;")
    assert "Make room" in second


def test_no_sentence_ends_twice_and_no_check_has_failed_0_times() -> None:
    probe = {
        "type": "http",
        "failures": 0,
        "total_failures": 0,
        "successes": 0,
        "last_error": "refused",
        "last_at": None,
    }
    text = why(
        view(domain("demo", chunk("web", "failed", "ExitedNonZero", "exit code 1; it said: bye.", probe=probe))), "web"
    )
    assert "bye.\n" in text
    assert " 0 times" not in text


@pytest.mark.parametrize(
    ("output", "step"),
    [
        ("wget: bad address 'databse:5432'", "The name databse is not known"),
        ("curl: (6) Could not resolve host: databse", "The name databse is not known"),
        ("Error: getaddrinfo ENOTFOUND databse", "The name databse is not known"),
        ("dial tcp: lookup databse on 127.0.0.11:53: no such host", "The name databse is not known"),
        ("touch: /x: Read-only file system", "`tmpfs`"),
        ("bind: address already in use", "one port"),
        ("connect: connection refused", "gatekeeper"),
        ("boom", "pnr logs demo/stack/web"),
    ],
)
def test_what_a_container_printed_as_it_ended_leads_to_the_step(output: str, step: str) -> None:
    ending = {"code": 1, "oom": False, "output": output}
    failed = chunk("web", "failed", "ExitedNonZero", f"exit code 1; it said: {output}", exit=ending)
    assert step in why(view(domain("demo", failed)), "web").splitlines()[1]


def test_a_circle_of_gates_is_named_and_ends() -> None:
    document = view(
        domain(
            "demo",
            waiting("a", waits_for("demo/stack/b_ready", "demo/stack/b")),
            waiting("b", waits_for("demo/stack/a_ready", "demo/stack/a")),
        )
    )
    assert "circle" in why(document, "a")


def test_an_answer_that_stands_otherwise_is_told_apart_from_one_that_is_missing() -> None:
    document = view(
        domain(
            "demo",
            chunk("db"),
            waiting("maintenance", waits_for("demo/stack/db_ready", "demo/stack/db", wanted="N", found="Y")),
            facts={"db_ready": fact("Y", "yes", by="db")},
        )
    )
    first, second, *_ = why(document, "maintenance").splitlines()
    assert first.endswith("it is up, and its answer to demo/stack/db_ready is Y [yes], not the wanted N [yes].")
    assert "flowout" in second


def test_a_very_long_chain_is_cut() -> None:
    names = [f"c{n}" for n in range(100)]
    chain = [waiting(a, waits_for(f"demo/stack/{b}_ready", f"demo/stack/{b}")) for a, b in pairwise(names)]
    first, second, *_ = why(view(domain("demo", *chain, chunk("c99", "executing", "Probing"))), "c0").splitlines()
    assert len(first) < 300
    assert second == "`pnr why demo/stack/c50` goes on."


def test_the_last_error_of_the_check_and_how_often_it_failed_are_told() -> None:
    probe = {"type": "http", "failures": 4, "successes": 0, "last_error": "503", "last_at": "2026-01-01T00:02:59Z"}
    text = why(view(domain("demo", chunk("web", "executing", "Unhealthy", probe=probe))), "web")
    assert "Its http check has failed 4 times" in text
    assert ": 503." in text
    assert "pnr logs demo/stack/web" in text


def test_the_exit_code_and_the_last_lines_of_output_are_told() -> None:
    output = "\n".join(f"line {n}" for n in range(30))
    ending = {"code": 3, "oom": False, "output": output}
    text = why(view(domain("demo", chunk("job", "failed", "ExitedNonZero", "exit code 3", exit=ending))), "job")
    assert "ended with exit code 3; it printed last:" in text
    assert "    line 29" in text
    assert "line 19\n" not in text


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ({"output": ""}, "Its last run ended with exit code 3; it printed nothing."),
        ({"output": None}, "Its last run ended with exit code 3."),
        ({}, "Its last run ended with exit code 3."),
        ({"output": None, "earlier_output": ""}, "Its last run ended with exit code 3."),
        (
            {"output": None, "earlier_output": "boom"},
            "Its last run ended with exit code 3; in this run or one before it printed last:",
        ),
        ({"output": "", "earlier_output": "boom"}, "Its last run ended with exit code 3; it printed nothing."),
    ],
)
def test_that_a_run_printed_nothing_is_said_only_where_it_is_known(printed: View, told: str) -> None:
    ending = {"code": 3, "oom": False, **printed}
    lines = why(view(domain("demo", chunk("job", "failed", "ExitedNonZero", "exit code 3", exit=ending))), "job")
    assert told in lines.splitlines()
    assert ("; it said, in this run or one before: boom" in lines) == ("this run or one before" in told)


def test_want_of_memory_leads_to_mem_limit() -> None:
    ending = {"code": 137, "oom": True, "output": ""}
    text = why(view(domain("demo", chunk("db", "failed", "OOMKilled", "killed", exit=ending))), "db")
    assert "killed for lack of memory" in text
    assert "mem_limit" in text


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("NameConflict", "Remove or rename"),
        ("PortInUse", "Free the port"),
        ("RolledBack", "Correct the domain file"),
        ("DeadlineExceeded", "deadline_seconds"),
        ("Suspended", "`pnr apply demo`"),
    ],
)
def test_each_reason_has_its_next_step(reason: str, advice: str) -> None:
    state = "ready" if reason == "Suspended" else "failed"
    assert advice in why(view(domain("demo", chunk("db", state, reason, "held by pid 7"))), "db")


@pytest.mark.parametrize("reason", [one for one in Reason if State.FAILED in one.states and one.heals is not Heals.YES])
def test_each_reason_of_a_failure_has_the_step_of_the_table(reason: Reason) -> None:
    document = view(domain("demo", chunk("db", "failed", reason, "it failed", image="mongo:7")))
    step = why(document, "db").splitlines()[1]
    assert step == reason.advice.format(chunk="demo/stack/db", domain="demo", image="mongo:7")


def test_a_reason_of_a_newer_daemon_is_told_as_it_is() -> None:
    first, second, *_ = why(view(domain("demo", chunk("db", "executing", "Newest", "it works"))), "db").splitlines()
    assert first == "demo/stack/db is executing (Newest) for 3m: it works."
    assert second.startswith("Wait: nothing has failed")


def test_an_engine_that_does_not_answer_comes_first() -> None:
    document = view(domain("demo", chunk("db", "executing", "EngineUnavailable")), engine_up=False, message="refused")
    assert why(document, "db").startswith("The engine does not answer: refused;")


@pytest.mark.parametrize(
    ("keeps", "told"),
    [
        (True, "Its containers run on without it (its `live-restore` is on)"),
        (False, "its containers have ended with it (its `live-restore` is off): pnr starts them again"),
        (None, "its containers have ended with it unless `live-restore` is on: pnr starts them again"),
    ],
)
def test_what_becomes_of_the_containers_of_an_engine_that_is_away_is_told(keeps: bool | None, told: str) -> None:
    away = view(domain("demo", chunk("web")), engine_up=False, message="no engine there", live_restore=keeps)
    assert told in why(away, "web").splitlines()[2]


def test_what_had_ended_with_the_engine_is_told_once_it_is_up_again() -> None:
    web = chunk("web", message="running", ended_away="2026-01-01T00:02:00Z")
    first, *_ = why(view(domain("demo", web)), "web").splitlines()
    assert first == (
        "demo/stack/web had ended while the engine was away (seen at 00:02:00), and was started again;"
        " it is completed (Healthy) for 3m: running."
    )
    later = {"at": "2026-01-01T00:02:30Z", "text": "was paused"}
    assert "was paused from outside" in why(view(domain("demo", {**web, "mended": later})), "web")


def test_an_invalid_file_and_a_held_removal_are_told() -> None:
    document = view(
        domain(
            "demo", chunk("db"), errors=[problem("demo.json", "unknown key"), problem("demo.json", "b")], held="gone"
        )
    )
    text = why(document, "db")
    assert "demo.json is not valid, so its last good content stays in force: demo.json:3:7" in text
    assert "(and 1 more, see `pnr validate`)" in text
    assert "Removal of demo is held back: gone." in text


def test_a_chunk_can_be_named_in_three_lengths() -> None:
    document = view(domain("a", chunk("db")), domain("b", chunk("web")))
    assert why(document, "web") == why(document, "stack/web") == why(document, "b/stack/web") == why(document, "b/web")


def test_a_name_that_two_chunks_have_is_refused_with_both() -> None:
    with pytest.raises(UnknownChunk, match="db could be a/stack/db, b/stack/db"):
        why(view(domain("a", chunk("db")), domain("b", chunk("db"))), "db")


def test_a_name_that_no_chunk_has_is_refused_with_those_that_there_are() -> None:
    document = view(domain("a", chunk("db")), domain("b.json", errors=[problem("b.json", "x")], file="b.json"))
    with pytest.raises(UnknownChunk, match=r"no chunk bd; there is a/stack/db; not valid, see .*b\.json"):
        why(document, "bd")


def follows(**told: object) -> dict[str, object]:
    nothing = {"policy": "registry", "newest": None, "asked_at": None, "next_at": None, "trouble": "", "rejected": None}
    return {**nothing, **told}


def test_a_registry_that_can_not_be_asked_is_told_also_of_a_chunk_that_is_up() -> None:
    up = chunk("web", auto_update=follows(trouble="ghcr.io can't be asked", next_at="2026-01-01T00:04:00Z"))
    text = why(view(domain("demo", up)), "web")
    assert "About its image: ghcr.io can't be asked; asked again at " in text


def test_an_image_that_was_rejected_is_told() -> None:
    failed = chunk("web", "failed", "RolledBack", "exit code 3", auto_update=follows(rejected="sha256:abc"))
    text = why(view(domain("demo", failed)), "web")
    assert "The image sha256:abc was tried and rejected" in text
    assert "when its tag moves on" in text


def test_what_was_rolled_back_tells_of_no_next_try_that_never_comes() -> None:
    for follows_image, said in (
        (follows(rejected="sha256:abc"), "when its tag moves on"),
        (None, "Correct the domain file"),
    ):
        failed = chunk("web", "failed", "RolledBack", "x", auto_update=follows_image, next_try=None, attempts=3)
        told = why(view(domain("demo", failed)), "web")
        assert said in told
        assert "attempts" not in told


def test_a_rollback_from_a_passing_trouble_tells_when_it_is_tried_again() -> None:
    failed = chunk("web", "failed", "RolledBack", "x", next_try="2000-01-01T00:00:00Z", attempts=1)
    told = why(view(domain("demo", failed)), "web")
    assert "the cause can pass by itself" in told
    assert "It is tried again now" in told
    assert "correct the domain file" not in told


def test_a_tag_that_has_moved_is_told_with_what_takes_it() -> None:
    up = chunk("web", image_moved="image: web:1 is sha256:b now, sha256:a found")
    text = why(view(domain("demo", up)), "web")
    assert "Its tag has moved (image: web:1 is sha256:b now, sha256:a found)" in text
    assert "`pnr apply demo`" in text
    followed = chunk("web", image_moved="image: …", auto_update=follows())
    assert "Its tag" not in why(view(domain("demo", followed)), "web")


def test_what_has_failed_and_is_tried_again_is_never_said_to_have_not_failed() -> None:
    told = "not healthy within 8 s: the command exited 3: db has no schema"
    again = chunk("web", "executing", "Starting", f"starting web; the last attempt failed: {told}", last_failure=told)
    first, second, *_ = why(view(domain("demo", again)), "web").splitlines()
    assert told in first
    assert second.startswith("Read what it printed (`pnr logs demo/stack/web`)")


def test_a_name_of_a_domain_whose_removal_waits_is_had_by_confirming_the_removal() -> None:
    said = "the name db is held by container 0123456789ab (postgres), which belongs to shop/main/db"
    advice = "remove or rename it (`docker rename db NEW`), or choose another container name in the domain file"
    document = view(
        domain("shop", chunk("db"), held="all domains are gone at once"),
        domain("store", chunk("db", "failed", "NameConflict", advised(said, advice))),
    )
    first, second, *_ = why(document, "store/stack/db").splitlines()
    assert said in first
    assert second.startswith("`pnr confirm-removal shop` lets the removal of shop go on")


def test_of_what_is_up_it_is_said_how_it_ended_a_while_ago() -> None:
    ended = "it ended by itself 2 times, last after 20 s: exit code 1; it said: no database"
    up = chunk("web", message="running", crashes=2, last_error=ended)
    first, second, *_ = why(view(domain("shop", up)), "web").splitlines()
    assert first.endswith(
        "running; before that it ended by itself 2 times, last with: exit code 1; it said: no database."
    )
    assert (
        second
        == "Nothing needs to be done while it runs; why it ended is in what it printed: `pnr logs shop/stack/web`."
    )
    assert "nothing has failed" not in why(
        view(domain("shop", chunk("web", "executing", "Stopping", last_error="x"))), "web"
    )


def test_what_something_has_killed_most_often_wants_memory() -> None:
    killed = chunk("web", "failed", "CrashLooping", "it ended by itself 3 times: exit code 137", exit={"code": 137})
    assert "give it more (`mem_limit`)" in why(view(domain("shop", killed)), "web").splitlines()[1].lower()


def test_of_a_kill_that_is_most_likely_the_kernels_the_step_is_about_its_limit() -> None:
    said = "it ended by itself 3 times: most likely killed for lack of memory (exit code 137): it wanted more than …"
    killed = chunk("web", "failed", "CrashLooping", said, exit={"code": 137})
    first, step = why(view(domain("shop", killed)), "web").splitlines()[:2]
    assert "most likely killed for lack of memory" in first
    assert step.startswith("Give it more memory (`mem_limit`)")
