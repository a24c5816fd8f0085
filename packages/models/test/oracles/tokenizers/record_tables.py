"""Prints the character classes in src/tokenizers/json/unicode-tables.ts, as the tokenizers library shows them, and how many
letters and numbers its byte-level pre-tokenizer knows (src/tokenizers/byte-level.ts, whose lists of younger ones are what
Unicode 17 has beyond them).

    python record_tables.py        (tokenizers 0.23.3)
"""
from tokenizers import normalizers, pre_tokenizers

OFF = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
clean = normalizers.BertNormalizer(**{**OFF, "clean_text": True})
accents = normalizers.BertNormalizer(**{**OFF, "strip_accents": True})
nfd = normalizers.NFD()
bert = pre_tokenizers.BertPreTokenizer()
byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)


def ranges(code_points):
    runs = []
    for c in code_points:
        if runs and runs[-1][1] == c - 1:
            runs[-1][1] = c
        else:
            runs.append([c, c])
    return " ".join(f"{low:x}" if low == high else f"{low:x}-{high:x}" for low, high in runs)


found = {"NONSPACING_MARKS": [], "PUNCTUATION": [], "CONTROLS": []}
counts = {"letters": 0, "numbers": 0}
for c in (c for c in range(0x110000) if not 0xD800 <= c < 0xE000):
    text = f"a{chr(c)}a"
    if accents.normalize_str(text) == "aa" and nfd.normalize_str(text) == text:
        found["NONSPACING_MARKS"].append(c)
    if len(bert.pre_tokenize_str(text)) == 3:
        found["PUNCTUATION"].append(c)
    if clean.normalize_str(text) == "aa":
        found["CONTROLS"].append(c)
    counts["letters"] += len(byte_level.pre_tokenize_str(f"a{chr(c)}")) == 1
    counts["numbers"] += len(byte_level.pre_tokenize_str(f"1{chr(c)}")) == 1
print(counts)
for name, code_points in found.items():
    print(name, ranges(code_points))
