"""Whatever stands in a Compose file, it is read or refused with a place; nothing else ever happens."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.compose.project import ComposeError
from reconciler.compose.reading import load
from reconciler.compose.schema import PROJECT, SERVICE

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        ["", "a", "80:80", "./a:/b", "a=b", "1g", "30s", "service:a", "all", "${A:-x}", "$", "${", "\\", "é"]
    ),
    st.text(max_size=8),
)
_KEYS = st.one_of(
    st.sampled_from(sorted({*(PROJECT.keys or ()), *(SERVICE.keys or ())})),
    st.sampled_from(["target", "source", "type", "path", "file", "external", "name", "driver", "condition", "test"]),
    st.text(max_size=4),
)
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)
_SERVICES = st.dictionaries(st.sampled_from(sorted(SERVICE.keys or ())), _TREES, max_size=4)


def _read(text: str, over: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "compose.yaml"]
        files[0].write_bytes(text.encode("utf-8", "surrogatepass"))
        if over is not None:
            files.append(Path(folder) / "over.yaml")
            files[1].write_bytes(over.encode("utf-8", "surrogatepass"))
        try:
            project = load(files, environment={"HERE": "there"}, profiles=["*"])
        except ComposeError as error:
            refused = error.errors
        else:
            refused = ()
            json.dumps(project.model)
        assert all(problem.message and problem.place.file for problem in refused)


@given(_TREES)
def test_any_document(tree: Any) -> None:
    _read(json.dumps(tree))


@given(_SERVICES, _SERVICES)
def test_any_service_and_any_override(one: dict[str, Any], two: dict[str, Any]) -> None:
    _read(json.dumps({"services": {"a": {"image": "x", **one}}}), json.dumps({"services": {"a": two}}))


@given(st.text(alphabet="abs:-{}[],&*!|>'\"#%@` \n\t<0.~?$", max_size=60))
def test_any_text(text: str) -> None:
    _read(text)
    _read(f"services:\n  a:\n    image: x\n    environment: {text}")
