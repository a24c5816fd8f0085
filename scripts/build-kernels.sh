#!/usr/bin/env bash
# Compiles packages/onnx-grad/src/kernels/assembly/kernels.ts and writes the module as a base64 constant, so that it
# loads in Node and in the browser alike without a file. Run from anywhere; the result is committed, and a test holds the
# hash in it against the source. The compiler, 24 MB that no one else needs, is fetched for it.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="$root/packages/onnx-grad/src/kernels"
source="$folder/assembly/kernels.ts"
output="$folder/generated/kernels-wasm.ts"
wasm="$(mktemp)"
trap 'rm -f "$wasm"' EXIT

# 65,536 pages are 4 GiB, the most a memory can hold; the memory itself comes from the caller
npx --yes --package assemblyscript@0.28.20 -- asc "$source" --outFile "$wasm" -O3 --noAssert --runtime stub \
  --enable simd,threads,bulk-memory --importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536

cat > "$output" <<TS
/** Made by scripts/build-kernels.sh from assembly/kernels.ts, SHA-256 $(sha256sum "$source" | cut -d ' ' -f 1). */
export const kernelsWasmBase64 =
  '$(base64 -w 0 "$wasm")';
TS
