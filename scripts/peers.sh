#!/usr/bin/env bash
# What `make bench-peers` measures beside Botsieve: ModSecurity and the OWASP Core Rule Set of the system's packages, into .cache/peers.
# The library is installed (how that asks: scripts/need.sh); the nginx module and the rules are only unpacked, so that no nginx of this
# machine loads them.  CrowdSec's bouncer is not packaged: clones of it, in the folder that BOTSIEVE_CROWDSEC_DIR names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

library=$(ldconfig -p | awk '/libmodsecurity\.so\.3/ { print $NF; exit }')
[[ -n $library ]] || bash scripts/need.sh /nowhere/libmodsecurity.so.3=libmodsecurity3
at=.cache/peers
[[ -e $at/unpacked ]] && exit 0
rm -rf "$at" && mkdir -p "$at"
(
    cd "$at"
    apt-get download -qq libnginx-mod-http-modsecurity modsecurity-crs
    for package in *.deb; do dpkg-deb -x "$package" root; done
    ls ./*.deb >unpacked
)
