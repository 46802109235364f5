"""Compose's words for what pnr says otherwise, or leaves to others: each an answer that says what to do. Pure.

Nothing of a Compose file is dropped without a word. What `pnr import` turns into something else is here too: somebody
may write it by hand.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from reconciler.intent import files
from reconciler.intent.field_types import Read
from reconciler.intent.settings.faults import expected, wrong
from reconciler.intent.settings.values import flag

_EMPTY: dict[str, Any] = {"enum": [None, False, [], {}]}
_HOOK = (
    "pnr runs no command in a container when it starts or stops: the engine starts containers too, and would not run it"
)

IN_A_CONTAINER = {
    "container_name": "here it is called name",
    "depends_on": "facts say what must be up before: give the other chunk a flowout, and this one a gatekeeper that"
    " names it",
    "develop": "this is for `docker compose watch` on a developer's machine: leave it out",
    "extends": "write here what it stands for, as `pnr import` does",
    "profiles": "a domain file holds what is to run: leave chunks that are not to run out of it",
    "provider": "pnr runs containers itself: let the provider make what it makes, and declare it as external",
    "models": "Docker's model runner is not pnr's to drive: run the model in a chunk of its own",
    "use_api_socket": "pnr hands no container the engine's socket and its credentials by itself: leave it out, or"
    " declare the socket under volumes, knowing that whoever has it is root on the host",
    "pre_start": "for work that must be done before, declare a chunk of kind job that answers a fact, and a gatekeeper"
    " here that waits for it",
    "post_start": f"{_HOOK}; for work that follows a start, declare a chunk of kind job whose gatekeeper waits for a"
    " fact of this chunk, or do it in the container's own entrypoint",
    "pre_stop": f"{_HOOK}; let the container do it when its stop_signal comes, within its stop_grace_period",
}
"""What is said of each in a container."""

IN_A_DOMAIN = {
    "services": "this is Compose's: `pnr import` makes a domain file of a Compose file",
    "include": "this is Compose's, and a domain is one file: write here what it stands for, as `pnr import` does",
    "models": IN_A_CONTAINER["models"],
}
"""The same at the top of a file."""


def refusal(name: str) -> Any:
    """The annotation of such a key at the top of a file: it can only be empty."""
    return Annotated[None, Read(files.refused(IN_A_DOMAIN[name]), _EMPTY)]


def fields() -> dict[str, Any]:
    """The fields of a model for those in a container."""
    return {
        name: (
            Annotated[None, Read(files.refused(why), _EMPTY)],
            Field(None, description=f"Not supported: {why}."),
        )
        for name, why in IN_A_CONTAINER.items()
    }


def attach(value: Any) -> bool:
    """Compose's ``attach``: false is how it is here."""
    if not isinstance(value, bool | str):
        raise expected("true or false", value)
    if flag(value):
        raise wrong("pnr attaches no terminal to containers (see `pnr logs`): leave it out, or say false")
    return False
