"""A script in a training host does what it does under `python train.py`, warm and cold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision.launcher import Launcher
from tests.host_orders import HostFolder, a_launcher, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["warm", "cold"])
async def launcher(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(
        folder, preload=("multiprocessing", "queue"), warm=request.param == "warm"
    ) as launcher:
        yield launcher


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("pass", 0),
        ("raise SystemExit", 0),
        ("sys.exit(0)", 0),
        ("sys.exit(3)", 3),
        ("sys.exit(-1)", 255),
        ("sys.exit(True)", 1),
        ("sys.exit('no data')", 1),
        ("sys.exit((1, 2))", 1),
        ("raise ValueError('no')", 1),
        ("os._exit(7)", 7),
        ("print('x', end='')\nos.close(1)", 120),
        ("threading.Thread(target=sys.exit, args=(5,)).start()", 0),
    ],
)
async def test_the_exit_code_is_the_one_that_python_gives(
    launcher: Launcher, host: HostFolder, ending: str, code: int
) -> None:
    assert await run(launcher, host.order(f"import os, sys, threading\n{ending}")) == code
    assert host.exit().exit_code == code


UNCAUGHT = {
    "chained": """
        class Bad(Exception):
            pass
        def f():
            try:
                {}["x"]
            except KeyError as e:
                raise Bad("two\\nlines") from e
        f()
        """,
    "syntax": "def (:\n    pass\n",
    "in a module": "import helper\nhelper.f(0)\n",
    "group": "raise ExceptionGroup('several', [ValueError(1), TypeError(2)])\n",
    "own hook": """
        import sys
        sys.excepthook = lambda *a: print("hook:", a[0].__name__, file=sys.stderr)
        raise ValueError
        """,
    "broken hook": """
        import sys
        def hook(*a):
            sys.exit("hook says no")
        sys.excepthook = hook
        raise ValueError
        """,
    "exit with text": "import sys\nsys.exit('no data')\n",
    "in a thread": """
        import threading
        def work():
            raise ValueError("in thread")
        threading.Thread(target=work, name="w").start()
        """,
}


@pytest.mark.parametrize("script", UNCAUGHT.values(), ids=UNCAUGHT.keys())
async def test_an_uncaught_error_is_printed_as_python_prints_it(
    launcher: Launcher, host: HostFolder, script: str
) -> None:
    (host.code / "helper.py").write_text("def f(x):\n    return 1 / x\n")
    order = host.order(script)
    plain = subprocess.run(
        [sys.executable, "train.py"], cwd=host.code, capture_output=True, text=True, check=False
    )

    assert await run(launcher, order) == plain.returncode
    assert host.lines() == plain.stderr.splitlines()


async def test_the_last_error_is_recorded_with_its_place_and_traceback(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import json
        def load():
            return json.loads("{")
        load()
        """
    await run(launcher, host.order(script))

    ended = host.exit()
    assert ended.error.startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert ended.where == f"{host.code}/train.py:4"
    assert "return json.loads" in ended.traceback
    assert "sagelet" not in ended.traceback.replace(str(host.code), "")


async def test_sys_exit_with_text_is_recorded_as_the_error(
    launcher: Launcher, host: HostFolder
) -> None:
    await run(launcher, host.order("import sys\nsys.exit('no data')\n"))

    assert (host.exit().error, host.exit().where) == ("no data", f"{host.code}/train.py:2")


async def test_sys_exit_with_a_number_is_recorded_with_its_place_only(
    launcher: Launcher, host: HostFolder
) -> None:
    await run(launcher, host.order("import sys\n\nsys.exit(3)\n"))

    assert (host.exit().error, host.exit().where) == ("", f"{host.code}/train.py:3")


