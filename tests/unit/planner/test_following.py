"""Which image a container must have, and what is to be fetched for it, from what is known of tags."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from reconciler.intent.model import Adopt, AutoUpdate, AutoUpdatePolicy, Chunk, Kind
from reconciler.planner import following
from reconciler.planner.observed import Container, ImageNews, ImageSeen, Network, Observed
from reconciler.planner.retry_state import RetryState
from reconciler.sentences import taken_apart
from tests.planned import Wish, plan_all
from tests.unit.planner.build import chunk, container, domain

REGISTRY, LOCAL = AutoUpdate(AutoUpdatePolicy.REGISTRY), AutoUpdate(AutoUpdatePolicy.LOCAL)
NEW = ImageNews("sha256:new", frozenset({"sha256:N"}), "sha256:N")
NOT_FETCHED = ImageNews("sha256:old", frozenset({"sha256:O"}), "sha256:N")
UNKNOWN = ImageNews("sha256:new", frozenset({"sha256:N"}))


def web(auto_update: AutoUpdate | None = REGISTRY, **more: Any) -> Chunk:
    return chunk("web", auto_update=auto_update, **more)


def made(image_id: str = "sha256:old", **more: Any) -> Container:
    return container(web(), image_id=image_id, **more)


def test_what_the_registry_has_is_wanted_once_the_engine_has_it() -> None:
    assert following.wanted_id(web(), RetryState(), NEW) == "sha256:new"
    assert following.wanted_id(web(), RetryState(), NOT_FETCHED) == ""
    assert following.wanted_id(web(), RetryState(), UNKNOWN) == ""
    assert following.wanted_id(web(LOCAL), RetryState(), UNKNOWN) == "sha256:new"
    assert following.wanted_id(web(None), RetryState(), NEW) == ""


def test_what_the_registry_has_and_the_engine_has_not_is_fetched() -> None:
    action = following.newer(web(), NOT_FETCHED)
    assert action is not None
    assert (action.image, action.policy, action.digest) == ("nginx:1", "missing", "sha256:N")
    assert following.newer(web(), NEW) is None
    assert following.newer(web(), UNKNOWN) is None
    assert following.newer(web(LOCAL), NOT_FETCHED) is None
    assert following.newer(web(None), NOT_FETCHED) is None


def test_an_image_with_several_digests_is_up_to_date_by_any_of_them() -> None:
    news = ImageNews("sha256:old", frozenset({"sha256:O", "sha256:N"}), "sha256:N")
    assert following.newer(web(), news) is None
    assert not following.is_outdated(web(), RetryState(), news, made())


def test_a_container_made_for_the_wanted_image_that_shows_another_id_is_not_replaced() -> None:
    memory = RetryState(aimed_image="sha256:new", aimed_from="before")
    assert not following.is_outdated(web(), memory, NEW, made("sha256:another-word-for-it", id="after"))
    assert following.is_outdated(web(), memory, NEW, made(id="before"))
    assert following.is_outdated(web(), memory, replace(NEW, id="sha256:next"), made(id="after"))


def test_what_was_given_up_stays_given_up_while_nobody_can_say_what_the_registry_has() -> None:
    for memory in (RetryState(rejected="d1@sha256:new"), RetryState(paused="d1@sha256:new")):
        assert following.target(web(), memory, ImageNews()) == "d1@sha256:new"
        assert following.rejected_image(memory) == "sha256:new"
    assert following.target(web(digest="d2"), RetryState(rejected="d1@sha256:new"), ImageNews()) == "d2"


def test_what_an_update_was_made_for_stays_wanted_while_the_registry_is_unknown() -> None:
    memory = following.aim(RetryState(rejected="d1@sha256:broken", paused="d1@sha256:broken"), "sha256:new", "before")
    assert following.rejected_image(memory) == ""
    assert following.wanted_id(web(), memory, ImageNews()) == "sha256:new"
    assert following.is_outdated(web(), memory, ImageNews(), made(id="before"))
    assert not following.is_outdated(web(), memory, ImageNews(), made("sha256:new", id="after"))
    # What the update comes to goes before what it was made for, and is known once it is over.
    given_up = replace(memory, rejected="d1@sha256:moved-on")
    assert following.wanted_id(web(), given_up, ImageNews()) == "sha256:moved-on"
    assert following.wanted_id(web(), following.arrived(memory), ImageNews()) == ""
    assert following.wanted_id(web(), memory, replace(NEW, id="sha256:next")) == "sha256:next"


def test_a_moved_tag_counts_when_a_person_asks_and_for_services_that_follow_none() -> None:
    def asked(what: Chunk, *own: Container) -> str:
        return following.by_request(what, RetryState(), UNKNOWN, own).asked_image

    assert asked(web(None), made()) == "sha256:new"
    assert asked(web(None), made("sha256:new")) == ""
    assert asked(web(None), made(spec="another intent")) == ""
    changed_as_it_runs = web(None)
    spec = replace(changed_as_it_runs.container, fixed="all but what can be changed as it runs")
    changed_as_it_runs = replace(changed_as_it_runs, container=spec)
    assert asked(changed_as_it_runs, made(spec="another intent", fixed=spec.fixed)) == "sha256:new"
    assert asked(web(None)) == ""
    assert asked(web(LOCAL), made()) == ""
    assert asked(web(None, kind=Kind.JOB), made()) == ""


def test_a_swapped_tag_is_drift_where_its_name_says_for_sure_what_is_meant() -> None:
    def asked(what: Chunk, memory: RetryState | None = None) -> str:
        return following.by_drift(what, memory or RetryState(), UNKNOWN, [made()]).asked_image

    assert asked(web(None)) == "sha256:new"
    assert asked(web(LOCAL)) == ""
    assert asked(web(None, ignore_drift=("image",))) == ""
    assert asked(web(None, adopt=Adopt.MATCHING)) == ""
    assert asked(web(None, settings={"platform": "linux/arm64"})) == ""
    assert asked(web(None), RetryState(rejected="d1@sha256:new")) == ""
    assert asked(web(None), RetryState(paused="d1@sha256:new")) == ""
    assert asked(web(None), RetryState(rejected="d1@sha256:older")) == "sha256:new"


def test_a_moved_tag_is_named_but_not_that_of_a_fixed_image() -> None:
    assert following.moved(web(None), NEW, made()) == "image: nginx:1 is sha256:new now, sha256:old found"
    assert following.moved(web(None), ImageNews(), made()) == ""
    assert following.moved(web(None, image=f"nginx:1@sha256:{'a' * 64}"), NEW, made()) == ""


def _full(digest: str) -> str:
    return f"sha256:{hashlib.sha256(digest.encode()).hexdigest()}"


def on_the_engine(what: Chunk, news: ImageNews) -> dict[str, Any]:
    """What the engine and the registry have, so that this is the news."""
    digests = tuple(f"nginx@{_full(digest)}" for digest in sorted(news.digests))
    image = ImageSeen(news.id, ("nginx:1",), digests, built_by=news.stranger)
    newest = {what.container.image: _full(news.newest)} if news.newest else {}
    return {"images": {what.container.image: image}, "digests": newest}


def test_a_plan_shows_what_a_person_who_applies_it_will_have() -> None:
    def lines(what: Chunk, news: ImageNews) -> str:
        there = made()
        seen = Observed({there.id: there}, {"pnr_shop": Network("n1", "pnr_shop", "shop")})
        return str(plan_all([Wish("shop", domain(what))], seen, **on_the_engine(what, news)).plan)

    assert "StopContainer shop_web, image: nginx:1 is sha256:new now" in lines(web(None), UNKNOWN)
    assert "StopContainer shop_web, image: nginx:1 is sha256:new now" in lines(web(), NEW)
    assert "EnsureImage nginx:1, the registry has another image" in lines(web(), NOT_FETCHED)
    assert "StopContainer shop_web, image: nginx:1 is sha256:" in lines(web(), NOT_FETCHED)
    assert lines(web(None), ImageNews("sha256:old")) == ""


THEIRS = ImageNews("sha256:evil", frozenset({"sha256:N"}), "sha256:N", stranger="other")


def test_what_another_domain_has_built_under_the_name_is_never_taken_up() -> None:
    there = [made()]
    for what in (web(None), web(LOCAL), web(), web(None, adopt=Adopt.MATCHING), web(None, kind=Kind.JOB)):
        for memory in (RetryState(), RetryState(attempts=3)):
            for after in (following.by_drift, following.by_request):
                assert after(what, memory, THEIRS, there) == memory
            assert following.wanted_id(what, memory, THEIRS) == ""
            assert not following.is_outdated(what, memory, THEIRS, made())


def test_what_another_domain_has_built_is_told_with_what_to_do() -> None:
    cause, step = taken_apart(following.moved(web(None), THEIRS, made()))
    assert cause == (
        "image: nginx:1 is sha256:evil now, sha256:old found: domain other has built it, so it is not taken up"
    )
    assert "another name" in step
    assert "images.of_domains" in step


def test_an_update_that_was_asked_for_before_goes_on_to_what_was_meant_then() -> None:
    memory = RetryState(asked_image="sha256:new")
    assert following.wanted_id(web(None), memory, THEIRS) == "sha256:new"


def test_a_plan_takes_up_nothing_that_another_domain_has_built() -> None:
    there, what = made(), web(None)
    seen = Observed({there.id: there}, {"pnr_shop": Network("n1", "pnr_shop", "shop")})
    assert "sha256:evil" not in str(plan_all([Wish("shop", domain(what))], seen, **on_the_engine(what, THEIRS)).plan)


def test_what_turns_out_to_be_built_by_another_is_not_wanted_any_more() -> None:
    memory = RetryState(asked_image="sha256:evil")
    assert following.wanted_id(web(None), memory, THEIRS) == ""
    assert following.wanted_id(web(None), memory, replace(THEIRS, stranger="")) == "sha256:evil"
