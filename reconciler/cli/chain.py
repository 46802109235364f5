"""From a chunk that waits to the cause at the root: along what it waits for, to who should answer it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.daemon.short_names import can_mean
from reconciler.daemon.viewing import Document, Found, chunks

MOST_LINKS = 50
_NEARLY = 0.75


@dataclass(frozen=True, slots=True)
class Root:
    """What is at the end. ``found`` is the chunk that is about (None: nobody), ``through`` the chunks between.

    ``text`` and ``step`` say what is the matter where it is about the gates themselves; both are "" where ``found`` has
    a cause of its own."""

    found: Found | None
    through: tuple[str, ...] = ()
    text: str = ""
    step: str = ""


class Chain:
    """Follows the gates of one view; ``links`` are sentences about each, once the root was asked for."""

    def __init__(self, view: Document) -> None:
        self._view = view
        self.links: list[str] = []

    def root(self, found: Found) -> Root | None:
        """The root of a chunk that waits; None of one that does not. The first that failed goes before others."""
        if not found.chunk.get("waiting_for"):
            return None
        roots = list(self._roots(found, (), (found.name,)))
        return min(roots, key=_urgency) if roots else None

    def _roots(self, found: Found, through: tuple[str, ...], path: tuple[str, ...]) -> Iterator[Root]:
        for fact in found.chunk.get("waiting_for") or ():
            name = str(fact["fact"])
            wanted = _value(fact.get("wanted"), fact.get("wanted_response"))
            known = self._fact(name)
            there = (known or {}).get("response") if fact.get("found") != "U" else None
            now = _value(fact.get("found", "U"), there)
            who = [str(each) for each in fact.get("answered_by") or []]
            prompt = f' ("{known["prompt"]}")' if known is not None and known.get("prompt") else ""
            link = f"{found.name} waits for {name}: wanted {wanted}, found {now}{prompt}"
            link += f"; answered by {', '.join(who)}" if who else ""
            if link not in self.links and len(self.links) < MOST_LINKS:
                self.links.append(link)
            if name == "system_ready" or name.endswith("/system_ready"):
                text = f"waits for {name}, which the program answers Y as soon as the engine answers"
                yield Root(found, through, text, "Wait, or see that the engine runs (`docker info`).")
                continue
            if not who:
                yield Root(found, through, *self._nobody(found, name))
                continue
            for answerer in self._answerers(who, name):
                yield from self._follow(answerer, (name, wanted, now), through, path)

    def _follow(
        self, answerer: Found, fact: tuple[str, str, str], through: tuple[str, ...], path: tuple[str, ...]
    ) -> Iterator[Root]:
        name, wanted, now = fact
        if answerer.name in path:
            circle = " -> ".join([*path[path.index(answerer.name) :], answerer.name])
            text = f"waits in a circle of gates: {circle}"
            yield Root(answerer, through[:-1], text, "Take one of these gates out, so that one of them starts first.")
        elif len(path) >= MOST_LINKS:
            yield Root(answerer, through, "it waits for others in its turn", f"`pnr why {answerer.name}` goes on.")
        elif answerer.chunk.get("waiting_for"):
            yield from self._roots(answerer, (*through, answerer.name), (*path, answerer.name))
        elif answerer.state == "completed":
            text = f"it is up, and its answer to {name} is {now}, not the wanted {wanted}"
            yield Root(
                answerer, through, text, "Change what the gatekeeper wants, or what that chunk answers (flowout)."
            )
        else:
            yield Root(answerer, through)

    def _nobody(self, found: Found, fact: str) -> tuple[str, str]:
        *scope, key = fact.split("/")
        domains = [str(domain["name"]) for domain in self._view["domains"]]
        if len(scope) == 2 and scope[0] not in domains:
            near = difflib.get_close_matches(scope[0], domains, n=1, cutoff=_NEARLY)
            meant = f" (did you mean {near[0]}?)" if near else ""
            return (
                f"waits for {fact}, and there is no domain {scope[0]}",
                f"Declare the domain {scope[0]}, or correct the name in the gatekeeper{meant}.",
            )
        where = "/".join(scope) if scope else f"{found.domain['name']}/{found.cpux['name']}"
        answered = [name for each in chunks(self._view["domains"]) for name in self._keys(each)]
        near = difflib.get_close_matches(key, answered, n=1, cutoff=_NEARLY)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return (
            f"waits for {fact}, and nothing that is declared answers it",
            f"Put it in the flowout of a chunk, or in the rt_state of {where}, or correct the name in the"
            f" gatekeeper{meant}.",
        )

    @staticmethod
    def _keys(found: Found) -> list[str]:
        return [str(key) for key in found.cpux["facts"]]

    def _answerers(self, names: list[str], fact: str) -> Iterator[Found]:
        scope = fact.split("/")[:2] if fact.count("/") == 2 else []
        for found in chunks(self._view["domains"]):
            for name in names:
                full = name if "/" in name or not scope else "/".join([*scope, name])
                if can_mean(full, found.name):
                    yield found
                    break

    def _fact(self, name: str) -> Document | None:
        parts = name.split("/")
        if len(parts) != 3:
            return None
        for domain in self._view["domains"]:
            for cpux in domain["cpuxs"]:
                if [domain["name"], cpux["name"]] == parts[:2]:
                    fact: Document | None = cpux["facts"].get(parts[2])
                    return fact
        return None


def _urgency(root: Root) -> int:
    if root.found is not None and root.found.state == "failed" and not root.text:
        return 0
    if root.text:
        return 1
    return 2


def _value(tv: object, response: object) -> str:
    said = f" [{', '.join(str(word) for word in response)}]" if isinstance(response, list) and response else ""
    return f"{tv}{said}"
