"""``depends_on`` becomes facts and gatekeepers."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.compose.converting.said import Said, WrongAnswer
from tests.unit.compose.converting.build import chunks, converted, service, told

CHECK = {"test": ["CMD", "true"]}
STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"


def on(condition: str, **more: Any) -> dict[str, Any]:
    return {"condition": condition, "required": True, **more}


@pytest.mark.parametrize(
    ("condition", "target", "key", "prompt", "kind", "check"),
    [
        (STARTED, {}, "db_started", "Is db running?", None, None),
        (HEALTHY, {"healthcheck": CHECK}, "db_healthy", "Is db healthy?", None, {"type": "docker"}),
        (COMPLETED, {}, "db_completed", "Has db done its work?", "job", None),
    ],
)
def test_each_condition_is_a_fact_that_the_one_answers_and_the_other_waits_for(
    condition: str, target: dict[str, Any], key: str, prompt: str, kind: str | None, check: Any
) -> None:
    conversion = converted({"web": service(depends_on={"db": on(condition)}), "db": service(**target)})
    found = chunks(conversion)
    fact = {key: {"prompt": prompt, "response": ["yes"], "tv": "Y"}}
    assert found["db"]["flowout"] == found["web"]["gatekeeper"] == fact
    assert found["db"].get("kind") == kind
    assert found["db"].get("health_check") == check
    assert "gatekeeper" not in found["db"]
    assert told(conversion) == []


def test_a_chunk_stands_after_those_it_waits_for() -> None:
    conversion = converted({
        "a": service(depends_on={"b": on(STARTED)}),
        "b": service(depends_on={"c": on(STARTED)}),
        "c": service(),
    })  # fmt: skip
    assert list(chunks(conversion)) == ["c", "b", "a"]


def test_a_health_check_stays_in_the_container_and_the_chunk_asks_the_engine() -> None:
    chunk = chunks(converted({"db": service(healthcheck=CHECK)}))["db"]
    assert chunk["health_check"] == {"type": "docker"}
    assert chunk["container"]["healthcheck"] == CHECK


def test_a_health_check_that_takes_long_to_come_to_a_verdict_is_given_the_time() -> None:
    slow = {**CHECK, "interval": "2m", "timeout": "10s", "retries": 5, "start_period": "1m"}
    chunk = chunks(converted({"db": service(healthcheck=slow)}))["db"]
    assert chunk["health_check"] == {"type": "docker", "deadline_seconds": 60 + 5 * 130}


def test_a_health_check_that_is_turned_off_is_none() -> None:
    for check in ({"disable": True}, {"test": ["NONE"]}):
        chunk = chunks(converted({"db": service(healthcheck=check)}))["db"]
        assert "health_check" not in chunk
        assert chunk["container"]["healthcheck"] == check


def test_a_health_check_that_an_override_turns_off_is_off() -> None:
    chunk = chunks(converted({"db": service(healthcheck={**CHECK, "disable": True})}))["db"]
    assert chunk["container"]["healthcheck"] == {"disable": True}


def test_waiting_for_an_images_health_gives_a_check_and_a_note_that_it_is_the_images() -> None:
    conversion = converted({"web": service(depends_on={"db": on(HEALTHY)}), "db": service()})
    assert chunks(conversion)["db"]["health_check"] == {"type": "docker"}
    assert told(conversion) == [("services.db", "ImagesHealthCheck")]


@pytest.mark.parametrize(
    ("services", "code"),
    [
        ({"web": service(depends_on={"db": on(STARTED)}), "db": service(healthcheck=CHECK)}, "StricterOrder"),
        (
            {
                "web": service(depends_on={"db": on(STARTED)}),
                "other": service(depends_on={"db": on(COMPLETED)}),
                "db": service(),
            },
            "StricterOrder",
        ),
        (
            {"web": service(depends_on={"db": {"condition": STARTED, "required": False}}), "db": service()},
            "StricterOrder",
        ),
        (
            {"web": service(depends_on={"db": on(HEALTHY)}), "db": service(healthcheck={"disable": True})},
            "LooserOrder",
        ),
        ({"web": service(depends_on={"db": {"condition": STARTED, "required": False}})}, "NotWaitedFor"),
    ],
)
def test_an_order_that_is_not_quite_the_same_is_noted(services: dict[str, Any], code: str) -> None:
    conversion = converted(services)
    assert told(conversion) == [("services.web.depends_on.db", code)]
    assert conversion.losses == ()


def test_who_is_restarted_with_another_is_restarted_when_its_gate_closes() -> None:
    services = {"web": service(depends_on={"db": on(STARTED, restart=True)}), "db": service()}
    assert chunks(converted(services))["web"]["on_gate_close"] == "restart"
    services["web"]["depends_on"]["cache"] = on(STARTED)
    conversion = converted({**services, "cache": service()})
    assert told(conversion) == [("services.web.depends_on", "RestartsMore")]


def test_who_is_only_linked_is_waited_for_and_not_followed() -> None:
    conversion = converted(
        {"web": service(links=["db"], depends_on={"db": on(STARTED, restart=True)}), "db": service()}
    )
    chunk = chunks(conversion)["web"]
    assert list(chunk["gatekeeper"]) == ["db_started"]
    assert "on_gate_close" not in chunk


def test_whose_network_is_shared_is_not_waited_for_by_a_fact_since_pnr_sees_to_it() -> None:
    conversion = converted({
        "vpn": service(healthcheck=CHECK),
        "web": service(network_mode="service:vpn", depends_on={"vpn": on(STARTED, restart=True)}),
    })  # fmt: skip
    chunk = chunks(conversion)["web"]
    assert "gatekeeper" not in chunk
    assert "on_gate_close" not in chunk
    assert told(conversion) == []


def test_but_a_condition_on_whose_network_is_shared_counts() -> None:
    conversion = converted({
        "vpn": service(healthcheck=CHECK),
        "web": service(network_mode="service:vpn", depends_on={"vpn": on(HEALTHY)}),
    })  # fmt: skip
    assert list(chunks(conversion)["web"]["gatekeeper"]) == ["vpn_healthy"]


ENDS: list[dict[str, Any]] = [
    {"restart": "no"},
    {"restart": "on-failure"},
    {"restart": "on-failure:3"},
    {"deploy": {"restart_policy": {"condition": "none"}}},
    {"deploy": {"restart_policy": {"condition": "on-failure"}}},
]


def test_that_what_ends_is_started_again_is_noted_where_nothing_is_written_of_it() -> None:
    conversion = converted({"a": service(), "b": service()})
    (remark,) = conversion.remarks
    assert (remark.where, remark.code, remark.severity) == ("services", "KeptUp", "note")
    assert "(a, b)" in remark.message


@pytest.mark.parametrize("said", ENDS)
def test_whether_work_ends_is_asked_where_its_missing_restart_is_written(
    said: dict[str, Any],
) -> None:
    conversion = converted({"a": service(**said)})
    (question,) = conversion.questions
    assert question.where == f"services.a.{'restart' if 'restart' in said else 'deploy.restart_policy'}"
    assert "--job a" in question.message
    assert "--service a" in question.message
    assert conversion.losses == ()
    assert "kind" not in chunks(conversion)["a"]


@pytest.mark.parametrize("said", ENDS)
def test_the_answer_makes_it_a_job_or_leaves_it_a_service(said: dict[str, Any]) -> None:
    services = {"a": service(**said), "b": service(restart="always", depends_on={"a": on(STARTED)})}
    job = converted(services, said=Said(jobs=frozenset({"a"})))
    assert chunks(job)["a"]["kind"] == "job"
    assert list(chunks(job)["b"]["gatekeeper"]) == ["a_completed"]
    assert told(job) == [("services.b.depends_on.a", "StricterOrder")]
    kept = converted(services, said=Said(services=frozenset({"a"})))
    assert "kind" not in chunks(kept)["a"]
    assert kept.remarks == ()


def test_what_is_plainly_a_service_is_not_asked_about() -> None:
    for of_a_service in ({"ports": [{"target": 80}]}, {"healthcheck": CHECK}):
        conversion = converted({"a": service(restart="no", **of_a_service)})
        assert told(conversion) == [("services.a.restart", "KeptUp")]
        assert conversion.questions == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(jobs=frozenset({"migrat"})), "did you mean migrate"),
        (Said(services=frozenset({"x"})), "no service x"),
        (Said(jobs=frozenset({"web"}), services=frozenset({"web"})), "a job and a service"),
        (Said(services=frozenset({"migrate"})), "web waits until migrate has done its work"),
    ],
)
def test_an_answer_that_can_not_be_is_refused(said: Said, words: str) -> None:
    services = {"migrate": service(), "web": service(depends_on={"migrate": on(COMPLETED)})}
    with pytest.raises(WrongAnswer, match=words):
        converted(services, said=said)


@pytest.mark.parametrize("test", [["CMD-SHELL"], ["CMD"]])
@pytest.mark.parametrize("more", [{}, {"interval": "5s"}])
def test_a_check_that_is_lost_takes_its_gate_along(test: list[str], more: dict[str, str]) -> None:
    conversion = converted({
        "web": service(depends_on={"db": on(HEALTHY)}),
        "job": service(depends_on={"db": on(HEALTHY)}),
        "after": service(depends_on={"job": on(COMPLETED), "db": on(STARTED)}),
        "db": service(healthcheck={"test": test, **more}),
    })  # fmt: skip
    found = chunks(conversion)
    assert "health_check" not in found["db"]
    assert "healthcheck" not in found["db"]["container"]
    started = {"db_started": {"prompt": "Is db running?", "response": ["yes"], "tv": "Y"}}
    assert found["db"]["flowout"] == found["web"]["gatekeeper"] == found["job"]["gatekeeper"] == started
    assert list(found["after"]["gatekeeper"]) == ["job_completed", "db_started"]
    assert told(conversion, loss=True) == [("services.db.healthcheck.test", "NoCounterpart")]
    waiting = {path for path, code in told(conversion) if code == "LooserOrder"}
    assert waiting == {f"services.{name}.depends_on.db" for name in ("web", "job", "after")}


def test_a_check_that_has_lost_how_often_it_is_made_is_still_one() -> None:
    conversion = converted({
        "web": service(depends_on={"db": on(HEALTHY)}),
        "db": service(healthcheck={**CHECK, "interval": "500\u00b5s"}),
    })  # fmt: skip
    found = chunks(conversion)
    assert found["db"]["container"]["healthcheck"] == CHECK
    assert list(found["web"]["gatekeeper"]) == ["db_healthy"]
    assert told(conversion, loss=True) == [("services.db.healthcheck.interval", "NoCounterpart")]


@pytest.mark.parametrize("test", [["CMD-SHELL", "true", "-d", "x"], ["CMD-SHELL", ""], ["CMD", ""]])
def test_words_behind_the_line_for_the_shell_are_the_engines_to_run(test: list[str]) -> None:
    conversion = converted({"web": service(depends_on={"db": on(HEALTHY)}), "db": service(healthcheck={"test": test})})
    assert chunks(conversion)["db"]["container"]["healthcheck"] == {"test": test}
    assert told(conversion) == []


def test_a_check_that_is_none_is_none_whatever_stands_behind_it() -> None:
    conversion = converted({"db": service(healthcheck={"test": ["NONE", "x"]})})
    assert "health_check" not in chunks(conversion)["db"]
    assert told(conversion) == []


def test_a_check_that_takes_weeks_to_come_to_a_verdict_has_the_longest_deadline() -> None:
    conversion = converted({"db": service(healthcheck={**CHECK, "interval": "100h", "retries": 10})})
    assert chunks(conversion)["db"]["health_check"] == {"type": "docker", "deadline_seconds": 604800}


@pytest.mark.parametrize("restart", ["always", "unless-stopped"])
def test_nothing_is_said_of_what_is_kept_up_anyway(restart: str) -> None:
    assert converted({"a": service(restart=restart)}).remarks == ()


def test_a_job_is_not_said_to_be_kept_up() -> None:
    conversion = converted({
        "a": service(restart="on-failure"),
        "b": service(restart="always", depends_on={"a": on(COMPLETED)}),
    })  # fmt: skip
    assert conversion.remarks == ()
