"""``pnr import``: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import exits
from reconciler.cli.main import main

COMPOSE = """\
name: shop
services:
  web:
    image: web:${TAG:-1}
    restart: always
    ports: ["8080:80"]
    depends_on: [db]
  db:
    image: db:1
    restart: always
    volumes: [data:/data]
volumes: {data: {}}
"""
LOSSY = COMPOSE.replace("    volumes:", "    post_start: [{command: [a]}]\n    volumes:")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to stand in, without the machine's settings for Compose."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "PNR_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return tmp_path


def test_the_domain_file_goes_to_standard_output_and_what_is_told_of_it_does_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import"]) == exits.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["name"] == "shop"
    assert err == "pnr: 2 chunks\n"


def test_a_file_is_written_that_validate_finds_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "compose.yaml", "-o", "domains/shop.json"]) == exits.OK
    assert capsys.readouterr().out == ""
    assert main(["validate"]) == exits.OK
    assert [path.name for path in (folder / "domains").iterdir()] == ["shop.json"]


def test_into_a_folder_it_is_written_by_the_projects_name(folder: Path) -> None:
    (folder / "domains").mkdir()
    assert main(["import", "-o", "domains"]) == exits.OK
    assert (folder / "domains" / "shop.json").exists()


def test_a_file_that_exists_is_written_over_only_by_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out.json").write_text("precious")
    assert main(["import", "-o", "out.json"]) == exits.USAGE
    assert "--force" in capsys.readouterr().err
    assert (folder / "out.json").read_text() == "precious"
    assert main(["import", "-o", "out.json", "--force"]) == exits.OK
    assert json.loads((folder / "out.json").read_text())["name"] == "shop"


def test_what_has_no_counterpart_is_listed_by_its_place_and_the_rest_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(LOSSY)
    assert main(["import", "-o", "out.json"]) == 4
    err = capsys.readouterr().err
    assert f"{folder / 'compose.yaml'}:11:5: services.db.post_start: " in err
    assert "out.json: 2 chunks, 1 thing without counterpart" in err
    assert main(["validate", "out.json"]) == exits.OK


def test_as_json_it_is_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(LOSSY)
    assert main(["import", "--json"]) == 4
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (remark,) = told["remarks"]
    assert (remark["line"], remark["column"], remark["path"], remark["code"], remark["severity"]) == (
        *(11, 5, "services.db.post_start"),
        *("NoCounterpart", "loss"),
    )
    assert told["document"]["name"] == told["name"] == "shop"
    assert told["file"] is None
    assert main(["import", "--json", "-o", "out.json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert "document" not in told
    assert told["file"] == "out.json"


def test_files_that_are_not_valid_are_told_with_all_that_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text("services:\n  web:\n    imag: a\n  db:\n    image: [1]\n")
    assert main(["import"]) == exits.INVALID
    err = capsys.readouterr().err
    assert "compose.yaml:3:5" in err
    assert "compose.yaml:5:" in err
    assert main(["import", "--json"]) == exits.INVALID
    errors = json.loads(capsys.readouterr().out)["errors"]
    assert {error["line"] for error in errors} == {3, 5}


def test_several_files_and_profiles_and_names_are_those_of_compose(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more.yaml").write_text("services:\n  debug: {image: 'd:1', restart: always, profiles: [dev]}\n")
    (folder / "my.env").write_text("TAG=7\n")
    argv = [
        "import",
        "-f",
        "compose.yaml",
        "-f",
        "more.yaml",
        "--profile",
        "dev",
        "-p",
        "other",
        "--env-file",
        "my.env",
    ]
    assert main(argv) == exits.OK
    document = json.loads(capsys.readouterr().out)
    chunks = {chunk["name"]: chunk for chunk in document["cpuxs"]["main"]["design_chunks"]}
    assert document["name"] == "other"
    assert set(chunks) == {"web", "db", "debug"}
    assert chunks["web"]["container"]["image"] == "web:7"


SECRET = "services: {web: {image: 'a:1', restart: always, secrets: [t]}}\nsecrets: {t: {environment: TOKEN}}\n"


@pytest.mark.parametrize("place", ["the shell", ".env", "another file"])
def test_a_secret_from_a_variable_is_kept_where_the_variable_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    more = ["--env-file", "my.env"] if place == "another file" else []
    if place == "the shell":
        monkeypatch.setenv("TOKEN", "canary")
    else:
        (folder / ("my.env" if more else ".env")).write_text("TOKEN=canary\n")
    (folder / "compose.yaml").write_text(SECRET)
    assert main(["import", *more]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "web is not written, since it would run without the secret t" in err
    assert "--allow-env TOKEN" in err
    assert main(["import", "--allow-env", "TOKEN", *more]) == exits.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["secrets"] == {"t": {"environment": "TOKEN"}}
    assert "PNR_ALLOWED_ENV=TOKEN" in err
    assert "canary" not in out + err


def test_a_secret_from_a_variable_that_nobody_sets_is_told_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(SECRET)
    assert main(["import", "--allow-env", "TOKEN"]) == 4
    assert "TOKEN" in capsys.readouterr().err


def test_a_profile_of_seccomp_is_written_out_as_compose_hands_it_to_the_engine(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(
        "services: {web: {image: 'a:1', restart: always, security_opt: ['seccomp:./prof.json', 'seccomp:gone.json']}}\n"
    )
    (folder / "prof.json").write_text('{ "defaultAction": "SCMP_ACT_ALLOW" }')
    assert main(["import", "--policy", "open", "--partial"]) == 4
    out, err = capsys.readouterr()
    (chunk,) = json.loads(out)["cpuxs"]["main"]["design_chunks"]
    assert chunk["container"]["security_opt"] == ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']
    assert "security_opt[1]" in err


ROOT = """\
services:
  web:
    image: 'a:1'
    restart: always
    privileged: true
    volumes:
      - ./data:/data
      - /var/run/docker.sock:/var/run/docker.sock
