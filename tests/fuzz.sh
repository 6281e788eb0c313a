#!/usr/bin/env bash
# Feeds damaged inputs to everything that reads other people's bytes, for as long as told; see tests/CimConvert.Tests/Fuzzing.
# Ends with a line of what was run and found, and fails where anything was found. A finding is run again with:
#   dotnet tests/CimConvert.Tests/bin/Release/net10.0/CimConvert.Tests.dll replay HARNESS FILE
# usage: tests/fuzz.sh SECONDS [--cores N] [--seed N] [--folder DIR] [HARNESS]...
set -euo pipefail

usage() { echo "usage: tests/fuzz.sh SECONDS [--cores N] [--seed N] [--folder DIR] [HARNESS]..." >&2; exit 2; }

[[ ${1:-} =~ ^[0-9]+$ ]] || usage
seconds=$1
shift
cores=1 seed=$((SECONDS + $$)) folder=
while [[ ${1:-} == --* ]]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --cores) cores=$2 ;;
    --seed) seed=$2 ;;
    --folder) folder=$2 ;;
    *) usage ;;
  esac
  shift 2
done

tests=$(cd "$(dirname "$0")" && pwd)
folder=${folder:-$(mktemp -d)}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build "$tests/CimConvert.Tests" -c Release >"$folder.build" || { cat "$folder.build" >&2; exit 1; }
rm "$folder.build"

# A copy, so that the run goes on undisturbed by later builds; what harnesses write goes to memory where there is such a place.
program=$(mktemp -d)
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$program" "$scratch"' EXIT
cp -r "$tests/CimConvert.Tests/bin/Release/net10.0/." "$program"
TMPDIR=$scratch dotnet "$program/CimConvert.Tests.dll" run "$seconds" "$cores" "$seed" "$folder" "$@"
