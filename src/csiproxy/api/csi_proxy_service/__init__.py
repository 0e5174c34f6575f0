"""Messages of CSIProxyService, one module a version, compiled from the .proto file beside it."""
