// Runs a program and the tests in Pyodide: node run.mjs PYODIDE PROJECT PACKAGES PYTEST-ARGUMENTS…
const [pyodide, project, packages, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const python = await loadPyodide();
python.mountNodeFS("/project", project);
python.mountNodeFS("/packages", packages);
python.globals.set("args", python.toPy(args));
try {
  await python.runPythonAsync(`
import os, sys
os.chdir("/project")
sys.dont_write_bytecode = True
sys.path[:0] = ["/packages", "/project"]
from tests.pyodide import program
await program.main()
`);
  process.exitCode = python.runPython(`
import pytest
int(pytest.main(args))
`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
