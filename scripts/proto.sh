#!/usr/bin/env bash
# The gRPC contract in proto/ and the code generated from it: `proto.sh` generates, `proto.sh lint` checks.
#   proto.sh        writes service/botsieve/v1 anew; without a change of proto/ it leaves no diff
#   proto.sh lint   1. buf lint: STANDARD and COMMENTS, no exceptions (proto/buf.yaml)
#                   2. buf breaking: nothing that a deployed gateway relies on has changed (WIRE_JSON)
#                   3. service/botsieve/v1 is what proto/ generates
# Generator and linter are packages of the test extra with exact versions: generated code names the oldest grpcio and
# protobuf that run it, so a newer grpcio-tools is a change of pyproject.toml's lower bounds, made on purpose.
# Exit code 1: proto/ or service/botsieve/v1 has a mistake.  4: this machine lacks something.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=.venv/bin/python
buf=.venv/bin/buf
out=service/botsieve/v1
work=.cache/proto

fail() { # fail CODE TEXT
    echo "proto: $2" >&2
    exit "$1"
}

need() { # need FILE: a program of the test extra
    [[ -x $1 ]] || fail 4 "$1 is missing; run 'make setup-test'"
}

generate() { # generate FOLDER: the generated package, as FOLDER/botsieve/v1
    need "$python"
    rm -rf "$1" && mkdir -p "$1"
    "$python" -m grpc_tools.protoc --proto_path=proto --python_out="$1" --pyi_out="$1" --grpc_python_out="$1" proto/botsieve/v1/*.proto
    # Files without a service generate an empty one.
    grep -L 'class .*Stub' "$1"/botsieve/v1/*_pb2_grpc.py | xargs -r rm
    echo '"""Generated from proto/botsieve/v1 by scripts/proto.sh.  Never edited."""' >"$1/botsieve/v1/__init__.py"
}

# What the contract is compared with: the last release, and before the first one the contract as it entered the history.
# BOTSIEVE_PROTO_AGAINST names another commit.
baseline() {
    local ref=${BOTSIEVE_PROTO_AGAINST:-}
    [[ -n $ref ]] || ref=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
    [[ -n $ref ]] || ref=$(git log --diff-filter=A --format=%H -- proto/buf.yaml 2>/dev/null | tail -n 1)
    echo "$ref"
}

breaking() {
    local ref
    ref=$(baseline)
    if [[ -z $ref ]]; then
        # An export without history, or the commit that brings the contract: there is nothing to break yet.
        echo "proto: no earlier contract in this history; the breaking check has nothing to compare with"
        return
    fi
    rm -rf "$work/before" && mkdir -p "$work/before"
    git archive "$ref" proto | tar -x -C "$work/before" || fail 4 "commit $ref holds no proto/; fetch the whole history"
    "$buf" breaking proto --against "$work/before/proto" || fail 1 "proto/ breaks the contract of $ref"
}

lint() {
    need "$buf"
    "$buf" lint proto || fail 1 "buf refuses proto/ (see above)"
    breaking
    generate "$work/generated"
    diff -r -x __pycache__ "$work/generated/botsieve/v1" "$out" >&2 ||
        fail 1 "$out is not what proto/ generates; run 'make proto' and commit it"
    echo "proto: lint, breaking check and generated code are in order"
}

case ${1:-generate} in
generate)
    generate "$work/generated"
    mkdir -p "$out"
    find "$out" -maxdepth 1 -type f -delete
    cp "$work"/generated/botsieve/v1/* "$out"
    ;;
lint) lint ;;
*) fail 2 "unknown word '$1'; accepted: generate, lint" ;;
esac
