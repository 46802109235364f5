"""What the engine connects to by itself, for a log or a volume: which goals the policy allows. Pure."""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatchcase

from reconciler.policy.checks import goals
from reconciler.policy.checks.case import Case
from reconciler.policy.rule import Profile
from reconciler.policy.values import HOST


def reach(
    case: Case, rule: str, field: str, host: str, port: int, *, told: tuple[str, str], leads_on: bool = False
) -> None:
    """Refuse a goal that is not in the list of ``rule``. ``told`` is what stands before the goal in the refusal, and
    what stands behind it. ``leads_on``: what is there may send the engine on to any place (HTTP redirects)."""
    policy = case.policy
    patterns = policy.words(rule)
    address = goals.parsed(host)
    shown = f"[{host}]" if address is not None and address.version == 6 else host
    goal = f"{shown}:{port}" if port else shown
    lies = _lies(case, host, address)
    may_be_any = lies is goals.Lies.ELSEWHERE and not leads_on
    if "*" in patterns and (may_be_any or policy.profile is Profile.OPEN):
        return
    called = {goal.lower(), shown.lower(), host.lower()}
    if lies is goals.Lies.HERE:
        called |= {HOST, f"{HOST}:{port}"}
    if any(_is_like(pattern, called, address) for pattern in patterns if pattern != "*"):
        return
    why = f", which is {lies}" if lies is not goals.Lies.ELSEWHERE else ""
    if leads_on and not why and "*" in patterns:
        why = ", which speaks HTTP and so may send the engine on to this very machine: it has to be named"
    before, behind = told
    case.refuse(rule, field, f"{before}{goal}{behind}{why}", goal)


def _lies(case: Case, host: str, address: goals.Address | None) -> goals.Lies:
    """Where a goal lies; a name also by what it stands for now, where that is asked: when the container is made."""
    lies = goals.of_host(host, case.net())
    if address is not None or lies is not goals.Lies.ELSEWHERE:
        return lies
    found = (goals.parsed(one) for one in case.world.addresses(host))
    led = (goals.of_address(one, case.net()) for one in found if one is not None)
    return next((one for one in led if one is not goals.Lies.ELSEWHERE), lies)


def _is_like(pattern: str, called: set[str], address: goals.Address | None) -> bool:
    if address is not None and "/" in pattern:
        try:
            return goals.plain(address) in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    # The brackets of IPv6 are no pattern.
    return any(fnmatchcase(one, pattern.lower().replace("[", "[[]")) for one in called)
