import subprocess
import sys
from pathlib import Path

API = Path(__file__).parent / "typing" / "api.py"


def test_a_type_checker_sees_what_the_api_promises():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(API)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=API.parents[2],
    )
    assert done.returncode == 0, done.stdout + done.stderr
