"""Gates that do not open."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

GATES = Section(
    "Gates",
    (
        Fault(
            "cause-three-levels-up",
            "The cause is three levels up the chain",
            "{name} waits … for {domain}/main/db (through {domain}/main/shop, {domain}/main/api), which …exit code 5;"
            " it said: disk is read-only",
            "Read what it printed (`pnr logs {domain}/main/db`)",
            (Reason.WAITING_FOR_GATEKEEPER,),
            web(),
            journal="exit code 5; it said: disk is read-only",
        ),
        Fault(
            "gate-nobody-answers",
            "A gate that nobody answers",
            "{file} is not valid, …: no chunk and no rt_state of CPUX main answers database_ready",
            "Correct the gatekeeper",
            (),
            web(),
        ),
        Fault(
            "gate-wants-another-response",
            "A gate that wants another response",
            "{file} is not valid, …: db_ready can never be Y ('primary'): db answers Y ('yes')",
            "Correct the gatekeeper",
            (),
            web(),
        ),
        Fault(
            "gate-cycle",
            "Gates in a circle",
            "{file} is not valid, …: none of these can ever start: …db waits for web_ready from web",
            "Take one of these gates out",
            (),
            web(),
        ),
        Fault(
            "fact-of-missing-domain",
            "A gate on a domain that is not there",
            "{name} waits for {other}/main/db_ready, and there is no domain {other}",
            "Declare the domain {other}, or correct the name in the gatekeeper",
            (Reason.WAITING_FOR_GATEKEEPER,),
            web(other="database"),
            journal="there is no domain {other}",
        ),
    ),
)
