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

# Installs the packages named where that is possible; what came of it is for the caller to see.
install_packages() {
  local packages="$1" can_install=no log
  local as_root=()
  if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
      can_install=yes
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      can_install=yes
      as_root=(sudo -n)
    fi
  fi
  if [ "$can_install" = no ]; then return 0; fi
  say "installing $packages"
  log="$(mktemp)"
  try_install() {
    # shellcheck disable=SC2086 # one word a package
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
  }
  # The lists of a fresh machine are often empty or old: refresh them only when the first try fails.
  if ! try_install >"$log" 2>&1; then
    { ${as_root[@]+"${as_root[@]}"} apt-get update && try_install; } >>"$log" 2>&1 || tail -n 5 "$log" >&2
  fi
  rm -f "$log"
}

missing="$(missing_tools)"
if [ -n "$missing" ]; then
  install_packages "$missing"
  missing="$(missing_tools)"
fi
if [ -n "$missing" ]; then
  if [ "$(uname -s)" = Darwin ]; then
    how="xcode-select --install"
  else
    how="on Debian and Ubuntu: sudo apt-get install $missing"
  fi
  say "missing: $missing ($how). Going on without; native modules may not be built." >&2
fi

# What the exact capture engine is built with. Without it the portable engine works all the same.
missing_capture_packages() {
  local missing=()
  command -v "${CLANG:-clang}" >/dev/null || missing+=(clang)
  # Headers are looked for as the compiler does, since distributions place them differently.
  has_header() { echo "#include <$1>" | "${CXX:-g++}" -E -x c++ - >/dev/null 2>&1; }
  has_header bpf/libbpf.h || missing+=(libbpf-dev)
  has_header libelf.h || missing+=(libelf-dev)
  has_header zlib.h || missing+=(zlib1g-dev)
  printf '%s' "${missing[*]-}"
}

if [ "$(uname -s)" = Linux ]; then
  missing="$(missing_capture_packages)"
  if [ -n "$missing" ]; then
    install_packages "$missing"
    missing="$(missing_capture_packages)"
  fi
  if [ -n "$missing" ]; then
    say "missing for exact capture: $missing (on Debian and Ubuntu: sudo apt-get install $missing). Going on without." >&2
  fi
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
