"""What the loop remembers of networks that are recreated: before it begins, when it fails, and until it is done."""

from __future__ import annotations

from dataclasses import replace

from reconciler.controller.loop_state import LoopState
from reconciler.engine.protocol import EngineError, EngineUnavailable
from reconciler.intent.model import Domain, NetworkSpec
from reconciler.planner.actions import CreateNetwork, RemoveNetwork, Work
from reconciler.planner.belongings_compare import network_differences
from reconciler.planner.network_changes import TRIAL_SUFFIX, NetworkChange, Subnets, arrived, begun, failed, forgiven
from reconciler.planner.network_plan import in_the_way


def taken_away(work: Work) -> list[str]:
    """The names of the networks that work takes away from those who are connected."""
    steps = (action for action, _ in work.steps)
    return [
        action.name for action in steps if isinstance(action, RemoveNetwork) and action.disconnect and not action.id
    ]


def begins(known: LoopState, work: Work) -> bool:
    """Remember what work is about to take away; True where that has to be written down before it begins."""
    names = taken_away(work)
    for name in names:
        seen = known.world.networks.get(name)
        if seen is None:
            continue
        cause = next(cause for action, cause in work.steps if isinstance(action, RemoveNetwork) and action.name == name)
        before = known.network_changes.get(name, NetworkChange())
        known.network_changes[name] = begun(before, seen, known.world.containers.values(), cause)
    return bool(names)


def fails(known: LoopState, work: Work, wanted: Domain | None, error: EngineError) -> bool:
    """Work on a network has failed; True where that is a change that failed, and is remembered as such."""
    name = str(work.key).removeprefix("network:")
    change = known.network_changes.get(name)
    spec = _declared(wanted, name)
    if change is None or spec is None:
        return False
    known.network_changes[name] = change = replace(change, left="")
    makes = any(isinstance(action, CreateNetwork) and action.spec == spec for action, _ in work.steps)
    if change.previous is None or not makes or isinstance(error, EngineUnavailable):
        return False
    # Nobody is disconnected by a trial, so it can be tried again at no cost.
    is_tried = any(action.object_name.endswith(TRIAL_SUFFIX) for action, _ in work.steps)
    final = error.permanent and not is_tried
    known.network_changes[name] = failed(change, spec, str(error), known.clock.monotonic(), final=final)
    return True


def settle(known: LoopState, wanted: Domain) -> None:
    """Forget what is over: of a network that is as declared everything, and a refusal whose cause is seen: what is in
    the way is told with its name, and once it is gone nothing is waited for."""
    subnets = Subnets(known.world.networks.values())
    for spec in wanted.networks:
        change = known.network_changes.get(spec.name)
        if change is None or spec.external or (change.previous is None and not change.attachments):
            continue
        if change.was_refused(spec) and in_the_way(spec, wanted, subnets)[0]:
            known.network_changes[spec.name] = change = forgiven(change)
        seen = known.world.networks.get(spec.name)
        if seen is None or seen.spec != spec.digest:
            continue
        differences = "; ".join(network_differences(spec, seen))
        if not differences or differences == change.left:
            known.network_changes[spec.name] = arrived(change, spec.name, known.world.containers)


def forget(known: LoopState, domain: Domain | None) -> None:
    """A domain is gone."""
    for spec in domain.networks if domain is not None else ():
        known.network_changes.pop(spec.name, None)


def try_anew(known: LoopState, wanted: Domain | None) -> None:
    """A person's word counts like a changed intent."""
    for spec in wanted.networks if wanted is not None else ():
        change = known.network_changes.get(spec.name)
        if change is not None and change.refused:
            known.network_changes[spec.name] = forgiven(change)


def _declared(wanted: Domain | None, name: str) -> NetworkSpec | None:
    specs = wanted.networks if wanted is not None else ()
    return next((spec for spec in specs if spec.name == name and not spec.external), None)
