"""What road.yaml says, for who tells of containers, of manifests and of lorries."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def road() -> dict[str, Any]:
    """Return the data of the road as strings."""
    text = (Path(__file__).parent / "road.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only
