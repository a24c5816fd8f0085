"""Trains eight small tokenizers on texts.json.gz and writes them as folders. Needs transformers 4.57 (for the conversion of
an spm.model to tokenizer.json, and the Python tokenizers that record_ids.py --slow uses).

    python make_tokenizers.py texts.json.gz <folder>
"""
import gzip, json, os, sys, tempfile, unicodedata

import sentencepiece
from tokenizers import AddedToken, BertWordPieceTokenizer, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import DebertaV2TokenizerFast, XLMRobertaTokenizerFast

texts_file, root = sys.argv[1:3]
with gzip.open(texts_file) as file:
    texts = [t.replace("\0", "") for t in json.load(file)["texts"]]
lines = [line for text in texts for line in text[:2000].splitlines() if line.strip()]


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, separators=(",", ":"))


DEBERTA = dict(pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]")
XLM_ROBERTA = dict(unk_id=0, bos_id=1, eos_id=2, pad_id=-1)  # their usual names: <unk> <s> </s>


def train_spm(name, config, model_type="deberta-v2", file_name="spm", specials=DEBERTA, **settings):
    folder = os.path.join(root, name)
    os.makedirs(folder, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as corpus:
        corpus.write("\n".join(lines))
        corpus.flush()
        sentencepiece.SentencePieceTrainer.train(
            input=corpus.name, model_prefix=os.path.join(folder, file_name), model_type="unigram", character_coverage=0.98,
            num_threads=1, minloglevel=2, **specials, **settings)
    os.remove(os.path.join(folder, f"{file_name}.vocab"))
    write_json(os.path.join(folder, "tokenizer_config.json"), config)
    write_json(os.path.join(folder, "config.json"), {"model_type": model_type})


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
    rules = os.path.join(scratch, "rules.tsv")
    train_spm("sentencepiece", {"do_lower_case": False}, vocab_size=1400, byte_fallback=True, normalization_rule_tsv=rules)
    train_spm("xlm-roberta-spm", {}, "xlm-roberta", "sentencepiece.bpe", XLM_ROBERTA, vocab_size=1200, normalization_rule_tsv=rules)
train_spm("sentencepiece-plain", {"do_lower_case": True, "split_by_punct": True}, vocab_size=1200, normalization_rule_name="identity", remove_extra_whitespaces=False, user_defined_symbols=["homework", "home", "»«"])

fast = DebertaV2TokenizerFast.from_pretrained(os.path.join(root, "sentencepiece"))
unigram = json.loads(fast.backend_tokenizer.to_str())
write_json(os.path.join(root, "unigram", "tokenizer.json"), unigram)
write_json(os.path.join(root, "unigram", "tokenizer_config.json"), config)

# as facebook publishes it: no merging of spaces by the normalizer, words cut at white space first
xlm_roberta = json.loads(XLMRobertaTokenizerFast.from_pretrained(os.path.join(root, "xlm-roberta-spm")).backend_tokenizer.to_str())
xlm_roberta["normalizer"] = next(n for n in xlm_roberta["normalizer"]["normalizers"] if n["type"] == "Precompiled")
metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
xlm_roberta["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}
write_json(os.path.join(root, "xlm-roberta", "tokenizer.json"), xlm_roberta)
write_json(os.path.join(root, "xlm-roberta", "tokenizer_config.json"), {"tokenizer_class": "XLMRobertaTokenizer"})


def train_bytes(names, normalizer=None, **settings):
    """Byte-level BPE: every byte is in the vocabulary, after the special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(**settings)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, special_tokens=names, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


# RoBERTa: merges as strings, as files before 2024 have them; also as vocab.json and merges.txt
names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
roberta = train_bytes(names[:4], add_prefix_space=False)
roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
roberta.add_special_tokens([AddedToken("<mask>", lstrip=True)])
roberta_json = json.loads(roberta.to_str())
model = roberta_json["model"]
model["vocab"]["<mask>"] = len(model["vocab"])
model["merges"] = [" ".join(pair) for pair in model["merges"]]
write_json(os.path.join(root, "roberta", "tokenizer.json"), roberta_json)
config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "special": True}}
write_json(os.path.join(root, "roberta", "tokenizer_config.json"), config)
write_json(os.path.join(root, "roberta-files", "vocab.json"), model["vocab"])
with open(os.path.join(root, "roberta-files", "merges.txt"), "w", encoding="utf-8") as file:
    file.write("#version: 0.2\n" + "\n".join(model["merges"]) + "\n")
write_json(os.path.join(root, "roberta-files", "tokenizer_config.json"), {**config, "add_prefix_space": True})
write_json(os.path.join(root, "roberta-files", "config.json"), {"model_type": "roberta"})

# ModernBERT: NFC, runs of spaces and placeholders added as ordinary tokens, special tokens after the vocabulary
modernbert = train_bytes([], normalizers.NFC(), add_prefix_space=False)
spaces = [AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)]
modernbert.add_tokens([AddedToken("|||EMAIL_ADDRESS|||", normalized=True), *spaces, AddedToken("prank", single_word=True, normalized=True)])
specials = [AddedToken(name, normalized=False) for name in ("[UNK]", "[CLS]", "[SEP]", "[PAD]")]
modernbert.add_special_tokens([*specials, AddedToken("[MASK]", lstrip=True, normalized=False)])
cls, sep = modernbert.token_to_id("[CLS]"), modernbert.token_to_id("[SEP]")
modernbert.post_processor = processors.TemplateProcessing(
    single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
write_json(os.path.join(root, "modernbert", "tokenizer.json"), json.loads(modernbert.to_str()))
config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]", "model_input_names": ["input_ids", "attention_mask"]}
write_json(os.path.join(root, "modernbert", "tokenizer_config.json"), config)
