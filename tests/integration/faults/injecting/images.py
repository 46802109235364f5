"""Images that can not be had."""

from __future__ import annotations

from tests.integration.faults.scene import Injected, Scene, injects
from tests.integration.faults.stage import free_port
from tests.integration.images.servers import USER


@injects("image-mistyped")
def _(s: Scene) -> Injected:
    wrong = s.stage.application.removesuffix("app") + "aap"
    return s.of(s.chunk(image=f"{wrong}:1"), values={"image": f"{wrong}:1", "near": f"{s.stage.application}:1"})


@injects("tag-missing")
def _(s: Scene) -> Injected:
    image = f"{s.stage.application}:7"
    return s.of(s.chunk(image=image), values={"image": image, "tag": "7", "near": f"{s.stage.application}:1"})


@injects("no-login")
def _(s: Scene) -> Injected:
    image = f"{s.stage.private.address}/{s.stage.prefix}/locked:1"
    return s.of(s.chunk(image=image), values={"image": image, "registry": s.stage.private.address})


@injects("wrong-password")
def _(s: Scene) -> Injected:
    address = s.stage.private.address
    image = f"{address}/{s.stage.prefix}/locked:1"
    password = s.stage.root / "wrong_password"
    password.write_text("wrong-horse")
    return s.of(
        s.chunk(image=image),
        values={"image": image, "registry": address, "user": USER},
        secrets={"pull": {"file": str(password)}},
        registries={address: {"username": USER, "password_secret": "pull"}},
    )


@injects("registry-down")
def _(s: Scene) -> Injected:
    address = f"127.0.0.1:{free_port()}"
    return s.of(s.chunk(image=f"{address}/shop/web:1"), values={"image": f"{address}/shop/web:1", "registry": address})


@injects("platform-missing")
def _(s: Scene) -> Injected:
    image = f"{s.stage.application}:1"
    return s.of(
        s.chunk(image=image, platform="linux/s390x", pull_policy="always"),
        values={"image": image, "platform": "linux/s390x"},
    )


@injects("no-dockerfile")
def _(s: Scene) -> Injected:
    folder = s.stage.root / f"{s.domain}-empty"
    folder.mkdir()
    return s.of(
        s.chunk(image=f"{s.domain}-web:1", build=str(folder)),
        values={"image": f"{s.domain}-web:1", "folder": str(folder)},
    )


@injects("failing-run")
def _(s: Scene) -> Injected:
    folder = s.stage.root / f"{s.domain}-built"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {s.stage.image}\nRUN echo no such package; exit 9\n")
    return s.of(
        s.chunk(image=f"{s.domain}-web:1", build=str(folder)),
        values={"image": f"{s.domain}-web:1", "folder": str(folder)},
    )
