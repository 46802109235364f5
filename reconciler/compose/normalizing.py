"""What Compose fills in by itself: the default network, names that begin with the project's, dependencies. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.compose.mounts import clean
from reconciler.compose.node import Node, wrap

_SHARED = ("network_mode", "ipc", "pid", "uts", "cgroup")
_SERVICE = "service:"
_TRUE = (True, "true", "True", "TRUE", "t", "T", "1")


def normalized(root: Node, name: str, environment: Mapping[str, str]) -> Node:
    """The merged document of the project ``name`` with everything filled in."""
    root = _with_default_network(root)
    services = root.get("services")
    if services is not None:
        made = {key: _service(node, environment) for key, node in services.entries.items()}
        root = root.adding(services=services.having(made))
    return _with_names(root, name)


def _with_default_network(root: Node) -> Node:
    services = root.get("services") or root.having({})
    used = False
    made = {}
    for key, service in services.entries.items():
        made[key] = service
        networks = service.get("networks")
        if any(other in service.entries for other in ("provider", "network_mode")):
            continue
        if networks is None or not networks.entries:
            made[key] = service.adding(networks=wrap({"default": None}, service.place))
            used = True
        elif "default" in networks.entries:
            used = True
    if made:
        root = root.adding(services=services.having(made))
    networks = root.get("networks")
    if used and (networks is None or "default" not in networks.entries):
        networks = (networks or root.having({})).adding(default=root.having(None))
        root = root.adding(networks=networks)
    return root


def _service(service: Node, environment: Mapping[str, str]) -> Node:
    if not isinstance(service.value, dict):
        return service
    policy = service.get("pull_policy")
    if policy is not None and policy.value == "if_not_present":
        service = service.adding(pull_policy=policy.having("missing"))
    build = service.get("build")
    if build is not None and isinstance(build.value, dict):
        service = service.adding(build=_build(build, environment))
    variables = service.get("environment")
    if variables is not None:
        service = service.adding(environment=_with_values(variables, environment, keep=True))
    volumes = service.get("volumes")
    if volumes is not None:
        service = service.adding(volumes=volumes.having([_mount(volume) for volume in volumes.items]))
    dependencies = _dependencies(service)
    return service.adding(depends_on=dependencies) if dependencies.entries else service


def _build(build: Node, environment: Mapping[str, str]) -> Node:
    if build.get("context") is None:
        build = build.adding(context=build.having("."))
    if build.get("dockerfile") is None and build.get("dockerfile_inline") is None:
        build = build.adding(dockerfile=build.having("Dockerfile"))
    arguments = build.get("args")
    if arguments is None:
        return build
    return build.adding(args=_with_values(arguments, environment, keep=False))


def _with_values(pairs: Node, environment: Mapping[str, str], *, keep: bool) -> Node:
    """Names without a value take it from the environment; where it has none either they are kept or left out."""
    if isinstance(pairs.value, list):
        items = []
        for item in pairs.value:
            if "=" in str(item.value):
                items.append(item)
            elif item.value in environment:
                items.append(item.having(f"{item.value}={environment[item.value]}"))
            elif keep:
                items.append(item)
        return pairs.having(items)
    found = {}
    for key, part in pairs.entries.items():
        if part.value is not None:
            found[key] = part
        elif key in environment:
            found[key] = part.having(environment[key])
        elif keep:
            found[key] = part
    return pairs.having(found)


def _mount(volume: Node) -> Node:
    target = volume.get("target")
    if target is None or not isinstance(target.value, str):
        return volume
    return volume.adding(target=target.having(clean(target.value)))


def _dependencies(service: Node) -> Node:
    """``depends_on``, and what other settings make depend on."""
    found = service.get("depends_on") or service.having({})
    implied: list[tuple[str, Node, bool]] = []
    links = service.get("links")
    for link in links.items if links is not None else ():
        parts = str(link.value).split(":")
        implied.append((parts[0] if len(parts) == 2 else str(link.value), link, True))
    for key in _SHARED:
        shared = service.get(key)
        if shared is not None and str(shared.value).startswith(_SERVICE):
            implied.append((str(shared.value).removeprefix(_SERVICE), shared, True))
    volumes_from = service.get("volumes_from")
    for item in volumes_from.items if volumes_from is not None else ():
        if not str(item.value).startswith("container:"):
            implied.append((str(item.value).split(":")[0], item, False))
    for name, node, restart in implied:
        if name not in found.entries:
            dependency = wrap({"condition": "service_started", "restart": restart, "required": True}, node.place)
            found = found.adding(**{name: dependency})
    return found


def _with_names(root: Node, project: str) -> Node:
    for kind in ("networks", "volumes", "configs", "secrets"):
        resources = root.get(kind)
        if resources is None:
            continue
        made = {}
        for key, resource in resources.entries.items():
            name, external = resource.get("name"), resource.get("external")
            made[key] = resource if isinstance(resource.value, dict) else resource.having({})
            if name is None or name.value is None:
                outside = external is not None and external.value in _TRUE
                made[key] = made[key].adding(name=resource.having(key if outside else f"{project}_{key}"))
        root = root.adding(**{kind: resources.having(made)})
    return root
