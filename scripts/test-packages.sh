#!/usr/bin/env bash
# Installs what only the tests need, from the system's packages: a browser for the pages with a screen and a hand for it (Xvfb,
# xdotool), node for the worker script, openssl and curl as clients, a compiler for the clock that is set under a running service,
# dnsmasq for the names of crawlers, systemd and logrotate to read what deploy/ has for them.  How it asks and what its exit codes
# mean: scripts/need.sh.
set -euo pipefail

PATH=$PATH:/usr/sbin  # where dnsmasq and logrotate are, also for those who are not root
exec bash "$(dirname "${BASH_SOURCE[0]}")/need.sh" chromium=chromium chromedriver=chromium-driver Xvfb=xvfb xdotool=xdotool \
    openssl=openssl curl=curl node=nodejs cc=gcc dnsmasq=dnsmasq-base \
    systemd-analyze=systemd logrotate=logrotate
