"""What Sagelet costs, beside peers measured in the same run.

    make bench                                        all, in a quarter of an hour: the page
    python -m benchmarks serving --quick              ours and FastAPI, a minute: for development
    python -m benchmarks serving --quick --coalesced  our declared batch function too
    python -m benchmarks serving --rounds 4           ours and every peer
    python -m benchmarks --profile                    where daemon and worker are, under load at c=8

The quick run prints, for 1, 8 and 64 connections, requests a second, p50 and p99, the server's CPU
time a request (and its first process's alone: our daemon), the cores that others kept busy
meanwhile, and the ratios of ours to FastAPI's. Only those ratios mean anything, and only on a
machine that does little else.
"""
