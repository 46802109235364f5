"""One request under judgement: the policy, who asks, and the looks at the world. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.intent.file_names import stem
from reconciler.intent.model import ChunkId, counted
from reconciler.planner.observed import LABEL_CHUNK, LABEL_CPUX, LABEL_DOMAIN, LABEL_REPLICA
from reconciler.policy.model import Policy
from reconciler.policy.refusal import KNOWN_FIELDS, Against, Refusal
from reconciler.policy.world import HostNet, Installation, Look, Nothing, Seen, World

Object = Mapping[str, Any]


@dataclass
class Protected:
    """What protected places are, by device and inode: looked up when a first path is to be compared. ``plain`` is the
    plain look, of which nobody takes note; each place is looked at once."""

    plain: Look
    ids: dict[tuple[int, int], str] | None = None
    _seen: dict[str, Seen] = field(default_factory=dict, init=False)

    def look(self, path: str) -> Seen:
        """What a place is that somebody may have to be kept from."""
        if path not in self._seen:
            self._seen[path] = self.plain(path)
        return self._seen[path]


@dataclass
class Case:
    """``owner`` is the chunk whose container this is about, where one is known; ``domain`` its domain, or that of the
    network or volume; ``file`` the domain file that it belongs to: None where no files are told apart, "" where nobody
    knows it."""

    policy: Policy
    places: Installation
    look: Look
    protected: Protected
    world: World = field(default_factory=Nothing)
    owner: ChunkId | None = None
    domain: str = ""
    file: str | None = None
    is_there: bool = False  # the container is there already
    _refused: dict[Refusal, None] = field(default_factory=dict, init=False)

    @property
    def refused(self) -> list[Refusal]:
        """All that was refused, each once."""
        return list(self._refused)

    @property
    def own_name(self) -> str:
        """What ``@domain`` stands for: the file's name without its ending, since names of domains are anybody's; the
        domain's only where no files are told apart."""
        if self.file is not None:
            return stem(self.file)
        return self.owner.domain if self.owner is not None else self.domain

    def is_owner(self, name: str) -> bool:
        """Whether a permission that the policy gives to a domain's name is this file's: the file of that name has it.
        Anybody may write a name into a file; which files there are is not up to who writes into one of them."""
        return self.file is None or stem(self.file) == name

    def net(self) -> HostNet:
        """What networks the host has."""
        return self.places.net()

    def refuse(
        self,
        rule: str,
        field: str,
        message: str,
        item: str = "",
        *,
        wants: Iterable[tuple[str, str]] = (),
        against: Against = Against.ASKED,
    ) -> None:
        """One more refusal. ``rule`` is one of the table, or one of those that hold whatever a policy says; ``item`` is
        what its list would have to have for this to be allowed, and ``wants`` says the same of other rules."""
        origin = self.policy.origin(rule) if rule in self.policy.values else str(self.policy)
        least = ((rule, item),) if item else ()
        self._refused[Refusal(rule, field, message, origin, (*least, *wants), against)] = None

    def unknown(self, body: Object, known: Mapping[str, Any] | frozenset[str], prefix: str) -> None:
        """Refuse what is set and that no rule is known for. The engine takes keys in any case, so only exact ones
        count."""
        for key, value in body.items():
            if key not in known and value not in (None, "", 0, False, [], {}):
                self.refuse(KNOWN_FIELDS, f"{prefix}{key}", f"no rule is known for {key}")


def objects(value: Any) -> list[Object]:
    """The objects in a list of the Engine API; what is none of them stands as an empty one."""
    return [one if isinstance(one, Mapping) else {} for one in value] if isinstance(value, list | tuple) else []


def texts(value: Any) -> list[str]:
    """The texts in a list of the Engine API; one text counts as a list."""
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def table(value: Any) -> Object:
    """An object of the Engine API; nothing where there is none."""
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> float:
    """A number of the Engine API; 0 where there is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def owner_of(labels: Object) -> ChunkId | None:
    """The chunk that our labels name."""
    domain, cpux, chunk = (labels.get(label) for label in (LABEL_DOMAIN, LABEL_CPUX, LABEL_CHUNK))
    if not domain or not cpux or not chunk:
        return None
    return ChunkId(str(domain), str(cpux), str(chunk), counted(str(labels.get(LABEL_REPLICA) or "1"), 1))


def labels_of(body: Object) -> Object:
    """The labels of a container that was inspected, or of one that is to be made."""
    return table(table(body.get("Config")).get("Labels") or body.get("Labels"))
