import json
import subprocess
import sys

LOOK = """
import json, sys, time
import sagelet.errors
start = time.process_time()
import sagelet.artifacts.archives, sagelet.artifacts.files, sagelet.artifacts.objects
import sagelet.artifacts.uris
elapsed_ms = 1000 * (time.process_time() - start)
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([elapsed_ms, sorted(name for name in foreign if not name.startswith("_"))]))
"""


def look() -> tuple[float, list[str]]:
    run = subprocess.run(
        [sys.executable, "-I", "-c", LOOK], capture_output=True, text=True, check=True, timeout=30
    )
    elapsed_ms, foreign = json.loads(run.stdout)
    return elapsed_ms, foreign


def test_artifacts_import_the_standard_library_only() -> None:
    assert set(look()[1]) <= {"sagelet", "distutils-precedence"}


def test_artifacts_import_in_30_ms_beyond_the_errors() -> None:
    assert min(look()[0] for _ in range(8)) < 30
