"""The published wire facts: one JSON file a group, read by the tests that hold the .proto files to them."""

import json
from pathlib import Path

HERE = Path(__file__).parent
GROUPS = sorted(path.stem for path in HERE.glob("*.json"))


def load(group):
    """Return ``{version: {package, service, pipe, rpcs, messages, enums}}`` of a group."""
    return json.loads((HERE / f"{group}.json").read_text())
