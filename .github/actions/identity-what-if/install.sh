#!/usr/bin/env bash
# Installs the tarball, which has no dependencies and no scripts, into a folder of its own.
set -euo pipefail
mkdir -p "$OUT"
if [ -z "$PACKAGE" ]; then
  if [ -z "$ACTION_REPOSITORY" ] || [ -z "$ACTION_REF" ]; then
    echo "::error title=identity-what-if::Name the tarball in the input package: an action of the same repository has no release."
    exit 1
  fi
  gh release download "$ACTION_REF" --repo "$ACTION_REPOSITORY" --pattern 'identity-what-if-*.tgz' --dir "$OUT" --clobber
  PACKAGE=$(ls "$OUT"/identity-what-if-*.tgz)
fi
npm install --prefix "$OUT" --no-save --no-audit --no-fund --ignore-scripts --offline --silent "$PACKAGE"
echo "folder=$OUT" >> "$GITHUB_OUTPUT"
