"""An edit: kept model, fresh worker or refusal, and a process that stays as it was on failure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagelet.worker.serving.reloading import NeedsFresh, Prepared
from sagelet.worker.serving.tracebacks import Failure
from tests.serving_projects import Project, serving

INFERENCE = """
    import logging

    import clean
    from net import Net

    log = logging.getLogger(__name__)
    log.setLevel(logging.INFO)
    SCALE = 2

    class Wrapped:
        def __init__(self, net):
            self.net = net

        def run(self, data):
            return self.net.run(data) * SCALE

    def model_fn(model_dir):
        log.info("loading")
        return Wrapped(Net())

    def input_fn(body, content_type):
        return clean.up(body.decode())

    def predict_fn(data, model):
        assert isinstance(model, Wrapped)
        assert isinstance(model.net, Net)
        return "old " + model.run(data)

    def output_fn(prediction, accept):
        return prediction
"""
FILES = {
    "code/inference.py": INFERENCE,
    "code/net.py": "class Net:\n    def run(self, data):\n        return data\n",
    "code/clean.py": "from words import LOWER\n\ndef up(text):\n    return text.strip() + LOWER\n",
    "code/words.py": "LOWER = '.'\n",
    "code/train.py": "print('not imported by anything that serves')\n",
    "model.bin": "weights",
}
ENTRY = "code/inference.py"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with serving(tmp_path, FILES) as loaded:
        yield loaded


def needs_fresh(project: Project, *changed: str) -> str:
    """Prepare, expect that a fresh worker is asked for, and return why."""
    modules, answer = dict(sys.modules), project.says()
    outcome = project.prepare(*changed)
    assert isinstance(outcome, NeedsFresh), outcome
    assert {name: m for name, m in sys.modules.items() if name in modules} == modules
    assert project.says() == answer
    return outcome.why


def test_an_edited_handler_serves_with_the_model_kept(project: Project) -> None:
    model = project.model
    project.change(ENTRY, '"old "', '"new "')
    project.reload(ENTRY)
    assert project.says() == "new hello.hello."
    assert project.model is model
    assert project.responder.loaded.generation == 2


def test_until_the_commit_the_old_handlers_serve(project: Project) -> None:
    project.change(ENTRY, '"old "', '"new "')
    outcome = project.prepare(ENTRY)
    assert isinstance(outcome, Prepared)
    assert project.says() == "old hello.hello."
    assert sys.modules["inference"] is project.responder.loaded.handlers.module


def test_edit_after_edit_serves(project: Project) -> None:
    for before, after in (("old", "second"), ("second", "third"), ("third", "fourth")):
        project.change(ENTRY, f'"{before} "', f'"{after} "')
        project.reload(ENTRY)
        assert project.says() == f"{after} hello.hello."


def test_lines_may_move_and_comments_change(project: Project) -> None:
    project.change(ENTRY, "class Wrapped:", "\n# a comment\n\nclass Wrapped:")
    project.reload(ENTRY)
    assert project.says() == "old hello.hello."


def test_an_edited_helper_of_the_handlers_is_imported_anew(project: Project) -> None:
    project.change("code/clean.py", ".strip()", ".upper()")
    project.reload("code/clean.py")
    assert project.says() == "old HELLO.HELLO."


def test_what_imports_an_edited_helper_is_imported_anew_too(project: Project) -> None:
    project.edit("code/words.py", "LOWER = '!'\n")
    project.reload("code/words.py")
    assert project.says() == "old hello!hello!"


def test_what_the_edit_does_not_reach_stays_the_same_module(project: Project) -> None:
    net = sys.modules["net"]
    project.edit("code/words.py", "LOWER = '!'\n")
    project.reload("code/words.py")
    assert sys.modules["net"] is net


def test_a_new_module_may_be_imported(project: Project) -> None:
    project.edit("code/loud.py", "MARK = '?'\n")
    project.change(ENTRY, "import clean", "import clean\nimport loud")
    project.change(ENTRY, '"old "', "loud.MARK")
    project.reload(ENTRY, "code/loud.py")
    assert project.says() == "?hello.hello."


def test_a_file_that_nothing_imports_changes_nothing(project: Project) -> None:
    module = sys.modules["inference"]
    project.edit("code/train.py", "print('changed')\n")
    project.reload("code/train.py")
    assert sys.modules["inference"] is module


def test_an_edit_of_the_same_length_in_the_same_second_is_seen(project: Project) -> None:
    for mark in "abcdef":
        project.edit("code/words.py", f"LOWER = '{mark}'\n")
        project.reload("code/words.py")
        assert project.says() == f"old hello{mark}hello{mark}"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('log.info("loading")', 'log.info("really loading")', "model_fn"),
        ("SCALE = 2", "SCALE = 3", "SCALE"),
        ("self.net.run(data) * SCALE", "SCALE * self.net.run(data)", "Wrapped"),
        ("def model_fn(model_dir):", "def pre_model_fn(d): pass\ndef model_fn(model_dir):", "pre_"),
        ("log.setLevel(logging.INFO)", "log.setLevel(logging.DEBUG)", "importing inf"),
        ("SCALE = 2", "SCALE = 2\nlogging.raiseExceptions = False", "importing inference"),
        ("from net import Net", "from other_net import Net", "Net"),
    ],
)
def test_an_edit_of_what_the_model_depends_on_takes_a_fresh_worker(
    project: Project, old: str, new: str, why: str
) -> None:
    project.change(ENTRY, old, new)
    assert why in needs_fresh(project, ENTRY)


def test_an_edit_of_a_module_that_the_model_depends_on_takes_a_fresh_worker(
    project: Project,
) -> None:
    project.change("code/net.py", "return data", "return data + data")
    assert needs_fresh(project, "code/net.py") == "net, which the model depends on, changed"


def test_changed_weights_take_a_fresh_worker(project: Project) -> None:
    project.edit("model.bin", "other weights")
    assert needs_fresh(project, "model.bin") == "model.bin changed"


def test_a_removed_module_takes_a_fresh_worker(project: Project) -> None:
    (project.root / "code/clean.py").unlink()
    assert needs_fresh(project, "code/clean.py") == "clean.py is gone"


def test_a_file_that_shadows_a_loaded_module_takes_a_fresh_worker(project: Project) -> None:
    project.edit("code/logging.py", "")
    assert "takes the place" in needs_fresh(project, "code/logging.py")


def test_an_edit_that_raises_when_imported_takes_a_fresh_worker(project: Project) -> None:
    # Importing twice may be what raises (a metric that is registered twice): a fresh worker tells.
    project.change(ENTRY, "import clean", "import clean\nOOPS = 1 / 0")
    assert "ZeroDivisionError" in needs_fresh(project, ENTRY)


def test_an_edit_that_hangs_when_imported_takes_a_fresh_worker(tmp_path: Path) -> None:
    with serving(tmp_path, FILES, import_s=0.05) as project:
        project.change(ENTRY, "import clean", "import clean\nSTUCK = sum(1 for _ in iter(int, 1))")
        assert "took longer than 0.05 s" in needs_fresh(project, ENTRY)


def test_a_syntax_error_is_reported_and_nothing_else_happens(project: Project) -> None:
    project.change(ENTRY, "def predict_fn(data, model):", "def predict_fn(data, model:")
    outcome = project.prepare(ENTRY)
    assert isinstance(outcome, Failure)
    assert outcome.error == "SyntaxError: '(' was never closed"
    assert outcome.where == f"{project.root.resolve() / ENTRY}:25"
    assert project.says() == "old hello.hello."


def test_a_syntax_error_in_a_helper_is_reported_at_the_helper(project: Project) -> None:
    project.edit("code/words.py", "LOWER = \n")
    outcome = project.prepare("code/words.py")
    assert isinstance(outcome, Failure)
    assert outcome.where.endswith("code/words.py:1")


def test_transform_fn_beside_input_fn_is_refused_and_the_old_handlers_stay(
    project: Project,
) -> None:
    project.change(ENTRY, "def input_fn", "def transform_fn(a, b, c, d): pass\ndef input_fn")
    outcome = project.prepare(ENTRY)
    assert isinstance(outcome, Failure)
    assert outcome.error.startswith("ValueError: Cannot use transform_fn")
    assert outcome.where.endswith(f"{ENTRY}:22")
    assert project.says() == "old hello.hello."


def test_after_a_broken_edit_the_next_good_one_serves(project: Project) -> None:
    project.change(ENTRY, '"old "', '"new "(')
    assert isinstance(project.prepare(ENTRY), Failure)
    project.change(ENTRY, '"new "(', '"new "')
    project.reload(ENTRY)
    assert project.says() == "new hello.hello."


def test_a_removed_handler_falls_back_to_the_default(project: Project) -> None:
    project.change(ENTRY, "def output_fn", "def unused")
    project.reload(ENTRY)
    assert "output_fn" not in project.responder.loaded.handlers.defined


def test_an_error_in_kept_code_is_shown_on_the_line_where_it_stands_now(project: Project) -> None:
    project.change(ENTRY, "import logging", "import logging\n\n# moved\n# down\n")
    project.reload(ENTRY)
    del project.model.net
    header, _ = project.ask()
    now = (project.root / ENTRY).read_text().splitlines()
    path, _, line = header["where"].rpartition(":")
    assert path == str((project.root / ENTRY).resolve())
    assert header["handler"] == "predict_fn"
    assert "model.net" in now[int(line) - 1]
    del project.model.__class__.__init__


def test_a_cache_that_model_fn_filled_is_kept(tmp_path: Path) -> None:
    source = """
        CACHE = {}
        def model_fn(model_dir):
            CACHE["vocabulary"] = "words"
        def transform_fn(model, data, content_type, accept):
            return "old " + CACHE["vocabulary"]
    """
    with serving(tmp_path, {"inference.py": source}) as project:
        project.change("inference.py", '"old "', '"new "')
        project.reload("inference.py")
        assert project.says() == "new words"


def test_a_global_that_model_fn_sets_takes_a_fresh_worker(tmp_path: Path) -> None:
    source = """
        vocabulary = None
        def model_fn(model_dir):
            global vocabulary
            vocabulary = "words"
        def transform_fn(model, data, content_type, accept):
            return "old " + vocabulary
    """
    with serving(tmp_path, {"inference.py": source}) as project:
        project.change("inference.py", '"old "', '"new "')
        assert "global" in needs_fresh(project, "inference.py")


def test_a_class_that_only_the_model_object_leads_to_takes_a_fresh_worker(tmp_path: Path) -> None:
    source = """
        import builders
        class Layer:
            def run(self):
                return "old"
        def model_fn(model_dir):
            return builders.build("inference", "Layer")
        def transform_fn(model, data, content_type, accept):
            return model[0].run()
    """
    builders = """
        import sys
        def build(module, name):
            return [getattr(sys.modules[module], name)()]
    """
    with serving(tmp_path, {"inference.py": source, "builders.py": builders}) as project:
        project.change("inference.py", '"old"', '"new"')
        assert "Layer" in needs_fresh(project, "inference.py")


def test_an_edited_decorated_class_in_a_registry_takes_a_fresh_worker(tmp_path: Path) -> None:
    source = """
        KINDS = {}
        def kind(cls):
            KINDS[cls.__name__] = cls
            return cls
        @kind
        class Layer:
            size = 1
        def model_fn(model_dir):
            return str(KINDS["Layer"].size)
        def transform_fn(model, data, content_type, accept):
            return model
    """
    with serving(tmp_path, {"inference.py": source}) as project:
        project.change("inference.py", "size = 1", "size = 2")
        assert "Layer" in needs_fresh(project, "inference.py")


def test_registration_in_a_module_that_stays_takes_a_fresh_worker(tmp_path: Path) -> None:
    source = """
        import registry
        def model_fn(model_dir):
            return None
        @registry.register
        def helper():
            return "old"
        def transform_fn(model, data, content_type, accept):
            return registry.KNOWN[-1]()
    """
    registry = """
        KNOWN = []
        def register(function):
            KNOWN.append(function)
            return function
    """
    with serving(tmp_path, {"inference.py": source, "registry.py": registry}) as project:
        project.change("inference.py", '"old"', '"new"')
        assert "register itself in registry" in needs_fresh(project, "inference.py")


def test_packages_are_imported_anew_with_what_is_in_them(tmp_path: Path) -> None:
    files = {
        "inference.py": """
            from kit.text import clean
            from kit import labels
            def model_fn(model_dir):
                return None
            def transform_fn(model, data, content_type, accept):
                return clean(data.decode()) + labels.LAST
        """,
        "kit/__init__.py": "",
        "kit/text.py": "from .marks import END\ndef clean(text):\n    return text + END\n",
        "kit/marks.py": "END = '.'\n",
        "kit/labels.py": "LAST = 'z'\n",
    }
    with serving(tmp_path, files) as project:
        labels = sys.modules["kit.labels"]
        project.edit("kit/marks.py", "END = '!'\n")
        project.reload("kit/marks.py")
        assert project.says() == "hello!z"
        assert sys.modules["kit.labels"] is labels
        assert sys.modules["kit"].marks is sys.modules["kit.marks"]
        project.edit("kit/__init__.py", "VERSION = 2\n")
        project.reload("kit/__init__.py")
        assert project.says() == "hello!z"
        assert sys.modules["kit"].labels is sys.modules["kit.labels"]


def test_dynamic_imports_take_a_fresh_worker(tmp_path: Path) -> None:
    source = """
        import importlib
        def model_fn(model_dir):
            return None
        def transform_fn(model, data, content_type, accept):
            return importlib.import_module("part").NAME
    """
    with serving(tmp_path, {"inference.py": source, "part.py": "NAME = 'a'\n"}) as project:
        project.says()
        project.edit("part.py", "NAME = 'b'\n")
        assert "imports what reading it does not show" in needs_fresh(project, "part.py")


def test_a_module_that_appears_where_defaults_served_takes_a_fresh_worker(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": "def model_fn(model_dir):\n    return 1\n"}) as project:
        (project.root / "inference.py").rename(project.root / "renamed.py")
        assert isinstance(project.prepare("renamed.py"), NeedsFresh)


def test_the_main_block_of_a_script_may_change(project: Project) -> None:
    project.change(
        ENTRY, "def output_fn", 'if __name__ == "__main__":\n    print(1)\n\n\ndef output_fn'
    )
    project.reload(ENTRY)
    assert project.says() == "old hello.hello."
