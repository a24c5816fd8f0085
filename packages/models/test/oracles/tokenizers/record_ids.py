"""Records what transformers makes of texts.json.gz: ids of every text, of pairs cut to a length, and with special tokens
in the text read as text. Stamped with versions.

    python record_ids.py <folder> texts.json.gz ids.json.gz [--slow]

--slow takes transformers' Python tokenizer (transformers 4.57, sentencepiece); without it AutoTokenizer.
"""
import gzip, json, sys

import transformers

folder, texts_file, out_file = sys.argv[1:4]
if "--slow" in sys.argv:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=False)
    assert not tokenizer.is_fast
else:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.is_fast
with gzip.open(texts_file) as file:
    data = json.load(file)
texts, pairs = data["texts"], data["pairs"]

ids = [tokenizer([text])["input_ids"][0] for text in texts]
pair_ids = []
for first, second, length in pairs:
    encoded = tokenizer([texts[first]], [texts[second]], truncation="longest_first", max_length=length, return_token_type_ids=True)
    pair_ids.append([encoded["input_ids"][0], encoded["token_type_ids"][0]])
as_text = {}
tokenizer.split_special_tokens = True  # the Python tokenizers read the attribute, the Rust ones the argument
for i, text in enumerate(texts):
    if len(text) < 200:
        literal = tokenizer([text], split_special_tokens=True)["input_ids"][0]
        if literal != ids[i]:
            as_text[i] = literal
versions = {"transformers": transformers.__version__, "tokenizer": type(tokenizer).__name__}
for name in ("tokenizers", "sentencepiece"):
    versions[name] = __import__(name).__version__
body = json.dumps({"versions": versions, "ids": ids, "pairs": pair_ids, "asText": as_text}, separators=(",", ":")).encode()
with open(out_file, "wb") as out:
    out.write(gzip.compress(body, 9, mtime=0))
print(versions, len(ids), "texts,", len(as_text), "read differently as text")
