"""Sphinx configuration."""

from csiproxy import __version__

project = "CSI Proxy for Python"
author = "the csi-proxy contributors"
release = version = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"CSI Proxy {version}"
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links to files of the repository outside docs/
