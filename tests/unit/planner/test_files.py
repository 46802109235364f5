"""What secrets and configs of a chunk mean to the planner."""

from __future__ import annotations

from dataclasses import replace

from reconciler.intent.contents import Source, SourceKind
from reconciler.intent.model import Adopt, Chunk, MountedFile
from reconciler.planner.actions import AdoptContainer, StartContainer
from reconciler.planner.observed import Condition
from tests.unit.planner.build import chunk, container, situation, think

FILE = MountedFile("/run/secrets/key", Source(SourceKind.FILE, "/srv/key"), "f1", secret=True)


def with_file() -> Chunk:
    plain = chunk()
    return replace(plain, container=replace(plain.container, files=(FILE,)))


def test_every_start_has_the_files_that_may_have_to_be_written_again() -> None:
    wanted = with_file()
    for containers in ((), (container(wanted, Condition.EXITED),), (container(wanted, Condition.CREATED),)):
        work = think(situation(wanted, *containers))[1].work
        assert work is not None
        assert StartContainer(wanted.container.name, (FILE,)) in [action for action, _ in work.steps]


def test_a_container_of_somebody_else_never_matches_a_chunk_with_files() -> None:
    wanted = replace(with_file(), adopt=Adopt.REPLACE)
    theirs = container(wanted, owner=None, spec="", settings={})
    work = think(situation(wanted, holder=theirs))[1].work
    assert work is not None
    (action,) = [action for action, _ in work.steps]
    assert isinstance(action, AdoptContainer)
    assert not action.matching
