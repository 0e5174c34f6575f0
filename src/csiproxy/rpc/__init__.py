"""gRPC over byte streams: unary calls, served by threads, made by blocking calls; knows no storage."""
