#!/usr/bin/env bash
# Sets up a fresh machine: checks Node.js, gets a compiler where it can, installs the npm packages.
# Safe to run again; does nothing that is already done.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*"; }

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  say "Node.js 20.19 or newer and npm are needed; see https://nodejs.org/en/download" >&2
  exit 1
fi
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  say "Node.js $(node -v) is too old: 20.19 or newer is needed; see https://nodejs.org/en/download" >&2
  exit 1
fi

# The addon's compiler. Without one the portable path still works, and packages with prebuilt
# modules may install, so nothing here is fatal.
missing_tools() {
  local missing=()
  # node-gyp's makefiles call g++ unless CXX says otherwise.
  command -v "${CXX:-g++}" >/dev/null || missing+=(g++)
  command -v make >/dev/null || missing+=(make)
  command -v python3 >/dev/null || missing+=(python3)
  printf '%s' "${missing[*]-}"
}

missing="$(missing_tools)"
if [ -n "$missing" ]; then
  as_root=()
  can_install=no
  if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
      can_install=yes
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      can_install=yes
      as_root=(sudo -n)
    fi
  fi
  if [ "$can_install" = yes ]; then
    say "installing $missing"
    log="$(mktemp)"
    # The lists of a fresh machine are often empty or old: refresh them only when the first try fails.
    install_tools() {
      # shellcheck disable=SC2086 # one word a package
      ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
    }
    if ! install_tools >"$log" 2>&1; then
      { ${as_root[@]+"${as_root[@]}"} apt-get update && install_tools; } >>"$log" 2>&1 || tail -n 5 "$log" >&2
    fi
    rm -f "$log"
    missing="$(missing_tools)"
  fi
fi
if [ -n "$missing" ]; then
  if [ "$(uname -s)" = Darwin ]; then
    how="xcode-select --install"
  else
    how="on Debian and Ubuntu: sudo apt-get install $missing"
  fi
  say "missing: $missing ($how). Going on without; native modules may not be built." >&2
fi

# What node_modules was installed from and for.
wanted="$(node -e '
  const hash = require("node:crypto").createHash("sha256").update(require("node:fs").readFileSync("package-lock.json")).digest("hex");
  console.log(hash, process.version, process.platform, process.arch);
')"
stamp=node_modules/.afterimage-setup
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
  say "npm packages are installed"
else
  say "installing npm packages"
  npm ci --no-audit --no-fund --loglevel=error
  printf '%s\n' "$wanted" >"$stamp"
fi
say "done"
