"""Messages of the filesystem group, one module a version, compiled from the .proto file beside it."""
