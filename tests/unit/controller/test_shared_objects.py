"""What domains share, as whoever judges requests sees it."""

from __future__ import annotations

from reconciler.controller.records import DomainRecord
from reconciler.controller.shared_objects import SharedObjects
from reconciler.intent.model import Domain, NetworkSpec, VolumeSpec


def record(name: str, *shared_with: str, **more: object) -> DomainRecord:
    networks = (NetworkSpec("front", shared_with=shared_with), NetworkSpec("lan", external=True, shared_with=("*",)))
    volumes = (VolumeSpec("data", shared_with=shared_with),)
    domain = Domain(name, f"{name}.json", "", "", (), networks, volumes)
    found = DomainRecord(name=name, file=domain.file, domain=domain, intent="")
    for key, value in more.items():
        setattr(found, key, value)
    return found


def test_an_owner_shares_what_its_intent_in_force_says() -> None:
    lending = SharedObjects()
    assert lending.take([record("infra", "shop", "team-*")])
    for domain in ("shop", "team-a"):
        assert lending.shares("network", "front", "infra", domain)
        assert lending.shares("volume", "data", "infra", domain)
    assert not lending.shares("network", "front", "infra", "shop2")
    assert not lending.shares("network", "front", "other", "shop")
    assert not lending.shares("volume", "front", "infra", "shop")
    assert not lending.shares("network", "lan", "infra", "shop")  # it is not its own


def test_whether_something_is_shared_anew_is_known() -> None:
    lending = SharedObjects()
    lending.take([record("infra", "shop")])
    assert not lending.take([record("infra", "shop"), record("other")])
    assert lending.take([record("infra", "shop", "other")])


def test_one_that_is_taken_down_goes_on_sharing_and_one_that_is_gone_does_not() -> None:
    lending = SharedObjects()
    lending.take([record("infra", "shop", down=True)])
    assert lending.shares("volume", "data", "infra", "shop")
    lending.take([record("infra", "shop", gone=True)])
    assert not lending.shares("volume", "data", "infra", "shop")
