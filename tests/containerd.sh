#!/usr/bin/env bash
# Puts the containerd of three Debian suites into a folder: 1.6 (bookworm), 1.7 (trixie), 2.1 (sid), each with its ctr; and with the
# last crane and oras, which older suites do not have. What cannot be had is said, a line each: its tests are skipped. Nothing of the machine is changed, and no host is named here: the
# machine's own package sources are copied with the suite replaced.
# Usage: tests/containerd.sh [FOLDER]   by default CIMCONVERT_CONTAINERD, else the user's cache: where ContainerdProgram looks.
set -euo pipefail

suites=(bookworm trixie sid)
folder=${1:-${CIMCONVERT_CONTAINERD:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/cimconvert/containerd}}
sources=/etc/apt/sources.list.d/debian.sources

give_up() {
  echo "no containerd of ${suites[*]}: $1: their tests are skipped"
  exit 0
}

mkdir -p "$folder" 2>/dev/null || give_up "$folder cannot be made"
# Two runs at once would fetch everything twice.
exec 9>"$folder/lock"
if command -v flock >/dev/null 2>&1; then
  flock 9
fi

packages_of() {
  if [ "$1" = sid ]; then echo containerd crane oras; else echo containerd; fi
}

wanted=()
for suite in "${suites[@]}"; do
  for package in $(packages_of "$suite"); do
    [ -x "$folder/$suite/usr/bin/$package" ] || { wanted+=("$suite"); break; }
  done
done
suites=("${wanted[@]}")
[ ${#suites[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || give_up "apt-get or dpkg is not installed"
[ -r "$sources" ] || give_up "$sources is not there"

# apt's own settings (a proxy, a CA) stay; its lists, its cache and its sources are ours. Without a network it would wait long.
apt() {
  local own=$1
  shift
  apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$own/sources" -o Dir::Etc::preferencesparts=/dev/null \
    -o "Dir::State::Lists=$own/lists" -o "Dir::Cache=$own/cache" -o APT::Sandbox::User=root \
    -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@"
}

fetch() {
  local suite=$1 own=$2
  mkdir -p "$own/sources" "$own/lists/partial" "$own/cache/archives/partial" "$own/tree"
  # The first source is Debian itself; the others hold updates, which sid has none of. Of the suites the first is taken.
  awk -v RS= 'NR == 1' "$sources" | sed -E "s/^Suites:.*/Suites: $suite/" >"$own/sources/kit.sources"
  # A folder under its final name is whole.
  # shellcheck disable=SC2046 # one word a package
  apt "$own" update && (cd "$own" && apt "$own" download $(packages_of "$suite")) || return 1
  for package in "$own"/*.deb; do
    dpkg -x "$package" "$own/tree" || return 1
  done
  rm -rf "${folder:?}/$suite" && mv -T "$own/tree" "$folder/$suite"
}

for suite in "${suites[@]}"; do
  own=$(mktemp -d "$folder/fetch-XXXXXX")
  if ! fetch "$suite" "$own" >"$own/log" 2>&1; then
    echo "could not fetch containerd of $suite: its tests are skipped: $(grep -m 1 '^E:' "$own/log" || tail -n 1 "$own/log")"
  fi
  rm -rf "$own"
done
