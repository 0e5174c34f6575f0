"""The contract: messages of every API version, the table of versions, and the way between them.

Start at :mod:`csiproxy.api.versions`.  Each group has a package with one .proto file a version.
"""
