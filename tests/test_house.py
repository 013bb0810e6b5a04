"""The house rules that a machine can hold: imports point one way, I/O stays in its rooms."""

import ast
from pathlib import Path

import pytest

import mai_sdk

ROOT = Path(mai_sdk.__file__).parent
FLOORS = {
    "errors": 0,
    "value": 0,
    "_version": 0,
    "config": 1,
    "catalog": 1,
    "wire": 1,
    "audio": 1,
    "metering": 2,
    "session": 2,
    "engine": 3,
    "resources": 4,
    "live": 5,
    "client": 5,
    "emulator": 6,
    "cli": 7,
    "__main__": 8,
}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
WAITING = {
    "asyncio",
    "socket",
    "threading",
    "sqlite3",
    "subprocess",
    "uvicorn",
    "httpx2",
    "psycopg",
}
ROOMS_THAT_WAIT = {
    "engine/auth.py",
    "engine/drive.py",
    "engine/duplex.py",
    "engine/live.py",
    "engine/running.py",
    "engine/socket.py",
    "engine/stream.py",
    "engine/timed.py",
    "engine/pool.py",
    "engine/upload.py",
    "engine/transport_httpx2.py",
    "engine/transport_pyreqwest.py",
    "engine/spacing.py",  # a lock around the next free moment
    "engine/retry.py",  # a lock around the quota's counter
    "metering/ids.py",  # a lock around the last id
    "metering/memory.py",
    "metering/postgres_faults.py",  # only the names of psycopg's errors
    "metering/postgres_session.py",
    "metering/sqlite.py",
    "metering/sqlite_file.py",
    "metering/writer.py",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports_at_run_time(tree: ast.AST):
    """Yield imported module names, leaving out those under `if TYPE_CHECKING`."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(id(child) for part in node.body for child in ast.walk(part))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            yield node.module or ""


def floor_of(module: str) -> tuple[int, str]:
    package = module.split(".")[1]
    return FLOORS[package], package


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_floor_imports_only_from_floors_below_it(path):
    own = "mai_sdk." + name_of(path).removesuffix(".py").replace("/", ".")
    floor, package = floor_of(own)
    for module in imports_at_run_time(ast.parse(path.read_text())):
        if module.startswith("mai_sdk."):
            other, other_package = floor_of(module)
            assert other < floor or other_package == package, f"{own} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_a_few_rooms_may_wait_or_lock(path):
    floor, _ = floor_of("mai_sdk." + name_of(path).removesuffix(".py").replace("/", "."))
    if floor >= 6 or name_of(path) in ROOMS_THAT_WAIT:
        return
    used = {module.split(".")[0] for module in imports_at_run_time(ast.parse(path.read_text()))}
    assert not used & WAITING, f"{name_of(path)} does I/O; move it to a room that may"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_is_small_enough_to_be_read(path):
    assert len(path.read_text().splitlines()) <= 400


def test_no_file_is_a_junk_drawer():
    for path in MODULES:
        assert not {"utils", "util", "helpers", "helper", "common", "misc"} & set(
            name_of(path).removesuffix(".py").split("/")
        )
        assert "Manager" not in path.read_text()
