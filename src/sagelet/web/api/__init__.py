"""The JSON API below `/api/v1`, which the pages, the CLI and other programs call."""
