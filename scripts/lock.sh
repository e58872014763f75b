#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml anew: requirements.lock to run, requirements-test.lock to develop.
# Both hold exact versions with hashes and no address: where packages come from is the business of your pip.
# The test lock takes the versions of the other one, so that tests run on what users get.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=.cache/lock-tools
if [[ ! -x $tools/bin/pip-compile ]]; then
    "${PYTHON:-.venv/bin/python}" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet pip-tools
fi

compile() {
    "$tools/bin/pip-compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options "$@" pyproject.toml
}

# The build's own dependencies are locked too: setup builds the package without asking anybody for an unlocked tool.
compile --build-deps-for editable --build-deps-for wheel --output-file requirements.lock
compile --build-deps-for editable --build-deps-for wheel --extra test --constraint requirements.lock \
    --output-file requirements-test.lock
grep -c -- '==' requirements.lock requirements-test.lock
