"""Servers to compare with: each answers grpc.health.v1.Health/Check on a unix socket and nothing else."""
