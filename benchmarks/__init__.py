"""What Sagelet costs, beside peers measured in the same run: `make bench`."""
