"""The S3 REST face of `artifacts`."""
