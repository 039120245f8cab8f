"""AWS operations, one module a resource family; documents on one side, domain values on the other."""
