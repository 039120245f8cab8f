"""The commands, one module each; `sagelet.cli.main` knows their names and imports them late."""
