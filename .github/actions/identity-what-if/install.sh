#!/usr/bin/env bash
# Unpacks the tarball, which has no dependencies, if it is the expected one. For bash 3 of macOS and Git's of Windows.
set -euo pipefail

stop() {
  echo "::error title=identity-what-if::$1"
  exit 1
}

case "$INPUT_INTEGRITY" in
  sha512-*) ;;
  *) stop "The input integrity must begin with sha512-; npm run pack:whatif prints it." ;;
esac

# A new folder for each use. Entered, because tar takes the colon of a Windows path for a host.
workspace=$PWD
folder=$(mktemp -d "${RUNNER_TEMP//\\//}/identity-what-if-XXXXXX")
cd "$folder"
case "$INPUT_PACKAGE" in
  "") stop "The input package is empty: a path or an https address of identity-what-if-<version>.tgz." ;;
  https://*)
    curl --fail --silent --show-error --location --globoff --proto '=https' --max-time 120 --retry 3 \
      --output package.tgz --url "$INPUT_PACKAGE" || stop "The package cannot be downloaded."
    ;;
  *) (cd "$workspace" && cat -- "$INPUT_PACKAGE") > package.tgz || stop "The package is not there." ;;
esac

found="sha512-$(openssl dgst -sha512 -binary package.tgz | openssl base64 -A)"
[ "$found" = "$INPUT_INTEGRITY" ] || stop "The package is not the expected one: it is $found."
tar -xzf package.tgz
echo "folder=$folder" >> "$GITHUB_OUTPUT"
