"""What must survive: SQLite, with one writer, behind values of the domain."""
