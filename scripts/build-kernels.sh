#!/usr/bin/env bash
# Compiles packages/onnx-grad/src/kernels/assembly/kernels.ts and writes the module as a base64 constant, so that it
# loads in Node and in the browser alike without a file. Run from anywhere after `npm ci`; the result is committed.
# With an argument, writes there instead: the test that the committed module is current does so.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="$root/packages/onnx-grad/src/kernels"
output="${1:-$folder/generated/kernels-wasm.ts}"
wasm="$(mktemp)"
trap 'rm -f "$wasm"' EXIT

# 65,536 pages are 4 GiB, the most a memory can hold; the memory itself comes from the caller
"$root/node_modules/.bin/asc" "$folder/assembly/kernels.ts" --outFile "$wasm" -O3 --noAssert --runtime stub \
  --enable simd,threads,bulk-memory --importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536

cat > "$output" <<TS
/** Made by scripts/build-kernels.sh from assembly/kernels.ts. */
export const kernelsWasmBase64 =
  '$(base64 -w 0 "$wasm")';
TS
