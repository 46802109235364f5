"""What is in force keeps what it has; what is edited is judged as if it were new; who changes something is at fault."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.intent.judgement import MOST_ROUNDS, InForce, Judgement, judge_domains
from reconciler.intent.model import Chunk, Domain, NetworkSpec, VolumeSpec
from reconciler.intent.sharing import Borrowed
from tests.unit.intent.test_checks import chunk
from tests.unit.intent.test_checks import domain as bare


def domain(
    *chunks: Chunk,
    name: str = "shop",
    file: str = "",
    networks: tuple[NetworkSpec, ...] = (),
    volumes: tuple[VolumeSpec, ...] = (),
) -> Domain:
    """A domain whose hashes change with what it declares."""
    made = replace(bare(*chunks, name=name, file=file), networks=networks, volumes=volumes)
    said = repr((made.name, made.cpuxs, made.networks, made.volumes))
    return replace(made, intent=said, digest=said)


def one(name: str, *needs: str, file: str = "", **more: object) -> Domain:
    """A domain of one chunk ``c`` which answers ``c_ready``."""
    return domain(chunk("c", *needs, domain=name, **more), name=name, file=file)  # type: ignore[arg-type]


def in_force(*domains: Domain) -> list[InForce]:
    return [InForce(each.name, each.file, each) for each in domains]


def errors(judgement: Judgement) -> list[tuple[str, str]]:
    return [(f.place.file, f.code) for f in judgement.diagnostics if f.severity == "error"]


def test_a_copied_file_gets_the_error_though_its_name_sorts_first() -> None:
    shop = one("shop", file="shop.json")
    judged = judge_domains([shop, replace(shop, file="blog.json")], in_force(shop))
    assert errors(judged) == [("blog.json", "DuplicateDomain")]
    assert judged.accepted == {"shop": shop}
    assert "declared in shop.json already" in judged.diagnostics[0].message


@pytest.mark.parametrize("named", ["container", "port", "network", "volume"])
@pytest.mark.parametrize("claimant", ["unchanged", "edited", "broken", "gone"])
def test_what_an_intent_in_force_has_is_its_files_whatever_becomes_of_the_file(named: str, claimant: str) -> None:
    def having(name: str, file: str) -> Domain:
        made = one(
            name,
            file=file,
            container="x" if named == "container" else "",
            ports=["8080:80"] if named == "port" else None,
        )
        networks = (NetworkSpec("net"),) if named == "network" else ()
        volumes = (VolumeSpec("data"),) if named == "volume" else ()
        return domain(*made.chunks(), name=name, file=file, networks=networks, volumes=volumes)

    old, new = having("old", "z.json"), having("new", "a.json")
    declared = {"unchanged": [old], "edited": [replace(old, intent="other")], "broken": [], "gone": []}[claimant]
    broken = {"z.json": None} if claimant == "broken" else {}
    judged = judge_domains([new, *declared], in_force(old), broken=broken)
    codes = {"container": "ContainerNameClash", "port": "HostPortClash"}
    assert errors(judged) == [("a.json", codes.get(named, f"{named.capitalize()}NameClash"))]
    assert "z.json" in judged.diagnostics[0].message
    assert "new" not in judged.accepted
    assert judge_domains([new], []).accepted == {"new": new}


def test_a_domain_whose_file_is_broken_keeps_its_name() -> None:
    shop = one("shop", file="shop.json")
    other = one("shop", "system_ready", file="a.json")
    judged = judge_domains([other], in_force(shop), broken={"shop.json": None})
    assert errors(judged) == [("a.json", "DuplicateDomain")]
    assert judged.speaks == {"shop": "shop.json"}


def test_of_newcomers_that_want_one_thing_the_file_that_sorts_first_gets_it() -> None:
    b, a = one("b", file="b.json", ports=["8080:80"]), one("a", file="a.json", ports=["8080:80"])
    judged = judge_domains([b, a])
    assert list(judged.accepted) == ["a"]
    assert errors(judged) == [("b.json", "HostPortClash")]


def test_an_edit_of_what_is_in_force_goes_before_a_newcomer() -> None:
    before, after = one("z", file="z.json"), one("z", file="z.json", ports=["8080:80"])
    newcomer = one("a", file="a.json", ports=["8080:80"])
    judged = judge_domains([newcomer, after], in_force(before))
    assert judged.accepted == {"z": after}


def test_a_port_on_all_addresses_is_in_the_way_of_one_of_them() -> None:
    held = one("z", file="z.json", ports=["0.0.0.0:8080:80"])
    edited = one("z", "system_ready", file="z.json", ports=["127.0.0.1:8080:80"])
    newcomer = one("a", file="a.json", ports=["127.0.0.1:8080:80"])
    assert errors(judge_domains([newcomer, edited], in_force(held))) == [("a.json", "HostPortClash")]


def test_a_new_range_holds_no_port_that_another_file_has() -> None:
    """The engine would give it away while the other container is recreated."""
    held = one("z", file="z.json", ports=["127.0.0.1:8080:80"])
    for ports in ("8000-9000:80", "0.0.0.0:8080-8081:80", "*:8079-8080:80"):
        newcomer = one("a", file="a.json", ports=[ports])
        assert errors(judge_domains([newcomer, held], in_force(held))) == [("a.json", "HostPortClash")]
        assert list(judge_domains([newcomer, held]).accepted) == ["a", "z"], "the one that came first"
    for ports in ("8081-9000:80", "8000-9000:80/udp", "192.0.2.1:8000-9000:80"):
        newcomer = one("a", file="a.json", ports=[ports])
        assert not errors(judge_domains([newcomer, held], in_force(held)))


def test_a_range_that_is_in_force_stays_whoever_takes_one_of_its_ports_later() -> None:
    held = one("z", file="z.json", ports=["8000-9000:80"])
    edited = one("z", "system_ready", file="z.json", ports=["8000-9000:80"])
    newcomer = one("a", file="a.json", ports=["8080:80"])
    for declared in (held, edited):
        judged = judge_domains([newcomer, declared], in_force(held))
        assert not errors(judged)
        assert set(judged.accepted) == {"a", "z"}
        assert not errors(judge_domains([newcomer, declared], in_force(held, newcomer)))


def test_what_an_edit_gives_up_is_free_for_another_file_at_once() -> None:
    held, edited = one("z", file="z.json", ports=["8080:80"]), one("z", file="z.json")
    newcomer = one("a", file="a.json", ports=["8080:80"])
    judged = judge_domains([newcomer, edited], in_force(held))
    assert not judged.diagnostics
    assert set(judged.accepted) == {"a", "z"}


def test_an_edit_that_is_refused_gives_nothing_up() -> None:
    held, edited = one("z", file="z.json", ports=["8080:80"]), one("z", "nobody", file="z.json")
    newcomer = one("a", file="a.json", ports=["8080:80"])
    judged = judge_domains([newcomer, edited], in_force(held))
    assert errors(judged) == [("a.json", "HostPortClash"), ("z.json", "UnsatisfiableGate")]
    assert not judged.accepted


def test_names_of_containers_and_of_domains_are_swapped_between_files() -> None:
    a, b = one("a", file="a.json", container="x"), one("b", file="b.json", container="y")
    crossed = [one("a", file="a.json", container="y"), one("b", file="b.json", container="x")]
    assert judge_domains(crossed, in_force(a, b)).accepted == {each.name: each for each in crossed}
    moved = [replace(a, file="b.json"), replace(b, file="a.json")]
    judged = judge_domains(moved, in_force(a, b))
    assert not judged.diagnostics
    assert judged.speaks == {"a": "b.json", "b": "a.json"}


def test_of_a_swap_that_is_done_by_half_nothing_is_taken_up() -> None:
    a, b = one("a", file="a.json", container="x"), one("b", file="b.json", container="y")
    judged = judge_domains([one("a", file="a.json", container="y"), b], in_force(a, b))
    assert errors(judged) == [("a.json", "ContainerNameClash")]
    assert judged.accepted == {"b": b}


def test_a_file_with_another_name_is_the_domain_moved() -> None:
    shop = one("shop", file="a.json")
    moved = replace(shop, file="b.json")
    judged = judge_domains([moved], in_force(shop))
    assert judged.accepted == {"shop": moved}
    assert judged.speaks == {"shop": "b.json"}
    assert not judged.diagnostics


def test_of_two_files_that_a_domain_may_have_moved_to_the_one_with_its_text_is_it() -> None:
    shop = one("shop", file="old.json")
    edited, same = one("shop", "system_ready", file="a.json"), replace(shop, file="b.json")
    judged = judge_domains([edited, same], in_force(shop))
    assert judged.speaks == {"shop": "b.json"}
    assert errors(judged) == [("a.json", "DuplicateDomain")]


def test_a_domain_that_moved_into_a_file_that_is_not_valid_stays() -> None:
    shop = one("shop", file="old.json")
    for judged in (
        judge_domains([one("shop", "nobody", file="new.json")], in_force(shop)),
        judge_domains([], in_force(shop), broken={"new.json": "shop"}),
    ):
        assert judged.speaks == {"shop": "new.json"}
        assert not judged.accepted


def test_another_name_in_a_file_has_what_the_file_had() -> None:
    old = one("old", file="a.json", container="x", ports=["8080:80"])
    new = one("new", file="a.json", container="x", ports=["8080:80"])
    judged = judge_domains([new], in_force(old))
    assert judged.accepted == {"new": new}
    assert judged.speaks == {}


def test_another_name_in_a_file_that_is_refused_leaves_the_old_one_in_force() -> None:
    old, other = one("old", file="a.json"), one("other", file="b.json")
    late = one("old", file="c.json")
    judged = judge_domains([one("other", file="a.json"), other, late], in_force(old, other))
    assert errors(judged) == [("a.json", "DuplicateDomain"), ("c.json", "DuplicateDomain")]
    assert judged.speaks == {"old": "a.json", "other": "b.json"}


def test_a_file_that_breaks_keeps_its_last_good_domain_and_no_earlier_one() -> None:
    old, new = one("old", file="a.json"), one("new", file="a.json")
    given_up = InForce("old", "a.json", old, absent=True)
    judged = judge_domains([], [given_up, *in_force(new)], broken={"a.json": None})
    assert judged.speaks == {"new": "a.json"}
    # A file that went, and is back, broken, keeps what it had.
    assert judge_domains([], [given_up], broken={"a.json": None}).speaks == {"old": "a.json"}
    shop = one("shop", "old/main/c_ready", file="b.json")
    (error,) = judge_domains([shop, new], [given_up, *in_force(new)]).diagnostics
    assert "a.json does not declare domain old any more" in error.message


def test_a_domain_that_is_being_removed_is_not_revived_by_a_file_that_is_not_valid() -> None:
    shop = one("shop", file="a.json")
    gone = [InForce("shop", "a.json", shop, gone=True)]
    for judged in (judge_domains([], gone, broken={"a.json": "shop"}), judge_domains([one("shop", "no")], gone)):
        assert judged.speaks == {}
    assert judge_domains([shop], gone).accepted == {"shop": shop}


def test_an_edit_that_takes_the_answer_away_is_refused_like_a_new_file() -> None:
    before = domain(chunk("db"), chunk("web", "db_ready"))
    after = domain(chunk("web", "db_ready"))
    assert errors(judge_domains([after], in_force(before))) == [("shop.json", "UnsatisfiableGate")]


def test_who_takes_away_what_another_domain_waits_for_has_the_error() -> None:
    data, shop = one("data", file="z.json"), one("shop", "data/main/c_ready", file="a.json")
    edited = domain(chunk("other", domain="data"), name="data", file="z.json")
    judged = judge_domains([edited, shop], in_force(data, shop))
    assert errors(judged) == [("z.json", "UnsatisfiableGate")]
    assert judged.accepted == {"shop": shop}
    (error,) = judged.diagnostics
    assert error.message.startswith("chunk shop/main/c (a.json) waits for data/main/c_ready, which this change takes")
    assert judge_domains([edited, one("shop", file="a.json")], in_force(data, shop)).diagnostics == ()


def test_who_waits_for_what_was_never_answered_has_the_error() -> None:
    shop = one("shop", "data/main/nothing", file="a.json")
    judged = judge_domains([shop, one("data", file="z.json")], in_force(shop))
    assert errors(judged) == [("a.json", "UnsatisfiableGate")]
    assert "data" in judged.accepted


def test_who_waits_anew_for_what_goes_in_the_same_change_has_the_error() -> None:
    data, shop = one("data", file="z.json"), one("shop", file="a.json")
    edits = [
        domain(chunk("o", domain="data"), name="data", file="z.json"),
        one("shop", "data/main/c_ready", file="a.json"),
    ]
    judged = judge_domains(edits, in_force(data, shop))
    assert errors(judged) == [("a.json", "UnsatisfiableGate")]
    assert set(judged.accepted) == {"data"}


def test_a_cycle_is_the_error_of_who_closed_it() -> None:
    a, z = one("a", "z/main/c_ready", file="a.json"), one("z", file="z.json")
    closed = one("a", "z/main/c_ready", file="a.json")
    newly = one("z", "a/main/c_ready", file="z.json")
    judged = judge_domains([closed, newly], in_force(a, z))
    assert errors(judged) == [("z.json", "GateCycle")]
    first = one("a", file="a.json")
    other = one("z", "a/main/c_ready", file="z.json")
    assert errors(judge_domains([a, other], in_force(first, other))) == [("a.json", "GateCycle")]


def test_who_was_refused_for_the_sake_of_one_that_is_refused_too_is_right_after_all() -> None:
    """A new file takes a port, and is refused for a fact in the end: whoever wanted the port may have it."""
    holder = one("h", file="h.json", container="x")
    taker = one("b", "y/main/new_ready", file="b.json", ports=["8080:80"])
    waiting = one("c", file="c.json", ports=["8080:80"])
    answering = domain(chunk("c", domain="y"), chunk("new", domain="y", container="x"), name="y", file="y.json")
    judged = judge_domains([holder, taker, waiting, answering], in_force(holder, one("y", file="y.json")))
    assert errors(judged) == [("b.json", "UnsatisfiableGate"), ("y.json", "ContainerNameClash")]
    assert set(judged.accepted) == {"h", "c"}


def test_why_a_domain_that_is_there_answers_nothing_is_told() -> None:
    shop = one("shop", "data/main/c_ready", file="a.json")
    (error,) = judge_domains([shop], broken={"d.json": "data"}).diagnostics
    assert error.message == "d.json, which declares domain data, is not valid, so nothing answers data/main/c_ready"
    (error,) = judge_domains([shop], in_force(one("data", file="d.json"))).diagnostics
    assert error.message == "d.json, which declared domain data, is gone, so nothing answers data/main/c_ready"


def test_a_long_chain_of_edits_that_are_refused_one_for_another_comes_to_an_end() -> None:
    count = 3 * MOST_ROUNDS

    def link(n: int, answers: str) -> Domain:
        needs = (f"d{n - 1:03}/main/{answers}",) if n and answers == "new" else ()
        return domain(chunk("c", *needs, answers=(answers,), domain=f"d{n:03}"), name=f"d{n:03}")

    before = [link(n, "old") for n in range(count)]
    broken_first = domain(chunk("c", "nobody", answers=("new",), domain="d000"), name="d000")
    judged = judge_domains([broken_first, *(link(n, "new") for n in range(1, count))], in_force(*before))
    assert not judged.accepted
    assert {file for file, _ in errors(judged)} == {each.file for each in before}


# --- any story ------------------------------------------------------------------------------------------------


class Folder:
    """Random edits of a folder; the same for the same seed."""

    NAMES = ("a", "b", "c", "d")

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.files: dict[str, Domain | None] = {}  # None: not valid

    def document(self, file: str) -> Domain:
        rng = self.rng
        name = rng.choice([file[0], file[0], file[0], rng.choice(self.NAMES)])
        chunks = []
        for n in range(rng.randint(1, 2)):
            needs = [
                need
                for need in ("c0_ready", "c1_ready", f"{rng.choice(self.NAMES)}/main/c{rng.randint(0, 2)}_ready")
                if rng.random() < 0.3
            ]
            container = rng.choice(["", "", "x", "y", "z"])
            ports = [f"{rng.randint(8000, 8002)}:80"] if rng.random() < 0.3 else None
            chunks.append(chunk(f"c{n}", *needs, domain=name, container=container, ports=ports))
        return domain(*chunks, name=name, file=file)

    def edit(self) -> None:
        for _ in range(self.rng.randint(1, 3)):
            file = f"{self.rng.choice(self.NAMES)}.json"
            match self.rng.choice(["write", "write", "write", "break", "remove", "copy", "move"]):
                case "write":
                    self.files[file] = self.document(file)
                case "break":
                    self.files[file] = None
                case "remove":
                    self.files.pop(file, None)
                case "copy" | "move" as deed:
                    there = [domain for domain in self.files.values() if domain is not None]
                    if there:
                        chosen = self.rng.choice(there)
                        if deed == "move":
                            del self.files[chosen.file]
                        self.files[file] = replace(chosen, file=file)

    def judge(self, held: Iterable[InForce]) -> Judgement:
        declared = [domain for domain in self.files.values() if domain is not None]
        return judge_domains(declared, list(held), broken={f: None for f, d in self.files.items() if d is None})


def after(held: dict[str, InForce], judged: Judgement) -> dict[str, InForce]:
    """What is in force once a judgement was taken up, and what has no file any more is gone."""
    stays = {name: replace(one, file=judged.speaks[name]) for name, one in held.items() if name in judged.speaks}
    return stays | {name: InForce(name, domain.file, domain) for name, domain in judged.accepted.items()}


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_edited_all_in_force_goes_together_and_loses_nothing(seed: int) -> None:
    folder, held = Folder(seed), dict[str, InForce]()
    for _ in range(12):
        folder.edit()
        judged = folder.judge(held.values())
        refused = {file for file, _ in errors(judged)}
        for name, domain in judged.accepted.items():
            assert domain.file not in refused
            assert folder.files[domain.file] is domain
            assert judged.speaks.get(name, domain.file) == domain.file
        for file, declared in folder.files.items():
            # Each file is taken up, or told why not.
            if declared is not None:
                assert (judged.accepted.get(declared.name) is declared) != (file in refused)
        for name, one_held in held.items():
            if one_held.file in folder.files and (folder.files[one_held.file] is None or one_held.file in refused):
                assert judged.speaks.get(name) == one_held.file
        now = after(held, judged)
        # What is in force goes together, but for gates of such as are told of: they wait for a domain that came later.
        alone = judge_domains([replace(one.domain, file=one.file) for one in now.values() if one.domain is not None])
        told = refused | {file for file, domain in folder.files.items() if domain is None}
        assert {(file, "UnsatisfiableGate") for file in told} >= set(errors(alone))
        # Judged again it is the same, while those without a file are being removed: nothing wanders from scan to scan.
        leaving = {name: replace(one, gone=True) for name, one in held.items() if name not in now}
        again = folder.judge([*now.values(), *leaving.values()])
        assert again.accepted == judged.accepted
        assert {file for file, _ in errors(again)} == refused
        held = now


WEB = NetworkSpec("web", external=True)
DATA = VolumeSpec("data", external=True)
ASKED = tuple(
    Borrowed(kind, name, (f"{kind}s", name), "PolicyRefused", f"rule {kind}s.external", "the policy", unowned=True)
    for kind, name in (("network", "web"), ("volume", "data"))
)


@pytest.mark.parametrize("claimed", ["network", "volume"])
@pytest.mark.parametrize("claimant", ["new", "edited"])
@pytest.mark.parametrize("user", ["unchanged", "edited"])
def test_who_claims_what_others_use_as_nobodys_is_refused_and_they_are_not(
    claimed: str, claimant: str, user: str
) -> None:
    """A file that declares the network of all proxies as its own would keep every other file from being taken."""
    held = domain(chunk("c", domain="z"), name="z", file="z.json", networks=(WEB,), volumes=(DATA,))
    edited = domain(chunk("d", domain="z"), name="z", file="z.json", networks=(WEB,), volumes=(DATA,))
    now = held if user == "unchanged" else edited

    def thief(*shared_with: str) -> Domain:
        networks = (NetworkSpec("web", shared_with=shared_with),) if claimed == "network" else ()
        volumes = (VolumeSpec("data", shared_with=shared_with),) if claimed == "volume" else ()
        return domain(chunk("c", domain="a"), name="a", file="a.json", networks=networks, volumes=volumes)

    before = [domain(chunk("c", domain="a"), name="a", file="a.json")] if claimant == "edited" else []
    judged = judge_domains([thief(), now], in_force(held, *before), borrowed={"z.json": ASKED})
    assert errors(judged) == [("a.json", f"{claimed.capitalize()}NameClash")]
    assert judged.accepted["z"] == now
    assert not errors(judge_domains([thief("z"), now], in_force(held, *before), borrowed={"z.json": ASKED}))


def test_an_owner_that_shares_no_more_is_in_its_right() -> None:
    owner = domain(chunk("c", domain="a"), name="a", file="a.json", networks=(NetworkSpec("web", shared_with=("z",)),))
    held = domain(chunk("c", domain="z"), name="z", file="z.json", networks=(WEB,))
    alone = domain(chunk("c", domain="a"), name="a", file="a.json", networks=(NetworkSpec("web"),))
    judged = judge_domains([alone, held], in_force(owner, held), borrowed={"z.json": ASKED[:1]})
    assert errors(judged) == [("z.json", "PolicyRefused")]
    newcomer = judge_domains([alone, held], borrowed={"z.json": ASKED[:1]})
    assert errors(newcomer) == [("z.json", "PolicyRefused")]
