"""AWS operations, one module a resource family: documents outside, domain values inside."""
