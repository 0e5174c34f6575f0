"""Messages of the disk group, one module a version, compiled from the .proto file beside it."""
