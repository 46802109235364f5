"""``pnr plan``: what ``pnr apply`` would do now. Needs the engine, no daemon; changes nothing."""

from __future__ import annotations

from argparse import Namespace

from reconciler.cli import exits
from reconciler.cli.folders import folders
from reconciler.cli.options import service_options
from reconciler.cli.terminal import complain, print_json, say
from reconciler.daemon.viewing import held_lines


def run(args: Namespace) -> int:
    """Show the plan; an exit code."""
    from reconciler.daemon.planning import make_plan

    domains, state = folders(args)
    planned = make_plan(service_options(args, domains, state))
    if args.json:
        steps = [
            {
                "number": step.number,
                "resource": step.resource,
                "action": type(step.action).__name__,
                "object": step.action.object_name,
                "cause": step.cause,
                "after": list(step.after),
            }
            for step in planned.plan
        ]
        blocked = [
            {"chunk": str(one.id), "reason": one.reason.value, "message": one.message} for one in planned.blocked
        ]
        held = [{"domain": name, "reason": why, "message": text} for name, (why, text) in planned.held.items()]
        told = [error.as_dict() for error in planned.errors]
        print_json({"steps": steps, "blocked": blocked, "held": held, "errors": told, "notes": list(planned.notes)})
    else:
        said = [
            *([str(planned.plan)] if len(planned.plan) else []),
            *(f"{one.id} can't go on ({one.reason}): {one.message}" for one in planned.blocked),
            *held_lines({name: text for name, (_, text) in planned.held.items()}),
        ]
        if said or not planned.errors:
            say("\n".join(said) or "nothing to do")
        for note in planned.notes:
            say(f"note: {note}")
        for error in planned.errors:
            complain(str(error))
    return exits.INVALID if planned.errors else exits.OK
