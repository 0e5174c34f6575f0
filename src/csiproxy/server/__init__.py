"""A call in, an answer out: dispatch, the audit trail, health."""
