#!/bin/sh
# Makes every file of this folder anew: sh make.sh <python with transformers 4.57> <python with transformers 5>, Node 24 in
# the path. Both need sentencepiece; the first also protobuf and tiktoken. Recorded with transformers 4.57.6 (tokenizers 0.22.2) and
# 5.23.0 (tokenizers 0.23.3), sentencepiece 0.2.3.
set -e
cd "$(dirname "$0")"
slow=$1 fast=$2 work=$(mktemp -d)
"$slow" make_texts.py texts.json.gz
"$slow" make_tokenizers.py texts.json.gz "$work"
mkdir "$work/trained" && cp "$work/wordpiece/tokenizer_config.json" "$work/trained/"
node --conditions=source ../../../scripts/train-tokenizer.ts texts.json.gz "$work/trained/tokenizer.json" 1000
"$fast" make_decoder_tokenizers.py texts.json.gz "$work"
for kind in wordpiece unigram xlm-roberta roberta roberta-files modernbert trained llama llama3 qwen2; do
  "$fast" record_ids.py "$work/$kind" texts.json.gz "$work/$kind/ids.json.gz"
done
for kind in sentencepiece sentencepiece-plain xlm-roberta-spm; do
  "$slow" record_ids.py "$work/$kind" texts.json.gz "$work/$kind/ids.json.gz" --slow
done
for kind in wordpiece unigram sentencepiece sentencepiece-plain xlm-roberta xlm-roberta-spm roberta roberta-files modernbert trained \
  llama llama3 qwen2; do
  mkdir -p "$kind"
  cp "$work/$kind/ids.json.gz" "$kind/"
  for file in tokenizer.json spm.model sentencepiece.bpe.model vocab.json merges.txt tokenizer_config.json; do
    if [ -f "$work/$kind/$file" ]; then gzip -9nc "$work/$kind/$file" > "$kind/$file.gz"; fi
  done
done
rm -r "$work"
