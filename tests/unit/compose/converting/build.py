"""Short ways to write projects in Compose's canonical form, and to look at what they become."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

from reconciler.compose.converting.convert import Conversion, Existing, convert
from reconciler.compose.converting.said import Said
from reconciler.compose.converting.validating import Judge
from reconciler.compose.project import Project
from reconciler.diagnostics import Place
from reconciler.intent import loader
from reconciler.intent.contents import Source, SourceKind, SourceMissing
from reconciler.probes.registry import known_types

MISSING = "/missing"
"""Nothing below this path is there; all else is."""


class Contents:
    """All files are there, and empty."""

    def read(self, source: Source) -> bytes:
        if source.name.startswith(MISSING):
            raise SourceMissing(f"{source} does not exist")
        return b""

    def fingerprint(self, source: Source) -> str:
        self.read(source)
        return "0" * 64

    def fingerprint_of(self, content: bytes) -> str:
        return "0" * 64

    def stamp(self, source: Source) -> Hashable:
        return source.kind is SourceKind.FILE


def judge_with(contents: Contents) -> Judge:
    """The loader as an import asks it, where these are the files."""
    return partial(
        loader.load,
        file="shop.json",
        base_dir="/domains",
        env={},
        allowed_env=frozenset(),
        check_types=known_types(),
        contents=contents,
    )


judge = judge_with(Contents())


def service(**settings: Any) -> dict[str, Any]:
    """A service as Compose's canonical form has it: with an image, in the default network unless said otherwise."""
    made: dict[str, Any] = {"command": None, "entrypoint": None, "image": "img:1", **settings}
    if "network_mode" not in made:
        made.setdefault("networks", {"default": None})
    return {key: value for key, value in made.items() if not (key == "image" and value is None)}


def project(services: Mapping[str, Any], *, name: str = "shop", **top: Any) -> Project:
    """A project with these services; each stands on a line of its own, from 1."""
    inactive, variables = top.pop("inactive", {}), top.pop("variables", {})
    model = {
        "name": name,
        "services": dict(services),
        "networks": {"default": {"name": f"{name}_default", "ipam": {}}},
        **top,
    }
    places: dict[tuple[str | int, ...], Place] = {}
    for line, key in enumerate(services, 1):
        places["services", key] = Place("/shop/compose.yaml", line, 3)
        places |= {("services", key, setting): Place("/shop/compose.yaml", line, 10) for setting in services[key]}
    return Project(name, "/shop", model, inactive, places, (), variables)


def converted(
    services: Mapping[str, Any],
    *,
    existing: Existing | None = None,
    partial: bool = False,
    said: Said | None = None,
    **top: Any,
) -> Conversion:
    """What becomes of a project. It is always a valid domain file."""
    conversion = convert(project(services, **top), judge, existing, partial=partial, said=said)
    problems = judge(conversion.text).errors
    assert problems == (), "\n".join(map(str, problems))
    return conversion


def chunks(conversion: Conversion) -> dict[str, dict[str, Any]]:
    """The chunks by their names."""
    return {chunk["name"]: chunk for chunk in conversion.document["cpuxs"]["main"]["design_chunks"]}


def container(**settings: Any) -> dict[str, Any]:
    """The container that a service ``web`` with these settings becomes, without its name and image."""
    conversion = converted({"web": service(**settings)})
    found = dict(chunks(conversion)["web"]["container"])
    del found["name"]
    if "image" not in settings:
        del found["image"]
    return found


def told(conversion: Conversion, *, loss: bool | None = None) -> list[tuple[str, str]]:
    """Path and code of each remark, but for the one about what is kept up, which nearly every project gets."""
    return [
        (remark.where, remark.code)
        for remark in conversion.remarks
        if (loss is None or (remark.severity == "loss") is loss) and remark.where != "services"
    ]
