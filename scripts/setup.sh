#!/usr/bin/env bash
# Installs what Botsieve needs, and nothing else: `setup.sh` for running it, `setup.sh test` for developing it too.
#   nginx with its Lua module  from the system's packages (scripts/nginx-packages.sh; scripts/test-packages.sh for tests)
#   .venv                      the packages of requirements.lock (requirements-test.lock), with their hashes checked
# It says what it is about to install, and asks first where somebody can answer.  YES=1, or CI, means yes.
# A second call finds everything in place and is done at once.  Exit code 4: this machine lacks something.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what=${1:-run}
case $what in
run) lock=requirements.lock ;;
test) lock=requirements-test.lock ;;
*) echo "setup: unknown word '$what'; accepted: nothing, or test" >&2 && exit 2 ;;
esac

fail() {
    echo "setup: $1" >&2
    exit 4
}

agree() { # agree TEXT: says what is about to happen; asks where somebody can answer
    echo "setup: $1"
    [[ -n ${YES:-} || -n ${CI:-} ]] && return
    [[ -t 0 && -t 1 ]] || return 0
    read -r -p "       Go on? [Y/n] " answer
    [[ -z $answer || $answer == [yYjJ]* ]] || fail "stopped; nothing was installed"
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

find_python() { # prints the first Python that is new enough
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python found that is 3.11 or newer; install one, or name it: make setup PYTHON=/path/to/python3.12"
}

make_venv() {
    [[ -x .venv/bin/python ]] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    local python
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        command -v apt-get >/dev/null || fail "$python has no venv module; install it with your system's packages"
        local package
        package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        agree "$python has no venv module: will install the system's package $package"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
    fi
    "$python" -m venv --clear .venv
}

stamp=.venv/.installed-$what
now=$(cat "$lock" pyproject.toml scripts/setup.sh | cksum)

bash scripts/nginx-packages.sh
[[ $what != test ]] || bash scripts/test-packages.sh
if [[ -f $stamp && $(<"$stamp") == "$now" ]]; then exit 0; fi

[[ -d .venv ]] || agree "will install the Python packages of $lock into .venv, nowhere else"
make_venv
echo "setup: installing $lock into .venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
.venv/bin/python -m pip install -qq --require-hashes --requirement "$lock" || fail "could not install $lock (see above)"
.venv/bin/python -m pip install -qq --no-deps --no-build-isolation --editable . || fail "could not install botsieve itself"
echo "$now" >"$stamp"
echo "setup: done; .venv/bin/botsieve --help lists the commands"