async def test_a_keyboard_interrupt_ends_the_script_by_the_signal(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import atexit
        atexit.register(print, "tidied")
        raise KeyboardInterrupt
        """
    assert await run(launcher, host.order(script)) == 128 + signal.SIGINT
    assert host.exit().exit_code == -signal.SIGINT
    assert "tidied" in host.lines()


async def test_a_missing_script_exits_2_and_says_so(launcher: Launcher, host: HostFolder) -> None:
    order = host.order("pass")
    (host.code / "train.py").unlink()

    assert await run(launcher, order) == 2
    assert host.lines() == [
        f"{sys.executable}: can't open file '{host.code}/train.py': "
        "[Errno 2] No such file or directory"
    ]


async def test_the_script_sees_the_arguments_and_paths_of_a_plain_run(
    launcher: Launcher, host: HostFolder
) -> None:
    (host.code / "src").mkdir()
    script = """
        import os, sys
        print(sys.argv, sys.path[0], os.getcwd(), __file__, __name__, __package__, __spec__)
        print(__builtins__, sys.modules["__main__"].__dict__ is globals(), sorted(globals()))
        print(os.read(0, 10), os.umask(0o22) is not None)
        """
    order = host.order(script, "--lr", "0.1", "a b", "*", "$HOME", entry="src/train.py")
    plain = subprocess.run(
        [sys.executable, *order.argv],
        cwd=host.code,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    await run(launcher, order)

    assert host.lines() == plain.stdout.splitlines()


async def test_files_have_the_modes_they_have_in_a_container(
    launcher: Launcher, host: HostFolder
) -> None:
    before = os.umask(0o077)
    try:
        await run(launcher, host.order("open('new', 'w').close()\n"))
    finally:
        os.umask(before)

    assert (host.code / "new").stat().st_mode & 0o777 == 0o644


async def test_a_linked_script_finds_modules_beside_the_real_one(
    launcher: Launcher, host: HostFolder
) -> None:
    real = host.root / "real"
    real.mkdir()
    (real / "train.py").write_text("import beside, sys\nprint(beside.X, __file__)\n")
    (real / "beside.py").write_text("X = 'found'\n")
    order = host.order("", entry="other.py")
    (host.code / "other.py").unlink()
    (host.code / "other.py").symlink_to(real / "train.py")

    assert await run(launcher, order) == 0
    assert host.lines() == [f"found {host.code}/other.py"]


async def test_a_module_beside_the_script_wins_over_the_standard_library(
    launcher: Launcher, host: HostFolder
) -> None:
    (host.code / "queue.py").write_text("NAME = 'my queue'\n")
    (host.code / "selectors.py").write_text("NAME = 'my selectors'\n")
    script = "import queue, selectors\nprint(queue.NAME, selectors.NAME)\n"

    assert await run(launcher, host.order(script)) == 0
    assert host.lines() == ["my queue my selectors"]


async def test_the_environment_is_the_orders_and_nothing_else(
    launcher: Launcher, host: HostFolder
) -> None:
    variables = {"SM_HP_BATCH-SIZE": "64", "LANG": "C.UTF-8"}
    order = host.order("import os\nprint(sorted(os.environ))\n", environment=variables)

    await run(launcher, order)

    assert host.lines() == [str(["LANG", "PATH", "SM_HP_BATCH-SIZE"])]


async def test_pythonpath_of_the_order_comes_before_installed_packages(
    launcher: Launcher, host: HostFolder
) -> None:
    extra = host.root / "extra"
    extra.mkdir()
    (extra / "mine.py").write_text("X = 'from extra'\n")
    script = """
        import mine, sys
        print(mine.X, sys.path[1] == sys.argv[1])
        print([p for p in sys.path if "package" in p.rsplit("/", 1)[-1]].index(sys.path[-2]) >= 0)
        """
    order = host.order(script, str(extra), environment={"PYTHONPATH": str(extra)})

    await run(launcher, order)

    assert host.lines()[0] == "from extra True"


async def test_what_the_program_left_open_is_finished_at_the_end(
    launcher: Launcher, host: HostFolder
) -> None:
    (host.code / "other.py").write_text("g = open('other.txt', 'w')\ng.write('kept too')\n")
    script = """
        import atexit, threading, time, other
        f = open("unclosed.txt", "w")
        f.write("kept")
        class Noisy:
            def __del__(self):
                print("deleted", f.name)
        noisy = Noisy()
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread done"))).start()
        print("last line")
        """
    await run(launcher, host.order(script))

    assert host.lines() == ["last line", "thread done", "at exit", "deleted unclosed.txt"]
    assert (host.code / "unclosed.txt").read_text() == "kept"
    assert (host.code / "other.txt").read_text() == "kept too"


async def test_daemon_threads_do_not_disturb_the_end(launcher: Launcher, host: HostFolder) -> None:
    (host.code / "ticker.py").write_text(
        "import math, threading, time\n"
        "def tick():\n"
        "    while True:\n"
        "        math.sqrt(time.monotonic())\n"
        "def start():\n"
        "    threading.Thread(target=tick, daemon=True).start()\n"
    )
    script = """
        import ticker
        f = open("unclosed.txt", "w")
        f.write("kept")
        ticker.start()
        print("last line")
        """
    assert await run(launcher, host.order(script)) == 0
    assert host.lines() == ["last line"]
    assert (host.code / "unclosed.txt").read_text() == "kept"


async def test_an_error_at_exit_is_printed_and_does_not_change_the_exit_code(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import atexit
        def fail():
            raise ValueError("at exit")
        atexit.register(print, "still run")
        atexit.register(fail)
        """
    assert await run(launcher, host.order(script)) == 0
    assert "ValueError: at exit" in host.lines()
    assert "still run" in host.lines()


async def test_classes_of_the_script_can_be_pickled_and_multiprocessing_works(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import multiprocessing, pickle
        class Sample:
            def __init__(self, n):
                self.n = n
        def twice(sample):
            return Sample(sample.n * 2)
        if __name__ == "__main__":
            print(pickle.loads(pickle.dumps(Sample(3))).n, Sample.__module__)
            for method in ("fork", "spawn"):
                with multiprocessing.get_context(method).Pool(2) as pool:
                    print(method, [s.n for s in pool.map(twice, [Sample(1), Sample(2)])])
        """
    assert await run(launcher, host.order(script)) == 0
    assert host.lines() == ["3 __main__", "fork [2, 4]", "spawn [2, 4]"]


async def test_a_fork_of_the_script_may_fail_without_speaking_for_it(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, sys
        if os.fork() == 0:
            raise ValueError("only the child")
        os.wait()
        sys.exit(4)
        """
    await run(launcher, host.order(script))

    assert host.exit().exit_code == 4
    assert host.exit().error == ""


async def test_a_script_killed_by_a_signal_is_recorded_so(
    launcher: Launcher, host: HostFolder
) -> None:
    code = await run(launcher, host.order("import os\nos.kill(os.getpid(), 9)\n"))

    assert code == 137
    assert host.exit().exit_code == -9
    assert host.exit().error == "killed by SIGKILL (signal 9)"


async def test_signals_have_their_defaults(launcher: Launcher, host: HostFolder) -> None:
    script = """
        import signal
        print([(s.name, str(h)) for s in sorted(signal.valid_signals())
               if isinstance(s, signal.Signals)
               and (h := signal.getsignal(s)) not in (signal.SIG_DFL, None)],
              signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        """
    order = host.order(script)
    plain = subprocess.run(
        [sys.executable, "train.py"], cwd=host.code, capture_output=True, text=True, check=True
    )

    await run(launcher, order)

    def without_addresses(text: str) -> str:
        return text.partition(" at 0x")[0]

    assert list(map(without_addresses, host.lines())) == [
        without_addresses(line) for line in plain.stdout.splitlines()
    ]


@pytest.mark.parametrize(
    ("script", "code", "lines", "error"),
    [
        ("#!/bin/sh\nprintf '[%s]\\n' \"$@\"\n", 0, ["[a b]", "[$HOME]", "[*]", "[it's]"], ""),
        ("printf '%s\\n' \"no shebang\"\n", 0, ["no shebang"], ""),
        ("#!/bin/sh\nexit 3\n", 3, [], ""),
        ("#!/bin/sh\nkill -9 $$\n", -9, [], "killed by SIGKILL (signal 9)"),
        (
            "#!/bin/sh\nsh -c 'kill -9 $$' 2>/dev/null\n",
            137,
            [],
            "a command in it was killed by SIGKILL (signal 9)",
        ),
    ],
)
async def test_a_shell_entry_runs_with_its_arguments_whole(
    launcher: Launcher, host: HostFolder, script: str, code: int, lines: list[str], error: str
) -> None:
    order = host.order(script, "a b", "$HOME", "*", "it's", entry="train.sh")

    await run(launcher, order)

    assert (host.exit().exit_code, host.lines(), host.exit().error) == (code, lines, error)


async def test_a_missing_shell_entry_is_the_shells_error(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order("", entry="train.sh")
    (host.code / "train.sh").unlink()

    assert await run(launcher, order) == 127
    assert "not found" in host.lines()[0]


async def test_a_missing_folder_is_recorded_as_the_error(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order("pass", cwd=str(host.root / "nowhere"))

    assert await run(launcher, order) == 1
    assert host.exit().error.startswith("FileNotFoundError: ")
