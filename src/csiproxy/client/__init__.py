"""The Python SDK for callers of the API.  Not in this release."""