"""


def test_what_the_policy_refuses_is_left_out_with_its_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(ROOT)
    assert main(["import", "-o", "out.json", "--json", "--partial"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert [(remark["path"], remark["line"], remark["code"]) for remark in told["remarks"]] == [
        ("services.web.privileged", 5, "PolicyRefused"),
        ("services.web.volumes[1]", 8, "PolicyRefused"),
    ]
    assert told["policy"]["file"].endswith("policy.toml")
    assert "privileged = true" in told["policy"]["lines"]
    assert main(["validate", "out.json"]) == exits.OK
    assert main(["import", "-o", "all.json", "--policy", "open"]) == exits.OK
    assert main(["validate", "all.json", "--policy", "open"]) == exits.OK


def test_a_chunk_that_would_lack_a_mount_is_not_written_and_told_what_would_allow_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(ROOT + "  other: {image: 'b:1', restart: always, depends_on: [web]}\n")
    assert main(["import", "-o", "out.json"]) == 4
    err = capsys.readouterr().err
    assert not (folder / "out.json").exists()
    assert "web is not written, since it would run without" in err
    assert "other is not written, since it waits for web" in err
    assert "nothing is written" in err
    assert 'profile = "standard"\n' in err
    assert 'engine_socket = ["' in err
    assert "--policy FILE" in err
    # The lines that are said are the lines that help.
    lines = [line[4:] for line in err.splitlines() if line.startswith("    ")]
    (folder / "said.toml").write_text("\n".join(lines))
    (folder / "said.toml").chmod(0o644)
    assert main(["import", "-o", "domains/out.json", "--policy", "said.toml"]) == exits.OK
    assert main(["validate", "domains/out.json", "--policy", "said.toml"]) == exits.OK


def test_a_file_that_has_a_chunk_which_would_be_left_out_now_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(ROOT + "  other: {image: 'b:1', restart: always}\n")
    assert main(["import", "-o", "out.json", "--policy", "open"]) == exits.OK
    before = (folder / "out.json").read_text()
    capsys.readouterr()
    assert main(["import", "-o", "out.json", "--force"]) == 4
    err = capsys.readouterr().err
    assert "out.json stays as it is: it has web (it would run without privileged, volumes[1]: the policy refuses" in err
    assert (folder / "out.json").read_text() == before
    assert main(["import", "-o", "out.json", "--force", "--partial"]) == 4
    assert "docker.sock" not in (folder / "out.json").read_text()


REFUSED = """\
services:
  a: {image: x, restart: always, volumes: ["/etc/pgdata:/data", "/proc:/host:ro", "/:/root:ro", "/var/run:/run:ro"]}
  b: {image: x, restart: always, pid: host, cap_add: [SYS_ADMIN, SYS_PTRACE], security_opt: ["apparmor:unconfined"]}
  c: {image: x, restart: always, devices: ["/dev/sda"], sysctls: {kernel.shmmax: 1}, privileged: true}
  d: {image: x, restart: always, secrets: [s], volumes: ["vol:/v"], env_file: /etc/shadow}
  e: {image: x, restart: always, ports: ["80:80"], networks: [n], mem_limit: 1g}
