#!/usr/bin/env bash
# Compiles the core into build/compiled (scripts/compile_core.py, which takes the same words): installs a compiler and Python's headers where they are missing.
# It says what it installs, and asks first where somebody can answer.  YES=1, or CI, means yes.  Exit code 4: it cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

read -r headers package < <(.venv/bin/python -c 'import sys, sysconfig
print(sysconfig.get_path("include") + "/Python.h", "python%d.%d-dev" % sys.version_info[:2])')
bash scripts/need.sh cc=gcc "$headers=$package"
exec .venv/bin/python scripts/compile_core.py "$@"
