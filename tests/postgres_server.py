"""A real Postgres for tests and benchmarks, from the binaries of this machine.

It listens on a socket in a folder of its own, and on no port; it stops with whoever started it,
however that one ends. As root it runs as another user, because Postgres refuses to be root.

    python tests/postgres_server.py --fsync python benchmarks/crashes.py {} --kills 200

starts one, runs the command with the address in place of {}, and stops it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUICK = ("fsync=off", "full_page_writes=off")
SETTINGS = (
    "listen_addresses=",
    "shared_buffers=32MB",
    "max_connections=60",
    "lc_messages=C",
    "wal_writer_delay=10s",
)
GATE = "local all locked_out scram-sha-256\nlocal all all trust\n"


def why_not() -> str | None:
    """Say why none can be started here; None if one can."""
    if _binaries() is None:
        return "there is no Postgres on this machine (Debian: apt-get install postgresql)"
    if hasattr(os, "geteuid") and os.geteuid() == 0 and _user() is None:
        return "Postgres refuses to be root, and there is no other user here"
    return None


def _binaries() -> Path | None:
    """Return the folder of the newest initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


def _version(path: Path) -> float:
    return float(path.parents[1].name)


def _user() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


class PostgresServer:
    """A server with a fresh cluster; `start` and `stop` it as often as needed, `close` it once."""

    def __init__(self, *, fsync: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mai-postgres-"))
        self._settings = SETTINGS if fsync else SETTINGS + QUICK
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            user = pwd.getpwnam(_user() or "")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            shutil.chown(self.folder, user.pw_uid)
        binaries = _binaries()
        assert binaries is not None, why_not()
        self._postgres = binaries / "postgres"
        self._data = self.folder / "data"
        subprocess.run(
            [binaries / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync",
             "--no-locale", "-E", "UTF8"],
            check=True, capture_output=True, cwd=self.folder, **self._as,
        )  # fmt: skip
        (self._data / "pg_hba.conf").write_text(GATE)
        self.start()

    @property
    def address(self) -> str:
        return self.address_of("postgres")

    def address_of(self, user: str, *, database: str = "postgres", password: str = "") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"

    def start(self) -> None:
        import psycopg

        options = [each for setting in self._settings for each in ("-c", setting)]
        command = [self._postgres, "-D", self._data, "-k", self.folder, *options]
        # the shell reads until we are gone, and then stops the server
        script = '"$@" & read _; kill -INT $!; wait $!'
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", *command],
                stdin=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                **self._as,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.address).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    print((self.folder / "log").read_text(), file=sys.stderr)
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop it at once, and with it every session."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(60)
            self._process = None

    def crash(self) -> None:
        """End it without writing anything more, as if it had died."""
        assert self._process is not None
        os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        self.stop()

    def clear(self) -> None:
        """Make it as new: no other session, no ledger."""
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            db.execute("SET client_min_messages = warning")
            db.execute("DROP SCHEMA IF EXISTS mai_sdk CASCADE")

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    command = sys.argv[1:]
    fsync = command[:1] == ["--fsync"]
    if not command[fsync:]:
        print(__doc__)
        return 2
    server = PostgresServer(fsync=fsync)
    try:
        words = [word.replace("{}", server.address) for word in command[fsync:]]
        return subprocess.call(words)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
