"""Seccomp profiles from files: what is in them is the intent."""

from __future__ import annotations

from reconciler.intent.contents import Source, SourceKind
from tests.unit.intent.reading import chunk, declared, document, messages, read
from tests.unit.intent.test_files import contents, domain, loaded

PROFILE = '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}'
USING = {"security_opt": ["seccomp=./strict.json", "no-new-privileges"]}


def told(profile: str = PROFILE) -> dict[str, str]:
    return {"/srv/domains/strict.json": profile}


def test_a_profile_is_read_from_its_file_next_to_the_domain_file() -> None:
    found = domain(USING, contents(**told()))
    (made,) = found.chunks()
    assert made.container.settings["security_opt"] == [
        "no-new-privileges",
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}',
    ]
    assert found.sources == (Source(SourceKind.FILE, "/srv/domains/strict.json"),)


def test_another_content_is_another_intent_and_another_layout_is_not() -> None:
    first = domain(USING, contents(**told()))
    spaced = domain(USING, contents(**told(PROFILE.replace(",", " ,\n"))))
    other = domain(USING, contents(**told(PROFILE.replace("ALLOW", "ERRNO"))))
    assert first.intent == spaced.intent
    assert first.intent != other.intent


def test_a_file_that_is_no_profile_or_not_there_is_told_with_its_place() -> None:
    (problem,) = loaded(USING, contents(**told("[1]"))).errors
    assert problem.where == "cpuxs.main.design_chunks[0].container.security_opt[0]"
    assert "/srv/domains/strict.json holds no seccomp profile" in problem.message
    (problem,) = loaded(USING, contents()).errors
    assert problem.code == "SourceMissing"


def test_nothing_is_read_for_what_names_no_file() -> None:
    assert chunk(container={"security_opt": ["seccomp=unconfined"]}).container.settings["security_opt"]
    (message,) = messages(read(document(declared(container={"security_opt": ["seccomp={"]}))))
    assert "is not a seccomp profile" in message
