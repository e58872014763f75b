#!/usr/bin/env bash
# Installs single commands that a target or the tests need: `need.sh luacheck=lua-check wrk=wrk` (command of the system = package;
# what begins with / is a file).
# It says what it installs, and asks first where somebody can answer.  YES=1, or CI, means yes.  Exit code 4: it cannot be had.
set -euo pipefail

missing=()
for pair in "$@"; do
    [[ $pair == *=* ]] || { echo "need: '$pair' is no pair; accepted: COMMAND=PACKAGE" >&2 && exit 2; }
    [[ $pair == /* ]] && { [[ -e ${pair%%=*} ]] || missing+=("${pair#*=}"); continue; }
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

fail() {
    echo "need: $1" >&2
    exit 4
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

command -v apt-get >/dev/null || fail "please install with your system's packages: ${missing[*]}"
echo "need: will install from the system's packages: ${missing[*]}"
if [[ -z ${YES:-} && -z ${CI:-} && -t 0 && -t 1 ]]; then
    read -r -p "      Go on? [Y/n] " answer
    [[ -z $answer || $answer == [yYjJ]* ]] || fail "stopped; nothing was installed"
fi
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install ${missing[*]} (see above)"
