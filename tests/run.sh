#!/usr/bin/env bash
# Builds everything, checks format, and runs every test. Installs with apt, where it may, the real programs that tests run
# against. The last line says how many tests passed, failed and were skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

# program=package
tools=(
  docker-registry=docker-registry
  skopeo=skopeo
  zstd=zstd
  nginx=nginx-light
  qemu-img=qemu-utils
  hivexsh=libhivex-bin
  hivexregedit=libwin-hivex-perl
  wine64=wine64
  x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64
  gcc=g++
)

# Debian's wine64 is there, and on no path.
export PATH="$PATH:/usr/lib/wine"

missing=()
for tool in "${tools[@]}"; do
  command -v "${tool%%=*}" >/dev/null 2>&1 || missing+=("${tool#*=}")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || true
    for package in "${missing[@]}"; do
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null || echo "could not install $package: its tests will be skipped"
    done
  else
    echo "not installed, tests that need them are skipped: ${missing[*]}"
  fi
fi

tests/containerd.sh

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet restore Converter.sln --locked-mode
# Blanks, and the order of usings, which no analyzer looks at: all else that .editorconfig asks for the build refuses.
dotnet format whitespace . --folder --verify-no-changes
dotnet format style Converter.sln --verify-no-changes --no-restore --diagnostics IMPORTS
dotnet build Converter.sln -c Release --no-restore

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Tests that run the program run it as users get it, native; and as it was built, where what compiles or links that cannot be had.
rid=$(dotnet msbuild src/CimConvert.Cli -getProperty:NETCoreSdkPortableRuntimeIdentifier)
if command -v gcc >/dev/null 2>&1 && dotnet restore src/CimConvert.Cli -p:RuntimeIdentifier="$rid"; then
  dotnet publish src/CimConvert.Cli -c Release -r "$rid" --no-restore -p:RunAnalyzers=false -o "$results/program"
  export CIMCONVERT_PROGRAM=$results/program/cimconvert
fi

status=0
dotnet test tests/CimConvert.Tests -c Release --no-build --logger "trx;LogFileName=tests.trx" --results-directory "$results" || status=$?

trx=$results/tests.trx
[ -s "$trx" ] || { echo "the test run left no results" >&2; exit 1; }

# What was skipped, and why: never silently.
tr '\n' ' ' <"$trx" | sed 's/<UnitTestResult /\n&/g' | grep 'outcome="NotExecuted"' \
  | sed -E 's/.*testName="([^"]*)".*<Message>([^<]*)<.*/skipped: \1: \2/' || true

count() { grep -o '<Counters [^>]*' "$trx" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*'; }
total=$(count total) executed=$(count executed) passed=$(count passed)
echo "$passed passed, $((executed - passed)) failed, $((total - executed)) skipped"
[ "$passed" -gt 0 ] || status=1
exit $status
