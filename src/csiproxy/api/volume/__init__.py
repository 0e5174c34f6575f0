"""Messages of the volume group, one module a version, compiled from the .proto file beside it."""
