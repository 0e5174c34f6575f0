"""The audit trail where it is kept: chained and signed files, copies for other logs, and what reads them."""
