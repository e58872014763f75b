#!/usr/bin/env bash
# Installs nginx and its Lua module from Debian's or Ubuntu's packages, where they are missing; `--no-lua`: nginx alone.
# It starts no service: while it works a policy file says so, unless the machine has one of its own.  It says what it is about
# to install, and asks first where somebody can answer (YES=1, or CI, means yes).  Exit code 4: this machine lacks something.
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d
MODULES=${NGINX_MODULES:-/usr/lib/nginx/modules}

fail() {
    echo "nginx-packages: $1" >&2
    exit 4
}

lua=yes
case ${1:-} in
"") ;;
--no-lua) lua=no ;;
*) echo "nginx-packages: unknown word '$1'; accepted: nothing, or --no-lua" >&2 && exit 2 ;;
esac

has_nginx() {
    PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx >/dev/null
}

has_lua() { # built in, as in OpenResty, or as a module
    local said
    said=$(PATH=$PATH:/usr/sbin:/usr/local/sbin nginx -V 2>&1) || return 1
    [[ $said == *ngx_lua* || $said == *lua-nginx-module* ]] || [[ -e $MODULES/ngx_http_lua_module.so ]]
}

wanted=()
has_nginx || wanted+=(nginx)
[[ $lua == no ]] || { has_nginx && has_lua; } || wanted+=(libnginx-mod-http-lua)
command -v openssl >/dev/null || wanted+=(openssl)
[[ ${#wanted[@]} -gt 0 ]] || exit 0

by_hand="install nginx and its Lua module by your system's means (or OpenResty), then try again"
command -v apt-get >/dev/null || fail "missing: ${wanted[*]}; there is no apt-get here: $by_hand"
as_root=()
if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || fail "missing: ${wanted[*]}; neither root nor sudo here: run \`apt-get install ${wanted[*]}\` as root"
    as_root=(sudo)
fi

echo "nginx-packages: will install ${wanted[*]} with apt-get; no service is started"
if [[ -z ${YES:-} && -z ${CI:-} && -t 0 && -t 1 ]]; then
    read -r -p "                Go on? [Y/n] " answer
    [[ -z $answer || $answer == [yYjJ]* ]] || fail "stopped; nothing was installed"
fi

if [[ ! -e $POLICY ]]; then
    trap '"${as_root[@]}" rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$POLICY" >/dev/null
    "${as_root[@]}" chmod 755 "$POLICY"
fi

log=$(mktemp)
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >"$log" 2>&1
}
install || { "${as_root[@]}" apt-get update -qq >/dev/null && install; } || {
    tail -n 5 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install ${wanted[*]} (see above): $by_hand"
}
rm -f "$log"
has_nginx || fail "nginx is still missing: $by_hand"
[[ $lua == no ]] || has_lua || fail "the Lua module is still missing: $by_hand"
echo "nginx-packages: done"
