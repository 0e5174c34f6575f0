"""Messages of the iscsi group, one module a version, compiled from the .proto file beside it."""
