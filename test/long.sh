#!/usr/bin/env bash
# What takes too long for every day: a hundred thousand files, more instants, all programs on all file systems.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
AFTERIMAGE_FILES=100000 npx tap run --jobs=1 --timeout=3600 dist/test/end-to-end/many-files.test.js
AFTERIMAGE_INSTANTS=200 npx tap run --jobs=1 --timeout=3600 dist/test/kernel/exact-order.test.js
AFTERIMAGE_INSTANTS=20 npx tap run --jobs=1 --timeout=3600 dist/test/kernel/exact-{postgresql,sqlite,mariadb}.test.js
AFTERIMAGE_RESTARTS=everywhere npx tap run --jobs=1 --timeout=3600 dist/test/kernel/exact-restart.test.js
for kind in ext4 xfs btrfs tmpfs; do
  AFTERIMAGE_PROGRAMS=. AFTERIMAGE_FILE_SYSTEM=$kind npx tap run --jobs=1 --timeout=3600 dist/test/kernel/exact-programs.test.js
done
