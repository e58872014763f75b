#!/usr/bin/env bash
# Installs what only the tests need, from the system's packages: a browser for the pages with a screen and a hand for it (Xvfb,
# xdotool), Redis for sharing, node for the worker script, openssl and curl as clients, a compiler for the clock that is set under a
# running service, dnsmasq for the names of crawlers.  It says what is missing, and asks first where somebody can answer.  YES=1, or
# CI, means yes.  A second call finds everything in place and is done at once.  Exit code 4: this machine lacks something.
set -euo pipefail

# command of the system -> package that brings it (Debian and Ubuntu)
declare -A packages=([chromium]=chromium [chromedriver]=chromium-driver [Xvfb]=xvfb [xdotool]=xdotool
    [redis-server]=redis-server [openssl]=openssl [curl]=curl [node]=nodejs [cc]=gcc
    [dnsmasq]=dnsmasq-base)
PATH=$PATH:/usr/sbin  # where dnsmasq is, also for those who are not root

missing=()
for command in "${!packages[@]}"; do
    command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
[[ ${#missing[@]} == 0 ]] && exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort)

fail() {
    echo "test-packages: $1" >&2
    exit 4
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

command -v apt-get >/dev/null || fail "please install with your system's packages: ${missing[*]}"
echo "test-packages: the tests also need, and will install from the system's packages: ${missing[*]}"
if [[ -z ${YES:-} && -z ${CI:-} && -t 0 && -t 1 ]]; then
    read -r -p "       Go on? [Y/n] " answer
    [[ -z $answer || $answer == [yYjJ]* ]] || fail "stopped; nothing was installed"
fi
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install ${missing[*]} (see above)"
