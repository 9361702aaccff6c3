"""Rules of the house that import-linter cannot see: it knows imports, not what they do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "malaria"
MODULES = sorted(SOURCE.rglob("*.py"))
AT_IMPORT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
READS = {"os.environ", "os.getenv", "Settings()", "sqlite3.connect()", "boto3.client()", "boto3.resource()"}
MAY_READ = {"wiring.py", "wiring_aws.py", "settings.py", "trainer.py", "adapters", "cli", "tours"}


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return f"{name_of(node.func)}()" if isinstance(node, ast.Call) else ""


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when the module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, AT_IMPORT):
            defaults = [*child.args.defaults, *(d for d in child.args.kw_defaults if d)]
            for part in [*defaults, *getattr(child, "decorator_list", [])]:
                yield part
                yield from at_import(part)
        else:
            yield child
            yield from at_import(child)


def reads(nodes: Iterator[ast.AST]) -> list[str]:
    return [f"line {n.lineno}: {name_of(n)}" for n in nodes if name_of(n) in READS]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_nothing_is_read_or_opened_at_import(path: Path) -> None:
    assert reads(at_import(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(SOURCE).parts[0] not in MAY_READ],
    ids=lambda p: p.relative_to(SOURCE).as_posix(),
)
def test_steps_and_api_read_no_environment_at_all(path: Path) -> None:
    assert reads(ast.walk(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import os\nX = os.environ['A']",
        "import os\nclass C:\n    x: str = os.getenv('A')",
        "def f(s=Settings()): ...",
    ],
)
def test_the_check_itself_finds_what_it_looks_for(code: str) -> None:
    assert reads(at_import(ast.parse(code)))
    assert not reads(at_import(ast.parse("import os\ndef f():\n    return os.environ['A']")))


def test_domain_and_errors_import_the_standard_library_only() -> None:
    for name in ("domain.py", "errors.py"):
        for node in ast.walk(ast.parse((SOURCE / name).read_text())):
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            else:
                continue
            for module in imported:
                assert module.split(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"


HEAVY = {"tensorflow", "keras", "boto3", "botocore", "sklearn", "scipy", "kagglehub", "httpx"}
SERVE_ONE = """
import http.client, socket, sys, threading, time
from pathlib import Path
import uvicorn
from malaria import synthetic, wiring
from malaria.api.app import create_app
from malaria.settings import Settings

home = Path(sys.argv[1])
app = create_app(wiring.local(home, Settings(home=home)))
listening = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
thread.start()
head = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="a.png"\\r\\n\\r\\n'
body = head + next(iter(synthetic.generate(1, 1))).png() + b"\\r\\n--x--\\r\\n"
client = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=60)
client.request("POST", "/predict", body, {"content-type": "multipart/form-data; boundary=x"})
answer = client.getresponse()
print(answer.status, *sorted(set(sys.modules) & set(sys.argv[2].split(","))))
server.should_exit = True
client.close()
thread.join()
"""


def test_a_server_that_has_predicted_holds_no_training_and_no_cloud(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE_ONE, str(tmp_path), ",".join(HEAVY)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["200"], done.stdout
