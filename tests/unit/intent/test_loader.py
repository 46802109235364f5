"""What a domain file comes to mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, field_validator

from reconciler.facts import SYSTEM_READY, TV, FactRef, GateEntry, Pnr
from reconciler.intent.check_types import CheckType, Options
from reconciler.intent.model import (
    Answer,
    FactsMode,
    Kind,
    NetworkSpec,
    OnFailure,
    OnGateClose,
    Strategy,
    VolumeSpec,
)
from tests.unit.intent.reading import FIXTURES, chunk, declared, document, messages, read, valid

# --- the two original files


def test_the_articles_file_means_what_the_article_says() -> None:
    domain = valid((FIXTURES / "article.json").read_bytes())
    (only,) = domain.chunks()
    ready = Pnr("is mongodb ready?", ("yes",), TV.Y)
    assert (domain.name, domain.file, str(only.id)) == ("dev_stack", "d.json", "dev_stack/stack_startup/mongodb")
    assert only.gate == (GateEntry(SYSTEM_READY, Pnr("is system ready?", ("yes",), TV.Y)),)
    assert only.flowout == {"mongodb_ready": ready}
    assert only.health is not None
    assert (only.health.type, only.health.port_key, only.health.timeout_seconds) == ("tcp", "27017", 2.0)
    assert only.health.on_success == (Answer("mongodb_ready", ready),)
    assert only.health.on_failure == (Answer("mongodb_ready", Pnr("is mongodb ready?", ("no",), TV.N)),)
    assert (only.container.name, only.container.image, only.container.named) == ("pnr_mongodb", "mongo:latest", True)
    assert only.container.settings == {"ports": [{"target": "27017/tcp", "host_ip": "127.0.0.1", "published": 27017}]}
    assert only.container.networks == {"pnr_dev_stack": ("mongodb", "pnr_mongodb")}
    assert domain.networks == (NetworkSpec("pnr_dev_stack"),)
    assert (only.kind, only.facts, only.strategy) == (Kind.SERVICE, FactsMode.NONE, Strategy.STOP_FIRST)
    assert domain.notes == ()


def test_the_go_programs_file_means_what_that_program_did() -> None:
    domain = valid((FIXTURES / "go_program.json").read_bytes())
    chunks = list(domain.chunks())
    assert [c.id.chunk for c in chunks] == ["mongodb", "mongodb_checker", "api_server", "web_client"]
    assert {c.facts for c in chunks} == {FactsMode.OFFERED}
    assert [c.container.build and c.container.build.context for c in chunks] == [
        None,
        "/srv/domains/nodes/mongodb",
        "/srv/domains/nodes/api",
        "/srv/domains/nodes/client",
    ]
    assert chunks[3].gate[0].ref == FactRef("dev_stack", "stack_startup", "api_ready")
    assert chunks[3].container.settings["ports"][0]["published"] == 8080
    assert len(domain.notes) == 4
    assert "status is ignored" in domain.notes[0].message


# --- facts and gates


def test_gates_name_facts_of_other_cpuxs_and_domains() -> None:
    gate = chunk(gatekeeper={"up": {}, "other/up": {"tv": "n"}, "shop/web/up": {"tv": "UN", "response": "x"}}).gate
    assert [entry.ref for entry in gate] == [
        FactRef("d", "main", "up"),
        FactRef("d", "other", "up"),
        FactRef("shop", "web", "up"),
    ]
    assert [entry.wanted.tv for entry in gate] == [TV.Y, TV.N, TV.U]
    assert gate[2].wanted.response == ("x",)


def test_flowin_hands_over_a_fact_under_its_key() -> None:
    assert chunk(flowin={"url": None, "other/token": {"prompt": "?"}}).flowin == {
        "url": FactRef("d", "main", "url"),
        "token": FactRef("d", "other", "token"),
    }


def test_rt_state_holds_from_the_start() -> None:
    file = document(declared())
    file["cpuxs"]["main"]["rt_state"] = {"license": {"prompt": "licensed?", "response": "yes", "tv": "Y"}}
    assert valid(file).cpuxs[0].rt_state == {"license": Pnr("licensed?", ("yes",), TV.Y)}


def test_without_a_mapping_success_answers_as_declared_and_failure_with_no() -> None:
    health = chunk(
        flowout={"up": {"prompt": "up?", "response": ["yes"]}, "down": {"tv": "N"}},
        health_check={"type": "tcp", "port_key": "53/udp"},
    ).health
    assert health is not None
    assert health.port_key == "53/udp"
    assert health.on_success == (Answer("up", Pnr("up?", ("yes",), TV.Y)), Answer("down", Pnr("", (), TV.N)))
    assert health.on_failure == (Answer("up", Pnr("up?", ("no",), TV.N)), Answer("down", Pnr("", ("no",), TV.N)))


def test_a_mapping_may_answer_several_facts() -> None:
    health = chunk(
        flowout={"a": {"response": "yes"}, "b": {"prompt": "b?"}},
        health_check={
            "type": "tcp",
            "port_key": 80,
            "status_mapping": {
                "success": [{"key": "a"}, {"key": "b", "response": "v2", "tv": "u"}],
                "failure": {"key": "b"},
            },
        },
    ).health
    assert health is not None
    assert health.on_success == (Answer("a", Pnr("", ("yes",), TV.Y)), Answer("b", Pnr("b?", ("v2",), TV.U)))
    assert health.on_failure == (Answer("b", Pnr("b?", ("no",), TV.N)),)


@pytest.mark.parametrize(
    ("more", "mode"),
    [
        ({}, FactsMode.NONE),
        ({"facts": True}, FactsMode.OWN),
        ({"facts": False}, FactsMode.NONE),
        ({"health_check": {"type": "fact"}}, FactsMode.OWN),
        ({"status": "ready"}, FactsMode.OFFERED),
        ({"status": ""}, FactsMode.OFFERED),
        ({"status": "ready", "facts": False}, FactsMode.NONE),
        ({"status": "ready", "kind": "service"}, FactsMode.NONE),
        ({"status": "ready", "health_check": {"type": "tcp", "port_key": 1}}, FactsMode.NONE),
    ],
)
def test_whether_a_container_answers_itself(more: dict[str, Any], mode: FactsMode) -> None:
    assert chunk(**more).facts is mode


# --- health checks


def test_a_check_has_its_types_own_settings_with_their_defaults() -> None:
    health = chunk(health_check={"type": "http", "port_key": 80, "expected_code": [200, "3xx"]}).health
    assert health is not None
    assert health.options["expected_code"] == [200, "3xx"]
    assert health.options["path"] == "/"
    assert health.options["tls_verify"] is True
    assert (health.interval_seconds, health.interval_declared) == (5.0, False)


def test_a_declared_interval_is_known_as_such() -> None:
    health = chunk(health_check={"type": "tcp", "port_key": 80, "interval_seconds": 5}).health
    assert health is not None
    assert health.interval_declared


class Nested(Options):
    on: bool
    named: dict[str, int] = Field({})


class PlugOptions(Options):
    depth: int = Field(gt=0)
    mode: Literal["fast", "slow"] = "fast"
    tags: list[Annotated[str, Field(min_length=1)]] = Field([], max_length=2)
    nested: Nested | None = None
    ratio: float | None = None

    @field_validator("depth")
    @classmethod
    def is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("expected an odd number")
        return value


def test_a_plug_ins_settings_are_judged_by_its_model() -> None:
    types = {"plug": CheckType(PlugOptions)}
    good = {"type": "plug", "depth": "${DEPTH}", "nested": {"on": "${ON}"}}
    file = document(declared(health_check=good), env={"DEPTH": 3, "ON": True})
    health = next(valid(file, check_types=types).chunks()).health
    assert health is not None
    assert health.options == {"depth": 3, "nested": {"on": True, "named": {}}, "mode": "fast", "tags": []}
    bad = {"type": "plug", "depth": 0, "mode": "Fast", "tags": ["a", "b", "c"], "nested": {"no": 1}, "deptth": 1}
    assert faults_of({**bad, "ratio": "much"}) == [
        ("InvalidValue", "depth", "expected a number above 0, found 0"),
        ("InvalidValue", "mode", "expected one of fast, slow, found 'Fast'"),
        ("InvalidValue", "tags", "expected 0 to 2 items, found 3"),
        ("MissingKey", "nested", "the key 'on' is missing"),
        ("UnknownKey", "nested.no", "unknown key 'no'"),
        ("UnknownKey", "deptth", "unknown key 'deptth' in a health check of the type plug; did you mean 'depth'?"),
        ("WrongType", "ratio", "expected a number, found 'much'"),
    ]


def test_extensions_are_ignored_in_every_object_of_a_plug_ins_settings() -> None:
    check = {"type": "plug", "depth": 3, "x-a": 1, "nested": {"on": True, "x-why": {"x": 1}, "named": {"x-b": 2}}}
    file = document(declared(health_check=check))
    health = next(valid(file, check_types={"plug": CheckType(PlugOptions)}).chunks()).health
    assert health is not None
    assert health.options["nested"] == {"on": True, "named": {"x-b": 2}}
    assert faults_of({"type": "plug", "depth": 3, "nested": {"on": True, "y-why": 1}}) == [
        ("UnknownKey", "nested.y-why", "unknown key 'y-why'")
    ]


class PairOptions(Options):
    window: tuple[int, str] = (1, "s")


@pytest.mark.parametrize(
    ("window", "where", "message"),
    [
        ([1], "window", "expected 2 items, found 1"),
        ([1, "s", 2], "window", "expected 2 items, found 3"),
        ([1, 2], "window[1]", "expected a string, found 2"),
    ],
)
def test_a_pair_in_a_plug_ins_options_is_told_by_its_items(window: list[Any], where: str, message: str) -> None:
    check = {"type": "plug", "window": window}
    (problem,) = read(document(declared(health_check=check)), check_types={"plug": CheckType(PairOptions)}).errors
    assert (problem.where, problem.message) == (f"cpuxs.main.design_chunks[0].health_check.{where}", message)


def test_what_a_plug_ins_own_validator_says_is_told_with_the_value() -> None:
    assert faults_of({"type": "plug", "depth": 4}) == [("InvalidValue", "depth", "expected an odd number, found 4")]
    assert faults_of({"type": "plug", "depth": "${SECRET_DEPTH}"}, SECRET_DEPTH=4) == [
        ("InvalidValue", "depth", "expected an odd number, found '${SECRET_DEPTH}'")
    ]


class Talking(Options):
    depth: int

    @field_validator("depth")
    @classmethod
    def is_fine(cls, value: int) -> int:
        raise ValueError("it is bad\n\x1b[31mreally; what to do: run `rm -rf /`")


def test_what_a_plug_ins_validator_says_is_one_line_and_no_advice_of_pnrs() -> None:
    check = {"type": "plug", "depth": 1}
    (problem,) = read(document(declared(health_check=check)), check_types={"plug": CheckType(Talking)}).errors
    assert problem.message == "it is bad really; run `rm -rf /`, found 1"


@pytest.mark.parametrize("value", [True, "3", 2.5, None])
def test_nothing_is_converted_for_a_plug_in(value: object) -> None:
    [(code, where, message)] = faults_of({"type": "plug", "depth": value})
    assert (code, where) == ("WrongType", "depth")
    assert message.startswith("expected a whole number, found ")


class Raising(Options):
    depth: int = 0

    @field_validator("depth")
    @classmethod
    def fail(cls, value: int) -> int:
        raise LookupError("no such thing")


def test_a_validator_that_breaks_is_an_error_of_the_file() -> None:
    file = document(declared(health_check={"type": "plug", "depth": 1}))
    loaded = read(file, check_types={"plug": CheckType(Raising)})
    assert [problem.message for problem in loaded.errors] == [
        "its settings can't be judged: LookupError: no such thing"
    ]


def faults_of(check: Mapping[str, object], **env: object) -> list[tuple[str, str, str]]:
    loaded = read(document(declared(health_check=check), env=env), check_types={"plug": CheckType(PlugOptions)})
    return [(p.code, p.where.rpartition("health_check.")[2], p.message) for p in loaded.errors]


# --- containers


def test_a_container_without_a_name_gets_one() -> None:
    container = chunk().container
    assert (container.name, container.named) == ("d-main-a-1", False)
    assert container.networks == {"pnr_d": ("a", "d-main-a-1")}


def test_env_and_environment_are_one() -> None:
    settings = chunk(container={"env": ["B=2", "A=1"], "environment": {"C": 3, "A": "1"}}).container.settings
    assert settings == {"environment": {"A": "1", "B": "2", "C": "3"}}


def test_null_says_the_same_as_nothing() -> None:
    assert chunk(container={"command": None}).container == chunk().container


def test_relative_paths_start_at_the_folder_of_the_file() -> None:
    container = {"build_path": "../src/./app", "volumes": ["./conf:/c:ro", "/abs:/a", "../up:/u", "data:/data"]}
    made = chunk(container=container).container
    assert made.build is not None
    assert made.build.context == "/srv/src/app"
    assert [entry["source"] for entry in made.settings["volumes"]] == ["/abs", "/srv/domains/conf", "d_data", "/srv/up"]


def test_without_a_folder_paths_stay_relative() -> None:
    file = document(declared(container={"build_path": "./app"}))
    made = next(valid(file, base_dir=None).chunks()).container
    assert made.build is not None
    assert made.build.context == "app"


def test_networks_are_named_after_the_domain_unless_they_say_otherwise() -> None:
    top = {
        "networks": {"back": None, "lan": {"external": True}, "n": {"name": "other", "internal": True}, "unused": {}}
    }
    file = document(
        declared("a", container={"networks": {"back": {"aliases": ["db", "a"]}, "lan": None, "n": {}}}),
        declared("b"),
        **top,
    )
    domain = valid(file)
    first, second = domain.chunks()
    assert first.container.networks == {
        "pnr_d_back": ("a", "d-main-a-1", "db"),
        "lan": ("d-main-a", "d-main-a-1"),
        "other": ("a", "d-main-a-1"),
    }
    assert list(second.container.networks) == ["pnr_d"]
    assert domain.networks == (
        NetworkSpec("pnr_d"),
        NetworkSpec("pnr_d_back"),
        NetworkSpec("lan", external=True),
        NetworkSpec("other", internal=True),
    )


def test_the_domains_own_network_can_be_described_too() -> None:
    top = {"networks": {"default": {"name": "mine", "driver": "bridge", "labels": ["a=b"]}}}
    domain = valid(document(declared(), **top))
    assert domain.networks == (NetworkSpec("mine", driver="bridge", labels={"a": "b"}),)


def test_named_volumes_are_named_after_the_domain_unless_they_say_otherwise() -> None:
    top = {"volumes": {"b": {"name": "bb"}, "cc": {"external": True}, "dd": {"driver": "local"}}}
    container = {"volumes": ["aa:/a", "cc:/c", {"type": "volume", "source": "dd", "target": "/d"}, "/x"]}
    domain = valid(document(declared(container=container), **top))
    assert domain.volumes == (
        VolumeSpec("d_aa"),
        VolumeSpec("cc", external=True),
        VolumeSpec("d_dd", driver="local"),
    )


@pytest.mark.parametrize(
    ("more", "strategy"),
    [
        ({}, Strategy.START_FIRST),
        ({"container": {"ports": ["80"]}}, Strategy.START_FIRST),
        ({"container": {"ports": ["80:80"]}}, Strategy.STOP_FIRST),
        ({"container": {"name": "web"}}, Strategy.STOP_FIRST),
        ({"update": {"strategy": "stop-first"}}, Strategy.STOP_FIRST),
        ({"strategy": "start-first"}, Strategy.START_FIRST),
        ({"strategy": "auto"}, Strategy.START_FIRST),
    ],
)
def test_an_update_stops_first_only_where_it_must(more: dict[str, Any], strategy: Strategy) -> None:
    assert chunk(**more).strategy is strategy


def test_what_happens_on_failure_and_on_a_closed_gate() -> None:
    made = chunk(update={"on_failure": "pause"}, on_gate_close="stop", kind="job")
    assert (made.on_failure, made.on_gate_close, made.kind) == (OnFailure.PAUSE, OnGateClose.STOP, Kind.JOB)
    assert chunk(on_failure="pause").on_failure is OnFailure.PAUSE
    assert (chunk().on_failure, chunk().on_gate_close) == (OnFailure.ROLLBACK, OnGateClose.KEEP)


def test_grace_and_pull_policy() -> None:
    container = chunk(container={"stop_grace_period": "1m30s", "pull_policy": "if_not_present"}).container
    assert (container.stop_grace_seconds, container.pull_policy) == (90.0, "missing")
    assert (chunk().container.stop_grace_seconds, chunk().container.pull_policy) == (10.0, "missing")


def test_schema_description_and_extensions_are_accepted_everywhere() -> None:
    file = document(
        declared(description="a", **{"x-a": 1}, container={"x-b": 1}, health_check={"type": "fact", "x-c": "y"}),
        **{"$schema": "./schema.json", "description": "$$", "x-note": "$ is fine here"},
    )
    file["cpuxs"]["main"].update({"id": 7, "description": "b", "x-d": {}})
    domain = valid(file)
    assert next(domain.chunks()).health is not None


# --- variables


def test_a_variable_may_stand_where_a_number_or_a_boolean_is_wanted() -> None:
    made = chunk(
        top={"env": {"PORT": 8080, "n": {"t": "2.5"}, "RO": True}},
        container={"ports": ["${PORT}:80"], "read_only": "${RO}", "cpus": "${CPUS:-0.5}"},
        health_check={
            "type": "tcp",
            "port_key": "${PORT}",
            "timeout_seconds": "${n.t}",
            "failure_threshold": "${F:-4}",
        },
        facts="${RO}",
    )
    assert made.container.settings["read_only"] is True
    assert made.container.settings["cpus"] == 0.5
    assert made.container.settings["ports"][0]["published"] == 8080
    assert made.health is not None
    assert (made.health.timeout_seconds, made.health.failure_threshold) == (2.5, 4)
    assert made.facts is FactsMode.OWN


def test_the_daemons_environment_is_only_read_for_allowed_names() -> None:
    assert chunk(container={"environment": {"A": "${SECRET}"}}).container.settings["environment"] == {
        "A": "hunter2hunter2"
    }
    (message,) = messages(read(document(declared(container={"environment": {"A": "${HOME}"}}))))
    assert "HOME has no value" in message


def test_no_error_shows_the_value_of_a_variable() -> None:
    everywhere = "${SECRET} /"
    file = document(
        declared(
            gatekeeper={"a": {"tv": everywhere}},
            kind=everywhere,
            health_check={"type": everywhere, "port_key": everywhere, "timeout_seconds": everywhere},
            container={
                "name": everywhere,
                "ports": [f"{everywhere}:80", {"target": everywhere}],
                "volumes": [f"{everywhere}:{everywhere}"],
                "user": everywhere,
                "cap_add": [everywhere],
                "networks": [everywhere],
                "mem_limit": everywhere,
                "restart": everywhere,
                "stop_signal": everywhere,
                "working_dir": everywhere,
                "command": f"'{everywhere}",
                "tmpfs": [everywhere],
                "healthcheck": {"interval": everywhere},
                "hostname": everywhere,
                "labels": [everywhere],
            },
        )
    )
    loaded = read(file)
    assert len(loaded.errors) > 15
    assert [problem.message for problem in loaded.errors if "hunter2" in problem.message] == []


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure", "on-failure:3"])
def test_a_jobs_restart_policy_is_not_given_to_the_engine(policy: str) -> None:
    """It would run again what is done, and hide how each run of what fails has ended."""
    loaded = valid(document(declared("migrate", kind="job", container={"restart": policy})))
    spec = next(iter(loaded.chunks())).container
    assert (spec.settings.get("restart"), spec.restart_of_ours) == (None, policy)
    told = [note for note in loaded.notes if f"restart: {policy} is not given to the engine" in note.message]
    assert bool(told) is (policy != "on-failure")
    (plain,) = valid(document(declared("migrate", kind="job", container={"restart": "no"}))).chunks()
    assert plain.container.restart_of_ours == ""
    (service,) = valid(document(declared("web", container={"restart": policy}))).chunks()
    assert service.container.settings["restart"] == policy


@pytest.mark.parametrize("command", ["a\0b", ["a", "b\0"]])
def test_a_nul_in_a_command_is_told_in_words(command: object) -> None:
    found = read(document(declared(health_check={"type": "exec", "command": command}))).errors
    assert found
    assert "a NUL character can't be handed to a program: take it out" in found[0].message
    assert "^[^" not in found[0].message
