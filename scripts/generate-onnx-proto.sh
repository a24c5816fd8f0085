#!/usr/bin/env bash
# Regenerates packages/onnx-grad/test/generated/onnx_pb.ts, which the tests hold our reader and writer against, from
# onnx.proto, the file of PyPI's onnx 1.23.2.
# Run from anywhere; the result is committed. The compiler, 33 MB that no one else needs, is fetched for it.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="$root/packages/onnx-grad/src/onnx"
generated="$root/packages/onnx-grad/test/generated"
compiler=(npx --yes --package @bufbuild/buf@1.75.0 --package @bufbuild/protoc-gen-es@2.13.0 --)

"${compiler[@]}" buf generate "$folder" --path "$folder/onnx.proto" --template '{
  "version": "v2",
  "plugins": [{ "local": "protoc-gen-es", "out": "'"$generated"'", "opt": ["target=ts", "import_extension=js"] }]
}'

# protoc-gen-es writes TypeScript enums, which Node cannot strip away: make each a constant record and a union type.
perl -0pi -e '
  s{export enum (\w+) \{(.*?)\n\}}{
    my ($name, $body) = ($1, $2);
    $body =~ s/^(\s+\w+) = (\d+),/$1: $2,/mg;
    "export const $name = {$body\n} as const;\nexport type $name = (typeof $name)[keyof typeof $name];"
  }gse' "$generated/onnx_pb.ts"
