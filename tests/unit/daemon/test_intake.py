"""Files are judged together, and an error holds back only the file that it is in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.daemon import intake
from reconciler.daemon.intake import Judged, LoadCache
from reconciler.diagnostics import Diagnostic
from reconciler.intent.judgement import InForce, judge_domains
from reconciler.intent.loader import load
from reconciler.probes.registry import known_types
from tests.unit.intent.reading import File


def stack(name: str, *, port: int, wants: str = "system_ready") -> bytes:
    yes = {"prompt": "?", "response": ["yes"], "tv": "Y"}
    chunk: dict[str, Any] = {
        "name": "web",
        "gatekeeper": {wants: yes},
        "container": {"name": f"{name}_web", "image": "nginx:1", "ports": {"80": str(port)}},
    }
    return json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}}).encode()


def judge(files: dict[str, bytes], *, cache: LoadCache | None = None, in_force: Sequence[InForce] = ()) -> Judged:
    return intake.judge(
        intake.Loading("/", {}, (), known_types()),
        {name: File(data) for name, data in files.items()},
        in_force=in_force,
        cache=cache,
    )


def test_valid_files_become_domains_by_name() -> None:
    judged = judge({"x.json": stack("a", port=8001), "y.json": stack("b", port=8002)})
    assert sorted(judged.domains) == ["a", "b"]
    assert not judged.errors
    assert judged.domains["a"].file == "x.json"


def test_a_broken_file_is_a_problem_of_its_own_only() -> None:
    judged = judge({"a.json": b"{", "b.json": stack("b", port=8002)})
    assert list(judged.domains) == ["b"]
    assert list(judged.errors) == ["a.json"]


def test_a_file_that_could_not_be_read_keeps_its_problem() -> None:
    problem = Diagnostic.of_file("a.json", "Symlink", "it is a symbolic link")
    judged = intake.judge(intake.Loading("/", {}, (), known_types()), {"a.json": File(None, problem)})
    assert judged.errors == {"a.json": (problem,)}


def test_what_two_files_do_to_each_other_holds_back_one_of_them() -> None:
    judged = judge({"a.json": stack("a", port=8001), "b.json": stack("b", port=8001)})
    assert list(judged.domains) == ["a"]
    assert list(judged.errors) == ["b.json"]
    assert judged.errors["b.json"][0].place.line > 0
    assert sorted(judged.readable) == ["a.json", "b.json"]


def test_a_name_that_two_files_have_belongs_to_the_first() -> None:
    judged = judge({"b.json": stack("same", port=8001), "a.json": stack("same", port=8002)})
    assert judged.domains["same"].file == "a.json"
    assert judged.errors["b.json"][0].code == "DuplicateDomain"


def test_a_gate_that_asks_another_domain_is_doubtful_until_a_domain_can_answer() -> None:
    files = {"a.json": stack("a", port=8001, wants="other/main/ready")}
    judged = judge(files)
    assert list(judged.domains) == ["a"]
    assert judged.warnings["a.json"][0].place.line > 0
    answering = json.loads(stack("other", port=8002))
    fact = {"prompt": "?", "response": ["yes"], "tv": "Y"}
    answering["cpuxs"]["main"]["design_chunks"][0]["flowout"] = {"ready": fact}
    assert not judge({**files, "other.json": json.dumps(answering).encode()}).warnings


def test_with_a_cache_only_what_changed_is_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def counting(data: bytes, file: str, **more: Any) -> Any:
        loaded.append(file)
        return load(data, file, **more)

    monkeypatch.setattr(intake, "load", counting)
    cache = LoadCache()
    files = {"a.json": stack("a", port=8001), "b.json": stack("b", port=8002)}
    first = judge(files, cache=cache)
    assert judge(files, cache=cache).domains == first.domains
    assert loaded == ["a.json", "b.json"]
    judge({**files, "b.json": stack("b", port=8003)}, cache=cache)
    assert loaded == ["a.json", "b.json", "b.json"]
    judge({"a.json": files["a.json"]}, cache=cache)
    assert len(cache.loaded) == 1


ERRORS = [
    RecursionError("deep"),
    MemoryError(),
    ZeroDivisionError("x"),
    PermissionError(13, "Permission denied"),
    KeyError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_loading_a_file_raises_is_an_error_of_that_file_only(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(data: bytes, file: str, **rest: Any) -> Any:
        if file == "b.json":
            raise error
        return load(data, file, **rest)

    monkeypatch.setattr(intake, "load", failing)
    judged = judge({f"{name}.json": stack(name, port=8000 + port) for port, name in enumerate("abc")})
    assert sorted(judged.domains) == ["a", "c"]
    code = "TooCostly" if isinstance(error, MemoryError) else "CantBeJudged"
    assert [problem.code for problem in judged.errors["b.json"]] == [code]
    assert code == "TooCostly" or type(error).__name__ in judged.errors["b.json"][0].message


def test_what_an_exception_says_is_not_told_since_it_may_be_a_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "hunter2"

    def failing(data: bytes, file: str, **rest: Any) -> Any:
        raise ValueError(secret)

    monkeypatch.setattr(intake, "load", failing)
    judged = judge({"a.json": stack("a", port=8001)})
    assert secret not in str(judged.errors) + caplog.text


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_file_beside_which_the_others_cant_be_judged_is_held_back_alone(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    together = judge_domains

    def failing(domains: Any, *args: Any, **rest: Any) -> Any:
        if any(domain.name == "d3" for domain in domains):
            raise RecursionError
        return together(domains, *args, **rest)

    monkeypatch.setattr(intake, "judge_domains", failing)
    files = {f"d{number}.json": stack(f"d{number}", port=8000 + number) for number in range(3, 3 + count)}
    judged = judge(files)
    assert set(judged.domains) == {f"d{number}" for number in range(4, 3 + count)}
    assert {name: [problem.code for problem in found] for name, found in judged.errors.items()} == {
        "d3.json": ["CantBeJudged"]
    }


def test_what_is_in_force_of_a_file_that_cant_be_judged_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = judge({"a.json": stack("a", port=8001)}).domains["a"]

    def failing(data: bytes, file: str, **rest: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(intake, "load", failing)
    judged = judge({"a.json": stack("a", port=9001)}, in_force=[InForce("a", "a.json", before)])
    assert judged.speaks == {"a": "a.json"}
    assert list(judged.errors) == ["a.json"]
