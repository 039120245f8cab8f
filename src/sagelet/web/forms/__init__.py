"""The predict form: what an endpoint takes, found out without running its code."""
