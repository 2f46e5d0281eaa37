# Sourced by the other scripts: the clone's own Python environment in .venv.
# Everything runs from the root of the clone, whatever folder the caller is in.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv_python=.venv/bin/python

say() { printf 'umnist: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

is_supported_python() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# Prints the first usable command; asks each one to run, because a version
# manager's shim may be on the PATH without the version behind it.
find_python() {
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3 python; do
    if is_supported_python "$candidate" && "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

make_venv() {
  if [[ -x $venv_python ]]; then
    is_supported_python "$venv_python" ||
      fail "Expected Python 3.11 to 3.13 in .venv, found another; delete .venv and run this again."
    # Without pip an earlier run was stopped half-way; making it again completes it.
    "$venv_python" -c 'import pip' 2>/dev/null && return
  fi
  local python
  python=$(find_python) || fail "Expected Python 3.11, 3.12 or 3.13 with its venv module, found" \
    "none; install one (on Debian and Ubuntu: apt-get install python3 python3-venv)."
  say "Making .venv with $("$python" --version)."
  "$python" -m venv .venv
}

# Changes whenever an installation of this clone may need to be renewed.
installation_fingerprint() {
  {
    pwd
    "$venv_python" --version
    cat pyproject.toml constraints.txt scripts/hatch_build.py \
      umnist_core/server/static/package-lock.json
    # One file is made of them.
    find umnist_core/server/static -name vendor -prune -o -name '*.js' -print -o -name '*.css' -print |
      LC_ALL=C sort | xargs cat
  } | "$venv_python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

# install base|dev: installs the clone in place, unless nothing has changed since.
install() {
  make_venv
  local target fingerprint stamp=.venv/umnist-installed
  case $1 in
    base) target=. ;;
    dev) target='.[dev]' ;;
  esac
  fingerprint=$(installation_fingerprint)
  # The development installation holds all that the base one does.
  if [[ -f umnist_core/server/static/vendor/built-from.sha256 && -f $stamp ]] &&
    { grep -qxF "$1 $fingerprint" "$stamp" || grep -qxF "dev $fingerprint" "$stamp"; } &&
    "$venv_python" scripts/site_build.py --app; then
    return
  fi
  say "Installing umnist into .venv; the first time this takes a minute or two."
  # By environment as well as by -c, so that the build's own requirements are
  # pinned too: pip before 25.3 reads the first name for them, later ones the second.
  PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
    "$venv_python" -m pip install --quiet -c constraints.txt -e "$target" ||
    fail "The installation failed; pip's message above says why."
  printf '%s %s\n' "$1" "$fingerprint" >"$stamp"
}
