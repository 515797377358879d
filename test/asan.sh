#!/usr/bin/env bash
# Builds the addons with the address and undefined-behaviour sanitizers, in a copy, and runs what uses them most.
# Leaks are not looked for: those of Node.js itself would hide any of ours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z native package.json | xargs -0 cp --parents -t "$copy"
cp -r dist "$copy/dist"
cp -r test "$copy/test"
ln -s "$PWD/node_modules" "$copy/node_modules"
flags='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g'
CXXFLAGS="$flags" LDFLAGS="$flags" node "$copy/native/build.mjs"
cd "$copy"
export TAP_TIMEOUT=600
export ASAN_OPTIONS=detect_leaks=0:detect_odr_violation=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64 UBSAN_OPTIONS=print_stacktrace=1
preload=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)
for test in native/addon native/capture-stream kernel/capture-writes kernel/capture-blocks kernel/names-events kernel/names-identity kernel/exact-gaps; do
  echo "$test"
  LD_PRELOAD=$preload node "dist/test/$test.test.js" > "$copy/output" 2>&1 || { grep -E 'not ok|ERROR: AddressSanitizer|runtime error' -A 20 "$copy/output" || tail -50 "$copy/output"; exit 1; }
  if grep -E 'AddressSanitizer|runtime error' -A 20 "$copy/output"; then exit 1; fi
  grep -E '^# (\{|time)' "$copy/output"
done
# Read to the end: ended early, nm would fail.
nm -D native/build/Release/afterimage.node native/build/Release/afterimage-capture.node | grep __asan_init > /dev/null || { echo 'the addons were not built with the sanitizers'; exit 1; }
