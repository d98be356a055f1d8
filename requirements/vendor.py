"""Copies the front-end file that is locked in package-lock.json into nps/static/vendor, with a manifest of what it is.

    npm ci --ignore-scripts --omit=optional && python3 requirements/vendor.py

The copies are committed, so that neither demo nor tests need node; a test holds file, manifest and lock together.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "nps" / "static" / "vendor"
FILES = {"htmx.org": "dist/htmx.min.js"}


def main() -> int:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    manifest = []
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, file in FILES.items():
        folder = ROOT / "node_modules" / name
        try:
            package = json.loads((folder / "package.json").read_text())
            content = (folder / file).read_bytes()
        except FileNotFoundError as error:
            print(f"{error.filename} is missing: run npm ci --ignore-scripts --omit=optional first.", file=sys.stderr)
            return 1
        locked = packages[f"node_modules/{name}"]["version"]
        if package["version"] != locked:
            print(f"{name} is {package['version']} in node_modules and {locked} in package-lock.json: run npm ci again.", file=sys.stderr)
            return 1
        entry = {"file": Path(file).name, "name": name, "version": locked, "licence": package["license"], "bytes": len(content)}
        manifest.append({**entry, "sha256": hashlib.sha256(content).hexdigest()})
        (TARGET / Path(file).name).write_bytes(content)
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
