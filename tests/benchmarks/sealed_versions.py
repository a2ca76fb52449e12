"""The tests of the sealed boxes, with the oldest and newest versions that pyproject.toml allows.

`python tests/benchmarks/sealed_versions.py` makes two throw-away environments: one with the oldest
versions of the libraries that the boxes reach into, all else as it is in this environment, and one
with the newest. In each it looks which road is taken unasked, and runs the tests of both boxes,
which take both roads. Exit code 1 if a test fails, or a road is the ordinary one. Needs a package
index.
"""

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
REACHED = ("ipykernel", "jupyter-client", "matplotlib", "nbclient", "papermill")
TESTS = {
    "kernels": ("tests/press/test_kernels.py", "tests/press/test_kernel_roads.py"),
    "drawing": ("tests/look/test_drawing.py", "tests/look/test_drawing_roads.py"),
}
# which road each box takes unasked; what it tells of it goes to standard error
ROADS = """
import importlib.metadata, sys
print(*(f"{name} {importlib.metadata.version(name)}" for name in sys.argv[1:]), sep=", ")
import nbformat.v4 as v4, papermill
from helpers.look import svg
from helpers.press import kernels
made = v4.new_notebook(cells=[v4.new_code_cell("import os\\nprint(os.getppid())")])
done = papermill.execute_notebook(
    made, None, engine_name="warm", kernel_name="python3", language="python", progress_bar=False
)
import os
plain = int(done.cells[0].outputs[0].text) == os.getpid()
print("kernels:", "plain" if plain else "warm", "· drawing:", svg.road())
kernels.end_kernels()
"""


def bounds() -> dict[str, str]:
    """Give the oldest version of each library that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = dict(
        match.groups()
        for line in project["dependencies"]
        if (match := re.match(r"([\w-]+)>=([\d.]+)", line))
    )
    return {name: found[name] for name in REACHED}


def environment(folder: Path, asked: list[str]) -> Path:
    """Make an environment with what is asked for, over all that this one has; give its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *asked]
    subprocess.run(pip, check=True)
    # after what was installed, so that this wins; entry points and editable installs are found, too
    ours = repr(sysconfig.get_path("purelib"))
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (Path(own) / "zz_all_else.pth").write_text(
        f"import site; site.addsitedir({ours})\n", encoding="utf-8"
    )
    return python


def main() -> None:
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--only", choices=("oldest", "newest"), help="one of the two")
    ask.add_argument("--box", choices=tuple(TESTS), help="the tests of one box")
    asked = ask.parse_args()
    wanted = {
        "oldest": [f"{name}=={version}" for name, version in bounds().items()],
        "newest": [f"{name}>={version}" for name, version in bounds().items()],
    }
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    failed = []
    for name in [asked.only] if asked.only else wanted:
        with tempfile.TemporaryDirectory() as folder:
            python = environment(Path(folder) / name, wanted[name])
            env["WORKBOOK_CACHE"] = str(Path(folder) / "cache")
            roads = subprocess.run(
                [python, "-c", ROADS, *REACHED],
                env=env,
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
            print(f"{name}: {roads}", end="", flush=True)
            failed += [f"{name}: an ordinary road"] * ("plain" in roads)
            for box in [asked.box] if asked.box else TESTS:
                done = subprocess.run(
                    [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS[box]],
                    env=env,
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=False,
                )
                lines = done.stdout.splitlines()
                told = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
                print(*told, f"  {box}: {lines[-1]}", sep="\n", flush=True)
                failed += [f"{name}: {box}"] * bool(done.returncode)
    print(f"failed: {', '.join(failed)}" if failed else "both roads are the same in both")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