secrets: {s: {file: /etc/hosts}}
volumes: {vol: {driver_opts: {type: none, o: bind, device: /etc/ssl}}}
networks: {n: {driver: macvlan, driver_opts: {parent: eth0}}}
"""


@pytest.mark.parametrize(
    "start",
    ["", "[binds]\nengine_socket = ['x/y/z']\nread_only = ['/opt']\n[security]\nprivileged = false\n"],
    ids=["a profile", "a file"],
)
@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_the_policy_that_is_suggested_allows_all_that_was_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], profile: str, start: str
) -> None:
    (folder / "compose.yaml").write_text(REFUSED)
    policy = profile
    if start:
        policy = "mine.toml"
        (folder / policy).write_text(f'profile = "{profile}"\n{start}')
        (folder / policy).chmod(0o644)
    assert main(["import", "-o", "out.json", "--policy", policy, "--suggest-policy", "new.toml"]) == 4
    assert "new.toml allows them" in capsys.readouterr().err
    done = main(["import", "-o", "out.json", "--force", "--policy", "new.toml"])
    err = capsys.readouterr().err
    assert "PolicyRefused" not in err, (folder / "new.toml").read_text()
    assert done in (exits.OK, 4)
    if start:
        assert '"x/y/z"' in (folder / "new.toml").read_text()
    assert main(["import", "--suggest-policy", "new.toml"]) == exits.USAGE


def test_where_nothing_is_refused_no_policy_is_suggested(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--suggest-policy", "new.toml"]) == exits.OK
    assert not (folder / "new.toml").exists()
    assert "policy" in capsys.readouterr().err


def test_what_is_written_is_what_validate_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text(
        "services:\n  a: {image: x, restart: always, ports: ['80:80']}\n"
        "  b: {image: x, restart: always, ports: ['127.0.0.1:80:80'], container_name: shop-c-1}\n"
        "  c: {image: x, restart: always}\nname: shop\n"
    )
    assert main(["import", "-o", "out.json"]) == 4
    err = capsys.readouterr().err
    assert "80/tcp of the host is published by a already" in err
    assert "shop-c-1 is taken" in err
    assert main(["validate", "out.json"]) == exits.OK


def test_of_work_that_may_end_it_is_asked_until_it_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "compose.yaml").write_text(
        "services: {migrate: {image: x, restart: 'no'}, web: {image: x, restart: always}}\n"
    )
    assert main(["import", "-o", "out.json"]) == 4
    err = capsys.readouterr().err
    assert "question: " in err
    assert "--job migrate" in err
    assert "1 question to be answered" in err
    assert (folder / "out.json").exists()
    for answer, kind in (("--job", "job"), ("--service", None)):
        assert main(["import", "-o", "out.json", "--force", answer, "migrate"]) == exits.OK
        chunks = json.loads((folder / "out.json").read_text())["cpuxs"]["main"]["design_chunks"]
        assert [chunk.get("kind") for chunk in chunks if chunk["name"] == "migrate"] == [kind]
    assert main(["import", "--job", "migrat"]) == exits.USAGE
    assert "did you mean migrate" in capsys.readouterr().err


def test_of_a_big_project_ten_lines_are_told_and_all_of_them_where_that_is_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [
        f"  s{n}: {{image: 'x:${{UNSET_{n}}}1', restart: always, volumes: [/data{n}],"
        f" healthcheck: {{test: 'true'}}, depends_on: [{f's{n - 1}' if n else 'one'}],"
        f" secrets: [{{source: s, mode: 0400}}]}}\n"
        for n in range(40)
    ]
    (folder / "s.txt").write_text("x")
    (folder / "compose.yaml").write_text(
        "name: big\nsecrets: {s: {file: ./s.txt}}\nservices:\n  one: {image: x}\n  two: {image: x}\n"
        "  old: {image: x, profiles: [old]}\n  dead: {image: x, scale: 0}\n" + "".join(more)
    )
    assert main(["import", "-o", "out.json"]) == exits.OK
    err = capsys.readouterr().err.splitlines()
    assert len(err) <= 10 + 3 + 1, "\n".join(err)
    assert any("and 38 more such: s2, s3" in line for line in err)
    assert main(["import", "-o", "out.json", "--force", "--verbose"]) == exits.OK
    assert len(capsys.readouterr().err.splitlines()) > 150
    assert main(["import", "--json"]) == exits.OK
    assert len(json.loads(capsys.readouterr().out)["remarks"]) > 100


def test_without_an_engine_nothing_can_be_taken_over(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    assert main(["import", "--adopt", "-o", "out.json"]) == exits.UNAVAILABLE
    assert "no Docker engine answers" in capsys.readouterr().err
    assert not (folder / "out.json").exists()


def test_a_project_without_anything_for_pnr_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "compose.yaml").write_text("services: {web: {provider: {type: cloud}}}\n")
    assert main(["import"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "services.web.provider" in err
    assert "nothing of the project" in err
