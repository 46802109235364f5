"""What keeps images from being there."""

from __future__ import annotations

from reconciler.states import Reason
from tests.integration.faults.texts.fault import Fault, Section, web

_IMAGE = {"image": "registry.example.com/shop/web:1", "registry": "registry.example.com"}
_PULL = (Reason.IMAGE_PULL_FAILED, Reason.PULLING_IMAGE, Reason.CREATING)
_BUILD = (Reason.IMAGE_BUILD_FAILED, Reason.BUILDING_IMAGE, Reason.CREATING)

IMAGES = Section(
    "Images",
    (
        Fault(
            "image-mistyped",
            "The image's name is mistyped",
            "{name} is …: …image {image} can't be pulled: … has no such image",
            "If {near} is meant, which is here, correct the name of the image",
            _PULL,
            web(image="registry.example.com/shop/wbe:1", near="registry.example.com/shop/web:1"),
        ),
        Fault(
            "tag-missing",
            "The image has no such tag",
            "{name} is …: …image {image} can't be pulled: … has no such image",
            "If {near} is meant, which is here, correct the name of the image",
            _PULL,
            web(image="registry.example.com/shop/web:7", near="registry.example.com/shop/web:1"),
        ),
        Fault(
            "no-login",
            "The registry wants a login",
            "{name} is …: …image {image} can't be pulled: {registry} does not give it without a login",
            "Log in where the image is private: `docker login {registry}`",
            _PULL,
            web(**_IMAGE),
        ),
        Fault(
            "wrong-password",
            "The password is wrong",
            "{name} is …: …image {image} can't be pulled: {registry} refuses the login of '{user}' from the domain's"
            " `registries`",
            "Correct the password of the login of '{user}'",
            _PULL,
            web(user="puller", **_IMAGE),
        ),
        Fault(
            "registry-down",
            "The registry does not answer",
            "{name} is …: …image {image} can't be pulled: {registry} can't be reached (…connection refused)",
            "See that it runs and that the engine's machine reaches it",
            _PULL,
            web(**_IMAGE),
        ),
        Fault(
            "platform-missing",
            "The image is not there for this platform",
            "{name} is …: …image {image} … {platform}",
            "Correct `platform`, or take a tag that has the image for it",
            _PULL,
            web(platform="linux/s390x", **_IMAGE),
        ),
        Fault(
            "no-dockerfile",
            "There is no Dockerfile",
            "{file} is not valid, …: there is no Dockerfile {folder}/Dockerfile",
            "…rite the Dockerfile",
            (),
            web(folder="/srv/shop/web"),
        ),
        Fault(
            "failing-run",
            "A RUN of the Dockerfile fails",
            "{name} is …: …image {image} can't be built from {folder}: The command '/bin/sh -c echo no such package;"
            " exit 9' returned a non-zero code: 9 (no such package)",
            "Correct the Dockerfile",
            _BUILD,
            web(image="shop-web:1", folder="/srv/shop/web"),
        ),
    ),
)
