"""What a machine's own settings say that root runs or reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.host import root_reads
from reconciler.host.engine_folders import engine_folders

UNIT = "etc/systemd/system/agent.service"


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def found(root: Path) -> dict[str, str]:
    return {one.path: one.who for one in root_reads.read_by_root(str(root))}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("ExecStart=/opt/agent/run.sh", {"/opt/agent/run.sh"}),
        ("ExecStartPre=-+/opt/agent/a\nExecStopPost=!!/opt/agent/b", {"/opt/agent/a", "/opt/agent/b"}),
        ("ExecStart=/bin/sh -c 'cd /x && exec /opt/agent/run.sh >>/srv/log'", {"/opt/agent/run.sh", "/x", "/srv/log"}),
        ('ExecStart=/usr/bin/python3 "/srv/a/main.py" --config=/srv/a/c.toml', {"/srv/a/main.py", "/srv/a/c.toml"}),
        ("ExecStart=/usr/bin/env \\\n  /opt/agent/run.sh", {"/opt/agent/run.sh"}),
        ("EnvironmentFile=-/srv/agent/env", {"/srv/agent/env"}),
        ("WorkingDirectory=/srv/agent", {"/srv/agent"}),
        ("User=root\nExecStart=/opt/a", {"/opt/a"}),
        ("User=0\nExecStart=/opt/a", {"/opt/a"}),
        ("User=agent\nExecStart=/opt/a", set()),
        ("DynamicUser=yes\nExecStart=/opt/a", set()),
        ("# ExecStart=/opt/a", set()),
        ("ExecStart=/usr/bin/agent /etc/agent.conf", set()),
        ("ExecStart=", set()),
        ("\x00\xff[Service", set()),
    ],
)  # fmt: skip
def test_of_a_service_of_systemd(tmp_path: Path, text: str, paths: set[str]) -> None:
    put(tmp_path, UNIT, f"[Service]\n{text}\n")
    assert set(found(tmp_path)) == paths
    assert set(found(tmp_path).values()) <= {"agent.service"}


def test_what_is_added_to_a_service_belongs_to_it(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/systemd/system/agent.service", "[Service]\nUser=agent\nExecStart=/opt/agent/run\n")
    put(tmp_path, f"{UNIT}.d/more.conf", "[Service]\nExecStartPre=/opt/agent/prepare\n")
    assert not found(tmp_path)
    put(tmp_path, f"{UNIT}.d/zz.conf", "[Service]\nUser=root\n")
    assert set(found(tmp_path)) == {"/opt/agent/run", "/opt/agent/prepare"}


def test_folders_that_a_program_works_on_are_not_among_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    put(tmp_path, UNIT, f"[Service]\nExecStart=/usr/bin/backup {data} {data}/list\n")
    assert set(found(tmp_path)) == {f"{data}/list"}


def test_of_tables_of_cron_roots_alone(tmp_path: Path) -> None:
    put(tmp_path, "etc/crontab", "17 * * * * root cd / && /srv/a.sh\n1 2 * * * ann /srv/b.sh\n@daily root /srv/c.sh\n")
    put(tmp_path, "etc/cron.d/more", "# 1 1 1 1 1 root /srv/no.sh\n*/5 * * * *\troot\t/srv/d.sh\n")
    put(tmp_path, "var/spool/cron/crontabs/root", "# /srv/no.sh\n0 3 * * * /srv/e.sh /srv/f.conf\n")
    put(tmp_path, "var/spool/cron/crontabs/ann", "0 3 * * * /srv/g.sh\n")
    assert set(found(tmp_path)) == {"/srv/a.sh", "/srv/c.sh", "/srv/d.sh", "/srv/e.sh", "/srv/f.conf"}


def test_directories_of_libraries_with_all_below(tmp_path: Path) -> None:
    put(tmp_path, "etc/ld.so.conf.d/x.conf", "# no\n/opt/x/lib\n/usr/lib/x\ninclude /y\n")
    (one,) = root_reads.read_by_root(str(tmp_path))
    assert (one.path, one.all_below) == ("/opt/x/lib", True)


def test_a_path_stands_under_the_place_that_it_leads_to_as_well(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    put(tmp_path, UNIT, f"[Service]\nExecStart={tmp_path}/link/run\n")
    assert set(found(tmp_path)) == {f"{tmp_path}/link/run", f"{real}/run"}


def test_from_which_number_on_users_are_people(tmp_path: Path) -> None:
    assert root_reads.uid_min(str(tmp_path)) in (500, 1000)
    for text, least in (("UID_MIN\t\t 2000\n", 2000), ("#UID_MIN 5\nUID_MIN 500", 500), ("UID_MIN x", 1000)):
        put(tmp_path, "etc/login.defs", text)
        assert root_reads.uid_min(str(tmp_path)) in (least, 500)
    put(tmp_path, "etc/login.defs", "UID_MIN 0\n")
    assert root_reads.uid_min(str(tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ('{"data-root": "/data/docker", "exec-root": "/data/exec"}', {"/data/docker", "/data/exec"}),
        ('{"graph": "/data/old"}', {"/data/old"}),
        ('{"data-root": 1, "exec-root": "relative"}', set()),
        ('["/x"]', set()),
        ("{", set()),
        ("[" * 100_000, set()),
        ('{"data-root": "/x\\u0000y"}', set()),
    ],
)
def test_where_the_engine_is_told_to_keep_its_data(tmp_path: Path, text: str, folders: set[str]) -> None:
    assert engine_folders(str(tmp_path)) == ()
    put(tmp_path, "etc/docker/daemon.json", text)
    assert set(engine_folders(str(tmp_path))) == folders


@pytest.mark.parametrize(
    ("comm", "words", "folders"),
    [
        ("dockerd", ["dockerd", "--data-root", "/data/a", "--exec-root=/data/b"], {"/data/a", "/data/b"}),
        ("dockerd", ["dockerd", "--data-root=/", "--exec-root", "relative"], set()),
        ("containerd", ["containerd", "--root", "/data/c", "--state=/data/d", "-c", "/x"], {"/data/c", "/data/d"}),
        ("evil", ["dockerd", "--data-root", "/data/a"], set()),
        ("dockerd", [], set()),
    ],
)  # fmt: skip
def test_where_a_running_engine_was_told_to_keep_its_data(
    tmp_path: Path, comm: str, words: list[str], folders: set[str]
) -> None:
    put(tmp_path, "proc/12/comm", f"{comm}\n")
    put(tmp_path, "proc/12/cmdline", "\0".join([*words, ""]))
    put(tmp_path, "proc/self/comm", "x")
    assert set(engine_folders(str(tmp_path))) == folders


def test_what_is_no_file_or_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    import os

    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    os.mkfifo(tmp_path / UNIT)
    (tmp_path / "etc/systemd/system/loop.service").symlink_to("loop.service")
    (tmp_path / "etc/cron.d").symlink_to("/nowhere")
    assert root_reads.read_by_root(str(tmp_path)) == ()
