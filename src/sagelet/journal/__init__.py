"""What running things write: log streams and events, on disk, and their readers."""
