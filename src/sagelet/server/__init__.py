"""The daemon: instance file, gate, handler chain, faults."""
