#!/bin/sh
# Runs discord.js against the stand-in and checks the exchange against Discord's schema.
# Needs Node 20, npm and cargo. Outside the default test run: it installs packages.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --silent --no-audit --no-fund --no-package-lock
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cargo build --quiet -p fake-discord
target=${CARGO_TARGET_DIR:-../../target}
mkfifo "$work/in"
"$target/debug/fake-discord" --port "${PORT:-0}" < "$work/in" > "$work/out" &
server=$!
exec 3> "$work/in"
timeout 120 node run.mjs "$work/out" "$work/in"
