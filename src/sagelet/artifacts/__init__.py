"""Objects and archives: URIs, buckets as folders, safe archives, content hashes."""
