"""What Sagelet costs, beside peers measured in the same run.

    make bench                                    everything, and docs/benchmarks.md
    python -m benchmarks serving --quick          ours and FastAPI, a minute: for development
    python -m benchmarks serving --quick --coalesced       our declared batch function too
    python -m benchmarks serving --quick --rounds 4 --seconds 5

The quick run prints, for 1, 8 and 64 connections, requests a second, p50 and p99, the server's CPU
time a request (and its first process's alone: our daemon), the cores that others kept busy
meanwhile, and the ratios of ours to FastAPI's. Only those ratios mean anything, and only on a
machine that does little else.
"""
