"""Say when the first line runs, and nothing else."""

import time

print(f"first line at {time.time():.6f}", flush=True)
