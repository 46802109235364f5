"""Images in a domain file: names, pull policies, builds, logins to registries."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.intent import fingerprint, image_names, pull_policy
from reconciler.intent.contents import ContentsError, Source, SourceKind, SourceMissing, folder, folder_parts
from reconciler.intent.image_names import BadImageName, ImageName
from reconciler.intent.model import AutoUpdate, AutoUpdatePolicy, Build
from tests.unit.intent.reading import chunk, declared, document, messages, read, valid

SHA = "sha256:" + "0123456789abcdef" * 4


class Folders:
    """Contents that are made up: ``there`` maps directories to the hash of what is in them."""

    def __init__(self, **there: str) -> None:
        self.there = {f"/srv/{name.replace('__', '/')}": value for name, value in there.items()}
        self.asked: list[Source] = []

    def read(self, source: Source) -> bytes:
        return b"secret"

    def fingerprint(self, source: Source) -> str:
        self.asked.append(source)
        if source.kind is not SourceKind.FOLDER:
            return "f" * 64
        context, _ = folder_parts(source)
        if context not in self.there:
            raise SourceMissing(f"there is no directory {context}")
        if self.there[context] == "unreadable":
            raise ContentsError(f"{context} can't be read")
        return self.there[context]

    def fingerprint_of(self, content: bytes) -> str:
        return "f" * 64

    def stamp(self, source: Source) -> Hashable:
        return None


def built(container: dict[str, Any], contents: Folders | None = None, **more: Any) -> Build:
    made = next(valid(document(declared(container=container)), contents=contents, **more).chunks()).container.build
    assert made is not None
    return made


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "shortest"),
    [
        ("redis", ImageName("docker.io", "library/redis"), "redis:latest"),
        ("redis:7", ImageName("docker.io", "library/redis", "7"), "redis:7"),
        ("team/api", ImageName("docker.io", "team/api"), "team/api:latest"),
        ("docker.io/redis:7", ImageName("docker.io", "library/redis", "7"), "redis:7"),
        ("index.docker.io/team/api", ImageName("docker.io", "team/api"), "team/api:latest"),
        ("ghcr.io/team/api:1.2", ImageName("ghcr.io", "team/api", "1.2"), "ghcr.io/team/api:1.2"),
        ("localhost/api", ImageName("localhost", "api"), "localhost/api:latest"),
        ("localhost:5000/api", ImageName("localhost:5000", "api"), "localhost:5000/api:latest"),
        ("registry:5000/a/b/c:1", ImageName("registry:5000", "a/b/c", "1"), "registry:5000/a/b/c:1"),
        ("[::1]:5000/api", ImageName("[::1]:5000", "api"), "[::1]:5000/api:latest"),
        ("Registry/api", ImageName("Registry", "api"), "Registry/api:latest"),
        (f"redis@{SHA}", ImageName("docker.io", "library/redis", None, SHA), f"redis@{SHA}"),
        (f"redis:7@{SHA}", ImageName("docker.io", "library/redis", "7", SHA), f"redis@{SHA}"),
        (f"h.io:1/a:b@{SHA}", ImageName("h.io:1", "a", "b", SHA), f"h.io:1/a@{SHA}"),
        (SHA, ImageName(id=SHA), SHA),
        ("a--b__c.d", ImageName("docker.io", "library/a--b__c.d"), "a--b__c.d:latest"),
    ],
)
def test_a_name_is_taken_apart_as_registries_do(text: str, expected: ImageName, shortest: str) -> None:
    assert image_names.parse(text) == expected
    assert str(expected) == shortest


def test_with_a_tag_and_a_digest_a_registry_is_asked_for_the_digest() -> None:
    both = image_names.parse(f"redis:7@{SHA}")
    assert (both.version, both.is_fixed) == (SHA, True)
    assert (image_names.parse("redis:7").version, image_names.parse("redis:7").is_fixed) == ("7", False)
    assert image_names.parse("redis").version == "latest"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("Redis", "lower case: 'redis'"),
        ("ghcr.io/Team/api", "lower case: 'ghcr.io/team/api'"),
        ("https://ghcr.io/team/api", "is a URL"),
        ("redis :7", "blank"),
        ("redis\n", "blank"),
        ("redis:", "the tag, after the colon, is empty"),
        ("redis:a/b:c!", "the tag"),
        (f"redis:{'a' * 129}", "longer than 128"),
        ("redis@sha256:abc", "after the @ a digest is expected"),
        ("redis@latest", "after the @ a digest is expected"),
        (f"redis@{SHA[:-1]}", "64 hexadecimal digits in lower case, this one has 63"),
        ("a//b", "a part of the name is empty"),
        ("/redis", "a part of the name is empty"),
        ("redis/", "a part of the name is empty"),
        ("a_.b", "is not made of"),
        ("-a", "is not made of"),
        ("ho_st.io/a", "is not a host of a registry"),
        ("host.io:port/a", "is not a host of a registry"),
        ("a" * 64, "64 hexadecimal digits are not a name"),
        ("a/" * 130 + "a", "255 characters"),
    ],
)
def test_a_wrong_name_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(BadImageName) as caught:
        image_names.parse(text)
    assert said in str(caught.value)


def test_a_wrong_name_in_a_file_is_an_error_in_its_place() -> None:
    (problem,) = read(document(declared(container={"image": "Redis:7"}))).errors
    assert (problem.code, problem.where) == ("BadName", "cpuxs.main.design_chunks[0].container.image")
    assert "'redis:7'" in problem.message


@pytest.mark.parametrize("name", ["scratch", "scratch:1", "docker.io/library/scratch"])
def test_the_name_that_engines_reserve_for_the_empty_image_names_none(name: str) -> None:
    asked: list[tuple[dict[str, Any], str]] = [
        ({"image": name}, "image"),
        ({"image": name, "build": "."}, "image"),
        ({"build": {"context": ".", "tags": [name]}}, "build.tags[0]"),
    ]
    for container, place in asked:
        bare = {"image": None, **container}
        found = read(document({"name": "a", "container": {k: v for k, v in bare.items() if v is not None}})).errors
        assert [one.where for one in found] == [f"cpuxs.main.design_chunks[0].container.{place}"]
        assert "is reserved for the empty image of FROM scratch" in found[0].message
    assert read(document(declared(container={"image": "team/scratch"}))).errors == ()


# --- policies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal", "age"),
    [
        ("always", "always", None),
        ("missing", "missing", None),
        ("if_not_present", "missing", None),
        ("never", "never", None),
        ("build", "build", None),
        ("daily", "daily", 86400.0),
        ("weekly", "weekly", 604800.0),
        ("every_24h", "daily", 86400.0),
        ("every_7d", "weekly", 604800.0),
        ("every_12h", "every_12h", 43200.0),
        ("every_2d", "every_2d", 172800.0),
        ("every_2w", "every_2w", 1209600.0),
        ("every_1h30m", "every_90m", 5400.0),
        ("every_90s", "every_90s", 90.0),
    ],
)
def test_policies_have_one_normal_form_and_know_their_age(text: str, normal: str, age: float | None) -> None:
    assert pull_policy.read(text) == normal
    assert pull_policy.read(normal) == normal
    assert pull_policy.longest_age(normal) == age


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("alwais", "did you mean 'always'"),
        ("every_", "duration"),
        ("every_soon", "duration"),
        ("every_5s", "every minute at most"),
        ("hourly", "every_12h"),
        (5, "every_12h"),
    ],
)
def test_a_policy_that_nobody_knows_is_an_error(value: Any, said: str) -> None:
    (message,) = messages(read(document(declared(container={"pull_policy": value}))))
    assert said in message


def test_a_policy_changes_no_container() -> None:
    digests = {chunk(container={"pull_policy": p}).container.digest for p in ("always", "daily", "every_3h", "missing")}
    assert digests == {chunk().container.digest}


# --- builds -------------------------------------------------------------------------------------------------------


def test_a_build_may_be_a_directory_or_an_object() -> None:
    assert built({"build": "./app"}) == Build("/srv/domains/app")
    whole = {
        "context": "app",
        "dockerfile": "docker/Dockerfile",
        "args": ["A=1", "B"],
        "labels": {"l": 1},
        "target": "production",
        "network": "host",
        "no_cache": True,
        "pull": True,
        "cache_from": ["team/api:cache"],
        "shm_size": "64m",
        "extra_hosts": ["far=10.1.2.3"],
        "tags": ["team/api:also"],
        "platforms": ["linux/amd64"],
        "ulimits": {"nofile": 100},
        "isolation": "default",
        "x-mine": 1,
    }
    assert built({"build": whole}, env={"B": "two"}, allowed_env=("B",)) == Build(
        context="/srv/domains/app",
        dockerfile="docker/Dockerfile",
        args={"A": "1", "B": "two"},
        labels={"l": "1"},
        target="production",
        network="host",
        platform="linux/amd64",
        isolation="default",
        no_cache=True,
        pull=True,
        shm_size=64 * 1024**2,
        cache_from=("team/api:cache",),
        extra_hosts=("far:10.1.2.3",),
        tags=("team/api:also",),
        ulimits={"nofile": [100, 100]},
    )


def test_a_build_is_for_the_containers_platform() -> None:
    assert built({"build": ".", "platform": "linux/arm64"}).platform == "linux/arm64"


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"build": 5}, "a directory with a Dockerfile"),
        ({"build": ""}, "expected a path"),
        ({"build": "~/app"}, "~ has no meaning"),
        ({"build": "https://example.com/app.git#main"}, "a context from a URL is not supported"),
        ({"build": {"context": ".", "contxt": "."}}, "did you mean 'context'"),
        ({"build": {"dockerfile": "a", "dockerfile_inline": "FROM x"}}, "leave one of them out"),
        ({"build": {"platforms": ["linux/amd64", "linux/arm64"]}}, "builds for one platform"),
        ({"build": {"secrets": ["a"]}}, "secrets needs BuildKit"),
        ({"build": {"ssh": ["default"]}}, "ssh needs BuildKit"),
        ({"build": {"additional_contexts": {"a": "b"}}}, "additional_contexts needs BuildKit"),
        ({"build": {"privileged": True}}, "privileged needs BuildKit"),
        ({"build": {"cache_to": ["x"]}}, "cache_to needs BuildKit"),
        ({"build": {"tags": ["Also"]}}, "lower case"),
        ({"build": {"args": {"B": None}}}, "--allow-env B"),
        ({"build": ".", "build_path": "."}, "leave build_path out"),
        ({"build": ".", "image": f"x@{SHA}"}, "has no digest yet"),
        ({"build": {"platforms": ["linux/arm64"]}, "platform": "linux/amd64"}, "leave platforms out"),
        ({"image": None}, "'image' is missing"),
    ],
)
def test_a_build_that_can_not_be_is_an_error(container: dict[str, Any], said: str) -> None:
    found = messages(read(document(declared(container=container))))
    assert any(said in message for message in found), found


def test_two_chunks_may_build_the_same_image_in_one_way_only() -> None:
    one, same, other = ({"image": "x", "build": context} for context in ("./a", "./a", "./b"))
    valid(document(declared("a", container=one), declared("b", container=same)))
    (problem,) = read(document(declared("a", container=one), declared("b", container=other))).errors
    assert (problem.code, problem.where) == ("Conflict", "cpuxs.main.design_chunks[1].container.image")


def test_what_needs_buildkit_may_be_there_and_off() -> None:
    assert built({"build": {"privileged": False, "secrets": [], "sbom": None}}) == Build("/srv/domains")


def test_an_argument_whose_variable_is_not_set_is_left_to_the_dockerfile() -> None:
    assert built({"build": {"args": ["UNSET"]}}, allowed_env=("UNSET",)).args == {}


def test_what_is_built_needs_no_name() -> None:
    file = document({"name": "Web.1", "container": {"build": "."}})
    assert next(valid(file).chunks()).container.image == "d-main-web-1"


def test_the_content_of_the_context_makes_the_container_and_the_build() -> None:
    one = built({"build": "app"}, Folders(domains__app="1"))
    same = built({"build": "app"}, Folders(domains__app="1"))
    other = built({"build": "app"}, Folders(domains__app="2"))
    assert one == same
    assert one.fingerprint != other.fingerprint
    file = document(declared(container={"build": "app"}))
    digests = [next(valid(file, contents=Folders(domains__app=content)).chunks()).container.digest for content in "121"]
    assert digests[0] == digests[2] != digests[1]


def test_how_it_is_built_shapes_nothing_and_what_is_built_does() -> None:
    plain = fingerprint.with_build(Build("/a"), "1").fingerprint
    how: list[dict[str, Any]] = [{"no_cache": True}, {"pull": True}, {"shm_size": 1}, {"cache_from": ("a",)}]
    for change in (*how, {"context": "/b"}):
        assert fingerprint.with_build(replace(Build("/a"), **change), "1").fingerprint == plain
    what: list[dict[str, Any]] = [
        {"args": {"A": "1"}},
        {"target": "b"},
        {"labels": {"a": "b"}},
        {"platform": "linux/arm64"},
        {"tags": ("b",)},
        {"dockerfile_inline": "FROM x"},
    ]
    for change in what:
        assert fingerprint.with_build(replace(Build("/a"), **change), "1").fingerprint != plain


def test_a_context_is_looked_for_beside_the_domains_folder_too() -> None:
    assert built({"build_path": "nodes/api"}, Folders(nodes__api="1")).context == "/srv/nodes/api"
    both = Folders(nodes__api="1", domains__nodes__api="2")
    assert built({"build_path": "nodes/api"}, both).context == "/srv/domains/nodes/api"


def test_what_was_looked_for_is_a_source_so_that_it_is_noticed_when_it_appears() -> None:
    loaded = read(document(declared(container={"build": "app"})), contents=Folders())
    assert loaded.sources == (folder("/srv/domains/app", None), folder("/srv/app", None))
    (problem,) = loaded.errors
    assert (problem.code, problem.where) == ("SourceMissing", "cpuxs.main.design_chunks[0].container.build")
    assert "/srv/domains/app" in problem.message


def test_a_context_that_can_not_be_read_is_an_error() -> None:
    loaded = read(document(declared(container={"build": "app"})), contents=Folders(domains__app="unreadable"))
    assert "can't be read" in messages(loaded)[0]


def test_the_dockerfile_belongs_to_the_source() -> None:
    contents = Folders(domains__a="1")
    built({"build": {"context": "a", "dockerfile": "b/Dockerfile"}}, contents)
    built({"build": {"context": "a", "dockerfile_inline": "FROM x"}}, contents)
    assert [folder_parts(source) for source in contents.asked] == [
        ("/srv/domains/a", "b/Dockerfile"),
        ("/srv/domains/a", ""),
    ]
    assert str(contents.asked[0]) == "/srv/domains/a"


# --- registries ---------------------------------------------------------------------------------------------------

SECRETS = {"secrets": {"pw": {"file": "./pw"}}}


def test_a_login_names_a_secret_and_reaches_every_container() -> None:
    registries = {"https://index.docker.io/v1/": {"username": "me", "password_secret": "pw"}}
    made = next(valid(document(declared(), registries=registries, **SECRETS), contents=Folders()).chunks()).container
    (host, login), *_ = made.logins.items()
    assert (host, login.username, login.password) == ("docker.io", "me", Source(SourceKind.FILE, "/srv/domains/pw"))


def test_a_login_changes_the_intent_and_no_container() -> None:
    def domain(user: str) -> Any:
        registries = {"ghcr.io": {"username": user, "password_secret": "pw"}}
        return valid(document(declared(), registries=registries, **SECRETS), contents=Folders())

    me, you = domain("me"), domain("you")
    assert me.intent != you.intent
    assert next(me.chunks()).container.digest == next(you.chunks()).container.digest == chunk().container.digest


@pytest.mark.parametrize(
    ("registries", "said"),
    [
        (
            {"ghcr.io": {"username": "me", "password_secret": "registry"}},
            "no secret 'registry'",
        ),
        ({"ghcr.io": {"username": "me", "password": "hunter2"}}, "must not stand in a domain file"),
        ({"ghcr.io": {"username": "", "password_secret": "pw"}}, "the name of a user"),
        ({"not a host": {"username": "me", "password_secret": "pw"}}, "is not a registry"),
        (
            {
                "docker.io": {"username": "me", "password_secret": "pw"},
                "index.docker.io": {"username": "me", "password_secret": "pw"},
            },
            "is the same registry",
        ),
    ],
)
def test_a_wrong_login_is_an_error(registries: dict[str, Any], said: str) -> None:
    loaded = read(document(declared(), registries=registries, **SECRETS), contents=Folders())
    found = messages(loaded)
    assert any(said in message for message in found), found
    assert not any("hunter2" in message for message in found)


# --- auto_update --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("registry", AutoUpdate(AutoUpdatePolicy.REGISTRY, 3600.0)),
        ("local", AutoUpdate(AutoUpdatePolicy.LOCAL)),
        ({"policy": "registry", "interval_seconds": 60}, AutoUpdate(AutoUpdatePolicy.REGISTRY, 60.0)),
        ({"policy": "local"}, AutoUpdate(AutoUpdatePolicy.LOCAL)),
        ("${HOW}", AutoUpdate(AutoUpdatePolicy.REGISTRY)),
        (False, None),
        (None, None),
    ],
)
def test_a_chunk_follows_its_tag_as_it_is_declared(declared: Any, expected: AutoUpdate | None) -> None:
    assert chunk(auto_update=declared, top={"env": {"HOW": "registry"}}).auto_update == expected


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("registri", "one of registry, local"),
        (True, '"registry", "local", or an object'),
        (["registry"], '"registry", "local", or an object'),
        ({"interval_seconds": 60}, "registry or local"),
        ({"policy": "registry", "interval_seconds": 5}, "expected 60 to"),
        ({"policy": "local", "interval_seconds": 600}, "leave it out"),
        ({"policy": "registry", "intervall_seconds": 600}, "did you mean 'interval_seconds'"),
    ],
)
def test_an_auto_update_that_says_nothing_clear_is_refused(declared: Any, said: str) -> None:
    (message,) = messages(read(document(declared_with(declared))))
    assert said in message


def declared_with(auto_update: Any, container: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return declared(container=container, auto_update=auto_update, **more)


@pytest.mark.parametrize(
    ("chunk_of_file", "said"),
    [
        (declared_with("registry", {"image": f"redis@{SHA}"}), "fixed by its digest"),
        (declared_with("local", {"image": f"redis:7@{SHA}"}), "fixed by its digest"),
        (declared_with({"policy": "local"}, {"image": SHA}), "fixed by its digest"),
        (declared_with("registry", {"build": "."}), "local follows what is built by hand"),
        (declared_with({"policy": "registry"}, {"build_path": "."}), "local follows what is built by hand"),
        (declared_with("registry", {"pull_policy": "never"}), "pull_policy is never"),
        (declared_with("registry", kind="job"), "a job runs once a generation"),
    ],
)
def test_a_tag_that_can_not_be_followed_is_an_error_of_the_file(chunk_of_file: dict[str, Any], said: str) -> None:
    loaded = read(document(chunk_of_file), contents=Folders(domains="hash"))
    assert [said in problem.message for problem in loaded.errors] == [True]
    assert loaded.errors[0].where == "cpuxs.main.design_chunks[0].auto_update"


def test_a_built_image_may_follow_the_local_tag() -> None:
    assert chunk(auto_update="local", container={"build": "."}).auto_update == AutoUpdate(AutoUpdatePolicy.LOCAL)


def test_following_a_tag_is_part_of_a_domains_meaning_but_not_of_its_containers_spec() -> None:
    plain, follows = valid(document(declared())), valid(document(declared_with("local")))
    assert plain.intent != follows.intent
    assert next(plain.chunks()).container.digest == next(follows.chunks()).container.digest
    assert valid(document(declared_with(False))).intent == plain.intent
