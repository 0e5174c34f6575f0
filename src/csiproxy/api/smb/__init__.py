"""Messages of the smb group, one module a version, compiled from the .proto file beside it."""
