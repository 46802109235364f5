"""Both models in one form, so that they can be compared as text.

Two things are done, and nothing else: Compose writes ``$`` as ``$$``, so that what it prints can be read again; and it
puts the variables and labels of ``env_file`` and ``label_file`` into ``environment`` and ``labels`` (in 2.40 also with
``--no-env-resolution``), which the reader leaves in their files on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.compose import dotenv
from reconciler.compose.project import ComposeError
from reconciler.diagnostics import Diagnostics
from reconciler.intent import envfile, interpolation


def as_text(model: Any) -> str:
    """A model as JSON text, keys in order."""
    return json.dumps(model, indent=2, sort_keys=True, ensure_ascii=False)


def without_escapes(model: Any) -> Any:
    """Compose's model with every ``$$`` made ``$`` again."""
    if isinstance(model, dict):
        return {key.replace("$$", "$"): without_escapes(value) for key, value in model.items()}
    if isinstance(model, list):
        return [without_escapes(value) for value in model]
    return model.replace("$$", "$") if isinstance(model, str) else model


def with_files_read_in(model: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The reader's model with the files of variables and labels put in. ``variables`` are the project's."""
    services = {name: _service(dict(service), variables) for name, service in model["services"].items()}
    return {**model, "services": services}


def _service(service: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    own: dict[str, str | None] = service.get("environment", {})
    valued = {key: value for key, value in own.items() if value is not None}
    found: dict[str, str] = {}
    for file in service.pop("env_file", []):
        path = Path(file["path"])
        if not path.exists():
            assert not file["required"]
        elif file.get("format") == "raw":
            around = interpolation.Variables({}, {**valued, **variables}, {**valued, **variables})
            found |= envfile.parse(path.read_bytes(), around, raw=True)
        else:
            found |= _read(path, {**valued, **variables}, found)
    if found or own:
        service["environment"] = {**found, **own}
    labels: dict[str, str] = {}
    for file in service.pop("label_file", []):
        labels |= _read(Path(file), {}, labels)
    if labels or service.get("labels"):
        service["labels"] = {**labels, **service.get("labels", {})}
    return service


def _read(path: Path, around: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    report = Diagnostics()
    found = dotenv.read(path.read_bytes(), str(path), around, report, before)
    report.raise_if_any(ComposeError)
    return found
