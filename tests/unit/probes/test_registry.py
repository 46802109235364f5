from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest
from pydantic import ConfigDict

from reconciler.intent.check_types import CheckType, Options
from reconciler.intent.container_checks import COMMON_CHECK_KEYS
from reconciler.intent.model import HealthCheck
from reconciler.probes import registry
from reconciler.probes.plugin import faults
from reconciler.probes.protocol import Inside, Probe, ProbeResult, Target
from reconciler.probes.registry import BUILT_IN, COMMON_KEYS, GROUP, UnknownProbeType, discover
from tests.unit.probes.build import FakeInside, check, container

HERE = "tests.unit.probes.test_registry"


class GoodOptions(Options):
    depth: int = 3


class GoodProbe(Probe):
    options: ClassVar[type[Options]] = GoodOptions
    needs_port = True
    asks_from_outside = True
    url_scheme = "gopher"

    def __init__(self, check: HealthCheck, inside: Inside) -> None: ...

    async def probe(self, target: Target) -> ProbeResult:
        return ProbeResult(ok=True, message="good")


class OtherProbe(GoodProbe):
    pass


class BrokenProbe(GoodProbe):
    def __init__(self, check: HealthCheck, inside: Inside) -> None:
        raise LookupError("no such thing")


class NotAsync(GoodProbe):
    def probe(self, target: Target) -> ProbeResult:  # type: ignore[override]
        return ProbeResult(ok=True, message="")


class TakesCommonKey(GoodProbe):
    class Taking(Options):
        interval_seconds: int = 1

    options = Taking


class Lax(Options):
    model_config = ConfigDict(strict=False, extra="ignore")


class BadTraits(GoodProbe):
    options = Lax
    needs_port = "yes"  # type: ignore[assignment]
    asks_from_outside = None  # type: ignore[assignment]
    url_scheme = "no scheme"


class NoModel(GoodProbe):
    options = dict  # type: ignore[assignment]


class Nested(Options):
    inner: Nested | None = None


class Endless(GoodProbe):
    options = Nested


class NoProbe:
    async def probe(self, target: Target) -> ProbeResult:
        return ProbeResult(ok=True, message="")


class Unfinished(Probe):
    pass


def _entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value if ":" in value else f"{HERE}:{value}", GROUP)


def test_the_built_in_types_need_no_installed_metadata() -> None:
    found = discover([])
    assert set(found.known_types()) == set(BUILT_IN) == {"tcp", "http", "https", "exec", "docker", "log"}
    assert found.problems == ()


def test_what_is_installed_here_has_no_problems() -> None:
    assert set(BUILT_IN) <= set(registry.known_types())
    assert registry.problems() == ()


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_built_in_type_stands_its_own_examination(name: str) -> None:
    assert faults(discover([]).classes[name], COMMON_KEYS) == []


def test_every_setting_that_the_loader_knows_is_kept_from_plug_ins() -> None:
    assert COMMON_CHECK_KEYS <= COMMON_KEYS


def test_types_that_an_older_pnr_registered_are_no_plug_ins() -> None:
    found = discover([EntryPoint("https", "reconciler.probes.http:HttpProbe", GROUP)])
    assert found == discover([])


def test_a_plug_in_becomes_a_type() -> None:
    found = discover([_entry("good", "GoodProbe")])
    assert found.problems == ()
    assert found.known_types()["good"] == CheckType(GoodOptions, True, True, "gopher")
    assert isinstance(found.make(check("good", "1"), FakeInside()), GoodProbe)


@pytest.mark.parametrize("name", ["tcp", "https", "fact"])
def test_a_plug_in_can_not_take_the_name_of_a_built_in_type(name: str) -> None:
    found = discover([_entry(name, "GoodProbe")])
    assert found.classes.get(name) is not GoodProbe
    assert f"the health-check type '{name}' is not used: the name is pnr's own" in found.problems[0]
    assert f"{HERE}:GoodProbe" in found.problems[0]


def test_two_plug_ins_of_one_name_are_both_left_out() -> None:
    found = discover([_entry("good", "OtherProbe"), _entry("good", "GoodProbe")])
    assert "good" not in found.classes
    assert "GoodProbe and" in found.problems[0]
    assert "OtherProbe" in found.problems[0]


def test_one_plug_in_found_twice_is_one_plug_in() -> None:
    assert "good" in discover([_entry("good", "GoodProbe"), _entry("good", "GoodProbe")]).classes


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module:Probe", "ModuleNotFoundError"),
        ("NoSuchClass", "AttributeError"),
        ("HERE", "it is not a class"),
        ("NotAsync", "it has no coroutine probe()"),
        ("TakesCommonKey", "options has 'interval_seconds', which every health check has"),
        ("NoProbe", "it is not derived from reconciler.probes.protocol.Probe"),
        ("NoModel", "options must be a model derived from reconciler.intent.check_types.Options"),
        ("Endless", "ValueError: Nested has itself in it"),
    ],
)
def test_a_broken_plug_in_is_told_of_and_the_others_work(value: str, why: str) -> None:
    found = discover([_entry("broken", value), _entry("good", "GoodProbe")])
    assert "broken" not in found.classes
    assert "good" in found.classes
    assert len(found.problems) == 1
    assert why in found.problems[0]


def test_all_that_is_wrong_with_a_class_is_told_at_once() -> None:
    assert faults(Unfinished, COMMON_KEYS) == ["it has no coroutine probe()", "it has no __init__(check, inside)"]
    assert faults(BadTraits, COMMON_KEYS) == [
        "needs_port must be true or false",
        "asks_from_outside must be true or false",
        "url_scheme must be the scheme of a URL such as 'http', or None",
        "options must keep strict=True",
        "options must keep extra='forbid'",
    ]


def test_a_plug_in_that_ends_the_program_at_import_does_not(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "pnr_test_exits.py").write_text("raise SystemExit(1)\n")
    monkeypatch.syspath_prepend(str(folder))
    found = discover([_entry("exits", "pnr_test_exits:Probe")])
    assert "SystemExit" in found.problems[0]


def test_a_name_that_a_domain_file_should_not_have_is_refused() -> None:
    assert "a-z" in discover([_entry("Bad Name", "GoodProbe")]).problems[0]


def test_an_unknown_type_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownProbeType, match=r"no health check of the type 'redis'.*docker, exec"):
        discover([]).make(check("redis"), FakeInside())


async def test_a_class_that_can_not_be_made_fails_each_probe_with_the_reason() -> None:
    probe = discover([_entry("broken", "BrokenProbe")]).make(check("broken"), FakeInside())
    result = await probe.probe(Target(container()))
    assert not result.ok
    assert result.message == "the health check broken can't be set up: LookupError: no such thing"
    await probe.close()


def test_knowing_the_types_does_not_import_what_they_need() -> None:
    import subprocess

    script = "import sys; from reconciler.probes import registry; registry.known_types(); print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
