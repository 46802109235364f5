"""``pnr policy`` on real files, and ``pnr validate`` for another machine: without daemon and engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main

POLICY = """\
profile = "standard"
binds.engine_socket = ["infra/main/proxy"]

[domain."infra-*".binds]
read_only = ["...", "/proc"]

[domain."infra-db.json".limits]
memory = "1g"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with a policy and domain files, as in a checkout."""
    monkeypatch.chdir(tmp_path)
    for name in ("PNR_DOMAINS", "PNR_STATE", "PNR_ALLOWED_ENV", "PNR_POLICY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "domains").mkdir()
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "policy.toml").chmod(0o644)
    return tmp_path


def stack(name: str = "any", **container: Any) -> str:
    chunk = {"name": "proxy", "container": {"image": "nginx:1", **container}}
    return json.dumps({"name": name, "cpuxs": {"main": {"design_chunks": [chunk]}}}, indent=1)


def explained(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, dict[str, Any]]:
    assert main(["policy", "explain", "--json", "--policy", "policy.toml", *argv]) == exits.OK
    return {row["rule"]: row for row in json.loads(capsys.readouterr().out)["rules"]}


@pytest.mark.parametrize("name", ["infra-db.json", "domains/infra-db.json", "/elsewhere/infra-db.json"])
def test_what_is_in_force_for_a_file_is_shown_with_where_it_stands(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rules = explained(capsys, name)
    file = folder / "policy.toml"
    assert rules["limits.memory"]["from"] == f'{file}:8, section domain."infra-db.json"'
    assert rules["binds.read_only"]["from"] == f'{file}:5, section domain."infra-*"'
    assert rules["binds.read_only"]["value"][-1] == "/proc"
    assert rules["binds.engine_socket"]["from"] == f"{file}:2"
    assert rules["binds.links"]["from"] == "profile standard"
    other = explained(capsys, "shop.json")
    assert other["limits.memory"]["value"] == "none"
    assert "/proc" not in other["binds.read_only"]["value"]


def test_only_what_was_changed_can_be_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "explain", "--changed", "--policy", "policy.toml", "infra-db.json"]) == exits.OK
    out = capsys.readouterr().out
    assert out.startswith(f"infra-db.json: profile standard, {folder}/policy.toml\n")
    assert [line for line in out.splitlines() if line.startswith("[")] == ["[binds]", "[limits]"]
    assert "memory = 1073741824    # " in out
    assert main(["policy", "explain", "--changed", "a.json"]) == exits.OK
    assert "all rules are as in the profile" in capsys.readouterr().out


def test_a_policy_is_checked_for_what_is_wrong_and_for_what_looks_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "domains" / "infra-db.json").write_text(stack())
    assert main(["policy", "check", "policy.toml"]) == exits.OK
    out = capsys.readouterr().out
    assert "2: binds.engine_socket gives infra/main/proxy the engine's socket, which is for the file infra.json" in out
    assert "matches no domain file" not in out
    assert "can be used: 1 rule changed, 2 sections for some domain files" in out
    (folder / "policy.toml").write_text(POLICY + '[domain."a/*".limits]\ncpus = 1\n[domain."b.json"]\n')
    assert main(["policy", "check", "policy.toml"]) == exits.OK
    out = capsys.readouterr().out
    assert '[domain."a/*"] matches no domain file: domain files lie in the domains directory' in out
    assert '[domain."b.json"] is empty' in out
    (folder / "policy.toml").write_text(POLICY + "cpu = 1\n[security]\ncapabilities = ['SYS_ADMN']\n")
    assert main(["policy", "check", "policy.toml"]) == exits.INVALID
    told = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in told] == [f"{folder}/policy.toml:9", f"{folder}/policy.toml:11"]
    assert main(["policy", "check", "no.toml"]) == exits.UNAVAILABLE
    assert main(["policy", "check", "strict"]) == exits.OK
    assert main(["policy", "explain"]) == exits.USAGE
    assert main(["policy", "judge"]) == exits.USAGE


def test_a_policy_that_others_may_write_is_told_and_still_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policy.toml").chmod(0o666)
    assert main(["policy", "check", "policy.toml"]) == exits.OK
    assert "no daemon starts with it: the policy" in capsys.readouterr().out
    assert main(["policy", "explain", "--policy", "policy.toml", "a.json"]) == exits.OK
    assert "no daemon starts with it" in capsys.readouterr().err


def test_what_a_policy_gives_to_a_file_validate_lets_pass_and_to_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = stack("infra", volumes=["/var/run/docker.sock:/s", "/proc:/host/proc:ro"])
    for name in ("infra.json", "mallory.json", "infra-a.json"):
        (folder / name).write_text(socket)
    with_policy = ["validate", "--other-host", "--policy", "policy.toml"]
    assert main([*with_policy, "infra.json"]) == exits.INVALID
    out = capsys.readouterr().out
    assert "binds.protected" in out
    assert "binds.engine_socket" not in out
    assert '[domain."infra.json".binds] read_only = ["...", "/proc"]' in out
    assert main([*with_policy, "mallory.json"]) == exits.INVALID
    assert "which is mallory.json" in capsys.readouterr().out.replace("this one is", "which is")
    assert main([*with_policy, "infra-a.json"]) == exits.INVALID
    out = capsys.readouterr().out
    assert "the host's /proc" not in out
    assert "binds.engine_socket" in out


def test_for_another_machine_nothing_of_this_one_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = {"secrets": {"key": {"file": "/etc/pnr/secrets/shop/key"}, "var": {"file": "/etc/shadow"}}}
    one = json.loads(stack("shop", volumes=["/srv/nowhere/data:/d"], secrets=["key"]))
    (folder / "policy.toml").write_text('profile = "standard"\nbinds.missing = false\n')
    (folder / "policy.toml").chmod(0o666)
    (folder / "shop.json").write_text(json.dumps({**one, **secrets}))
    with_policy = ["validate", "--policy", "policy.toml", "shop.json"]
    assert main([*with_policy, "--other-host"]) == exits.OK
    assert main(with_policy) == exits.UNAVAILABLE
    one["cpuxs"]["main"]["design_chunks"][0]["container"]["secrets"] = ["var"]
    (folder / "shop.json").write_text(json.dumps({**one, **secrets}))
    capsys.readouterr()
    assert main([*with_policy, "--other-host"]) == exits.INVALID
    assert "/etc/shadow" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("./conf/nginx.conf", exits.OK),
        ("./conf", exits.OK),
        ("./shop/page", exits.OK),
        ("./blog/page", exits.INVALID),
        ("./nginx.conf", exits.INVALID),
        ("./blog.json", exits.INVALID),
        (".", exits.INVALID),
    ],
)
def test_what_lies_beside_the_files_of_a_checkout_is_judged_as_where_it_is_put(
    folder: Path, source: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("conf", "shop", "blog"):
        (folder / "domains" / name).mkdir()
    for name in ("conf/nginx.conf", "shop/page", "blog/page", "nginx.conf"):
        (folder / "domains" / name).touch()
    (folder / "domains" / "blog.json").write_text(stack("blog"))
    (folder / "domains" / "shop.json").write_text(stack("shop", volumes=[f"{source}:/x:ro"]))
    for options in ([], ["--other-host"], ["--other-host", "domains/shop.json", "domains/blog.json"]):
        assert main(["validate", "--policy", "policy.toml", *options]) == code, capsys.readouterr().out
