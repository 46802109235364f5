"""The least change of a policy that allows what it has refused."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.policy import reading, suggesting
from reconciler.policy.request import Request
from tests.unit.policy.judging import OPEN, STANDARD, Disk, create, judge


def allowing(request: Request, policy: Any = STANDARD, **more: Any) -> dict[str, Any]:
    return dict(suggesting.allowing(policy, judge(policy, **more).request(request)))


@pytest.mark.parametrize(
    ("host", "rules"),
    [
        ({"Privileged": True}, {"security.privileged": True}),
        (
            {"CapAdd": ["SYS_ADMIN", "NET_ADMIN", "sys_ptrace"]},
            {"security.capabilities": ["...", "SYS_ADMIN", "SYS_PTRACE"]},
        ),
        ({"PidMode": "host"}, {"namespaces.host": ["...", "pid"]}),
        ({"Binds": ["/etc/app:/x"]}, {"binds.excepted": ["/etc/app"]}),
        ({"Binds": ["/etc/app:/x:ro"]}, {"binds.read_only": ["...", "/etc/app"]}),
        ({"Binds": ["/run/docker.sock:/x"]}, {"binds.engine_socket": ["shop/main/web"]}),
        ({"Binds": ["/:/x:ro"]}, {"binds.read_only": ["...", "/"], "binds.engine_socket": ["shop/main/web"]}),
        ({"Binds": ["/:/x"]}, {}),
        ({"NoSuchField": 1}, {}),
        ({"OomScoreAdj": -900}, {"limits.oom_score": "none"}),
    ],
)  # fmt: skip
def test_only_what_was_refused_is_allowed(host: dict[str, Any], rules: dict[str, Any]) -> None:
    asked = create(host)
    assert allowing(asked) == rules
    if rules:
        file = reading.read(suggesting.whole(STANDARD, rules), "policy.toml")
        assert judge(file).request(asked) == []
        assert file.values == suggesting.changed(STANDARD, rules).values


def test_a_list_that_a_file_has_changed_goes_on_from_there() -> None:
    own = reading.read('profile = "strict"\n[binds]\nallowed = ["/srv"]\nmissing = true\n', "policy.toml")
    rules = allowing(create({"Binds": ["/data:/x"]}), own)
    assert rules["binds.allowed"] == ["/srv", "/data"]
    text = suggesting.whole(own, {"binds.allowed": rules["binds.allowed"]})
    assert text == 'profile = "strict"\n\n[binds]\nallowed = ["/srv", "/data"]\nmissing = true\n'


def test_a_name_with_the_signs_of_a_pattern_stands_for_itself() -> None:
    rules = allowing(create({"Binds": ["/etc/[a]*:/x"]}))
    assert rules == {"binds.excepted": ["/etc/[[]a][*]"]}


def test_what_a_link_leads_to_is_allowed_with_it() -> None:
    disk = Disk(links={"/etc/app": "/etc/real"})
    rules = allowing(create({"Binds": ["/etc/app:/x:ro"]}), disk=disk)
    assert rules == {"binds.read_only": ["...", "/etc/app", "/etc/real"], "binds.links": True}


def test_where_nothing_is_refused_nothing_is_suggested() -> None:
    assert allowing(create({"Privileged": True}), OPEN) == {}
    assert allowing(create({"Binds": ["/srv/app:/x"]})) == {}
