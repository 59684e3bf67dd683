#!/bin/sh
# Exports what the stand-in serves from Discord's published API description to discord.json.
# Needs Node 20 and npm. The package versions are pinned: raise them here on purpose.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/export.mjs" "$work/"
cd "$work"
npm install --silent --no-audit --no-fund --no-package-lock \
    discord-api-spec@10.0.266135 zod@4.1.12 typescript@5.9.3
node export.mjs "$here/../src/rest/table.rs" "$here/discord.json"
cp node_modules/discord-api-spec/LICENSE "$work/licence"
{
    echo "discord.json is derived from the npm package discord-api-spec, which is built from"
    echo "Discord's own description of its API (github.com/discord/discord-api-spec, MIT)."
    echo "refresh.sh makes it anew. The licence of both follows."
    echo
    tr -d "\r" < "$work/licence" | sed "s/[[:space:]]*$//" | cat -s
    echo
} > "$here/NOTICE"
