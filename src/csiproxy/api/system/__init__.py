"""Messages of the system group, one module a version, compiled from the .proto file beside it."""
