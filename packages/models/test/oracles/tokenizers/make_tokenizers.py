"""Trains four small tokenizers on texts.json.gz and writes them as folders. Needs transformers 4.57 (for the conversion of
an spm.model to tokenizer.json, and the Python DebertaV2Tokenizer that record_ids.py --slow uses).

    python make_tokenizers.py texts.json.gz <folder>
"""
import gzip, json, os, sys, tempfile, unicodedata

import sentencepiece
from tokenizers import BertWordPieceTokenizer
from transformers import DebertaV2TokenizerFast

texts_file, root = sys.argv[1:3]
with gzip.open(texts_file) as file:
    texts = [t.replace("\0", "") for t in json.load(file)["texts"]]
lines = [line for text in texts for line in text[:2000].splitlines() if line.strip()]


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, separators=(",", ":"))


def train_spm(name, config, **settings):
    folder = os.path.join(root, name)
    os.makedirs(folder, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as corpus:
        corpus.write("\n".join(lines))
        corpus.flush()
        sentencepiece.SentencePieceTrainer.train(
            input=corpus.name, model_prefix=os.path.join(folder, "spm"), model_type="unigram", character_coverage=0.98,
            pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]",
            num_threads=1, minloglevel=2, **settings)
    os.remove(os.path.join(folder, "spm.vocab"))
    write_json(os.path.join(folder, "tokenizer_config.json"), config)
    write_json(os.path.join(folder, "config.json"), {"model_type": "deberta-v2"})


def write_rules(path):
    """nmt_nfkc in small: its rules for the characters, and pairs of characters, that the texts hold (the whole map has
    237 KB; check-tokenizers.ts compares it on DeBERTa-v3's own model)."""
    rules = {}
    for text in texts:
        for part in list(text) + [text[i : i + 2] for i in range(len(text) - 1)]:
            if len(part) == 2 and not unicodedata.category(part[1]).startswith("M"):
                continue
            folded = "".join(" " if c.isspace() or c in "\u200b\u200e\u200f\ufeff\ufffd" else "" if unicodedata.category(c) == "Cc" else c for c in part)
            folded = unicodedata.normalize("NFKC", folded)
            if folded != part:
                rules[part] = folded
    with open(path, "w", encoding="utf-8") as file:
        for source, target in sorted(rules.items()):
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")


word_piece = BertWordPieceTokenizer(lowercase=True)
word_piece.train_from_iterator(lines, vocab_size=1500, min_frequency=2, show_progress=False)
word_piece_json = json.loads(word_piece.to_str())
word_piece_json["added_tokens"] = [dict(token, special=True) for token in word_piece_json["added_tokens"]]
ids = word_piece_json["model"]["vocab"]
word_piece_json["post_processor"] = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
    "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in ("[CLS]", "[SEP]")},
}
write_json(os.path.join(root, "wordpiece", "tokenizer.json"), word_piece_json)
config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
write_json(os.path.join(root, "wordpiece", "tokenizer_config.json"), config)

with tempfile.TemporaryDirectory() as scratch:
    write_rules(os.path.join(scratch, "rules.tsv"))
    train_spm("sentencepiece", {"do_lower_case": False}, vocab_size=1400, byte_fallback=True, normalization_rule_tsv=os.path.join(scratch, "rules.tsv"))
train_spm("sentencepiece-plain", {"do_lower_case": True, "split_by_punct": True}, vocab_size=1200, normalization_rule_name="identity", remove_extra_whitespaces=False, user_defined_symbols=["homework", "home", "»«"])

fast = DebertaV2TokenizerFast.from_pretrained(os.path.join(root, "sentencepiece"))
unigram = json.loads(fast.backend_tokenizer.to_str())
write_json(os.path.join(root, "unigram", "tokenizer.json"), unigram)
write_json(os.path.join(root, "unigram", "tokenizer_config.json"), config)
