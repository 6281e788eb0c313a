#!/usr/bin/env bash
# The macro benchmark: whole conversions by the published program, in turn with what decompresses and unpacks elsewhere. Installs
# with apt, where it may, the programs it compares with. `benchmarks/run.sh --help` says more. Rooms are measured one by one by
# `dotnet run -c Release --project benchmarks/CimConvert.Benchmarks -- --filter '*'`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# program=package
tools=(
  igzip=isal
  zstd=zstd
  sqfstar=squashfs-tools
  tar2sqfs=squashfs-tools-ng
  docker-registry=docker-registry
  time=time
  gcc=g++
)

missing=()
for tool in "${tools[@]}"; do
  type -P "${tool%%=*}" >/dev/null || missing+=("${tool#*=}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT

# The program as users get it, native. What runs beside it, decompression alone too, is compiled ahead as far as it can be.
dotnet publish "$here/../src/CimConvert.Cli" -c Release -r linux-x64 -o "$programs/CimConvert.Cli" -v quiet >&2
dotnet publish "$here/CimConvert.Benchmarks" -c Release -r linux-x64 --self-contained false -o "$programs/CimConvert.Benchmarks" -v quiet >&2
"$programs/CimConvert.Benchmarks/CimConvert.Benchmarks" macro --program "$programs/CimConvert.Cli/cimconvert" --data "$here/data" "$@"
