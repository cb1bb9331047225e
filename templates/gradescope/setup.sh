#!/usr/bin/env bash
# Runs once, as root, when Gradescope builds the image: installs Python's virtual environment with the grader in it.
#
# For an image of your own, and for trying it elsewhere, these may be set:
#   AUTOGRADER_ROOT         Gradescope's folder                    (/autograder)
#   AUTOGRADER_PYTHON       the Python to use, 3.11 or newer       (the newest that is found)
#   AUTOGRADER_PIP_OPTIONS  words that are given to `pip install`  (none)
#   AUTOGRADER_APT          no: install no system package          (yes)
# A file pip.conf beside this one is used as pip's configuration.
set -euo pipefail

root="${AUTOGRADER_ROOT:-/autograder}"
source="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
venv="$root/venv"

# True where system packages may be installed and apt did install all that are named.
apt_install() {
  [ "${AUTOGRADER_APT:-yes}" != no ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
  if [ -z "${updated:-}" ]; then
    apt-get update -q
    updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# True for a Python that is new enough.
serves() {
  command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
}

find_python() {
  local name
  for name in ${AUTOGRADER_PYTHON:+"$AUTOGRADER_PYTHON"} python3.13 python3.12 python3.11 python3; do
    if serves "$name"; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

if ! python="$(find_python)"; then
  apt_install python3.12 python3.12-venv || apt_install python3.11 python3.11-venv || true
  python="$(find_python)" || {
    echo "setup.sh: Python 3.11 or newer is needed. Choose the base image Ubuntu 24.04 for this autograder." >&2
    exit 1
  }
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  apt_install "python$version-venv" || {
    echo "setup.sh: $python cannot make environments: install the package python$version-venv in the image." >&2
    exit 1
  }
fi

# The best confinement of submitted code; without it the kernel's Landlock and seccomp are used.
if ! command -v bwrap >/dev/null; then
  apt_install bubblewrap || echo "setup.sh: bubblewrap is not to be had; going on without it."
fi

if [ -f "$source/pip.conf" ]; then
  export PIP_CONFIG_FILE="$source/pip.conf"
fi
"$python" -m venv "$venv"
# Not split by accident: options are words, and the wheel's name has no blanks.
read -r -a options <<<"${AUTOGRADER_PIP_OPTIONS:-}"
"$venv/bin/python" -m pip install --no-cache-dir --disable-pip-version-check ${options[@]+"${options[@]}"} \
  "$source/@WHEEL@"

# The checks and solutions are now in the environment, which submitted code cannot read; this copy is for root alone.
mkdir -p "$root/results"
chmod -R go-rwx "$source"

# Imports torch, so that what is missing is found now; the last lines say how code will be confined.
"$venv/bin/python" -I -m grader.cli doctor
echo "setup.sh: done."
