"""What the page about the policy and the examples beside it show is done here, as somebody does who reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main
from reconciler.policy import reading
from tests.unit.policy.judging import STANDARD
from tests.unit.policy.test_tenants import told

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8").partition("## Rules")[0]
EXAMPLES = sorted((ROOT / "examples" / "policies").glob("*.toml"))
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SECTIONS = next(block for block in TOML if '[domain."infra-*".security]' in block)
SNIPPET = re.compile(r'`("[^`]+)`')
COMMAND = re.compile(r"`(pnr [^`]+)`")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, and nothing of the environment's."""
    monkeypatch.chdir(tmp_path)
    for name in ("PNR_DOMAINS", "PNR_STATE", "PNR_ALLOWED_ENV", "PNR_POLICY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "domains").mkdir()
    return tmp_path


def put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def stack(container: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    chunk = {"name": "web", "container": {"image": "nginx:1", **container}}
    return {"name": "shop", "cpuxs": {"main": {"design_chunks": [chunk]}}, **more}


def opened(text: str) -> str:
    """An example, and what only stands in its comments for who needs it."""
    return re.sub(r"^# (\[[a-z]+.*\]|[a-z_]+ = .*)$", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [*TOML, *(opened(path.read_text()) for path in EXAMPLES)], ids=lambda text: text[:30])
def test_a_policy_that_is_shown_can_be_used(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    put(folder / "policy.toml", text)
    for name in re.findall(r'^\[domain\."([^"]+)"', text, re.MULTILINE):
        put(folder / "domains" / (name if name.endswith(".json") else f"{name.replace('*', 'a')}.json"), "{}")
    assert main(["policy", "check", "policy.toml"]) == exits.OK
    said = capsys.readouterr().out
    assert "can be used" in said
    assert "warning" not in said or "the engine's socket" in said
    assert main(["policy", "explain", "--policy", "policy.toml", "shop-web.json"]) == exits.OK


def test_the_commands_of_the_page_do_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder / "policy.toml", SECTIONS)
    put(folder / "domains" / "shop.json", json.dumps(stack({"volumes": ["/etc:/x"]})))
    commands = set(COMMAND.findall(PAGE)) - {"pnr status"}  # of a daemon
    assert commands == {"pnr validate", "pnr policy check policy.toml", "pnr policy explain shop-web.json"}
    assert main(["policy", "check", "policy.toml"]) == exits.OK
    assert main(["policy", "explain", "shop-web.json", "--policy", "policy.toml"]) == exits.OK
    out = capsys.readouterr().out
    line = SECTIONS.splitlines().index('allowed = ["8000-8099"]') + 1
    assert f'allowed = ["8000-8099"]    # {folder}/policy.toml:{line}, section domain."shop-*"' in out
    assert main(["validate", "--policy", "policy.toml"]) == exits.INVALID
    assert "[PolicyRefused]" in capsys.readouterr().out


def test_the_refusal_that_the_page_shows_is_what_validate_prints(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = re.findall(r"```\n(shop\.json:.*?)```", PAGE, re.DOTALL)
    place = re.match(r"shop\.json:(\d+):(\d+):", shown)
    assert place is not None
    above, before = "\n" * (int(place[1]) - 1), " " * (int(place[2]) - 1)
    text = json.dumps(stack({"volumes": ["data:/x", "@"]})).replace('"@"', f'{above}{before}"/etc:/y"')
    put(folder / "shop.json", text)
    assert main(["validate", "--policy", "standard", "shop.json"]) == exits.INVALID
    assert " ".join(shown.split()) in " ".join(capsys.readouterr().out.split())


def test_the_settings_of_domain_files_that_the_page_shows_are_valid() -> None:
    shared, mounted = sorted(SNIPPET.findall(PAGE), key=lambda one: "nginx.conf" in one)
    networks = {"back": json.loads(f"{{{shared}}}")}
    assert told(STANDARD, "shop.json", stack({"networks": ["back"]}, networks=networks)) == ""
    assert told(STANDARD, "shop.json", stack({}, volumes={"data": networks["back"]})) == ""
    assert told(STANDARD, "shop.json", stack({"volumes": [json.loads(mounted)]})) == ""
    assert "the policy refuses" in told(STANDARD, "web.json", stack({"volumes": [json.loads(mounted)]}))


def test_the_sections_of_the_page_give_a_file_what_they_say_and_no_other() -> None:
    policy = reading.read(SECTIONS, "policy.toml")
    image = f"ghcr.io/team/shop-web@sha256:{'0' * 64}"
    wanted = {
        **{"image": image, "ports": ["127.0.0.1:8080:80"], "volumes": ["/etc/ssl/shop:/c:ro"], "cpus": 1},
        **{"user": "1000", "read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]},
    }
    assert told(policy, "shop-web.json", stack(wanted)) == ""
    for refused in (
        {"image": image.replace("team", "other")},
        {"ports": ["127.0.0.1:9000:80"]},
        {"volumes": ["/etc/ssl/own:/c:ro"]},
        {"cpus": 3},
        {"cap_add": ["NET_ADMIN"]},
    ):
        assert "the policy refuses" in told(policy, "shop-web.json", stack({**wanted, **refused})), refused
    assert "the policy refuses" in told(policy, "blog.json", stack(wanted))
