"""Trains small tokenizers in the forms of decoders on texts.json.gz and writes them as folders. Needs transformers 5.

    python make_decoder_tokenizers.py texts.json.gz <folder>
"""
import gzip, json, os, sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

texts_file, root = sys.argv[1:3]
with gzip.open(texts_file) as file:
    texts = [t.replace("\0", "") for t in json.load(file)["texts"]]
lines = [line for text in texts for line in text[:2000].splitlines() if line.strip()]


def save(name, tokenizer, **config):
    folder = os.path.join(root, name)
    os.makedirs(folder, exist_ok=True)
    files = {"tokenizer.json": json.loads(tokenizer.to_str()), "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", **config}}
    for file_name, value in files.items():
        with open(os.path.join(folder, file_name), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, separators=(",", ":"))


# Llama 2, TinyLlama: SentencePiece's BPE as tokenizers has it. Characters that are not in the vocabulary are spelled in bytes.
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
llama = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
llama.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, special_tokens=["<unk>", "<s>", "</s>", *BYTES], limit_alphabet=150, show_progress=False)
llama.train_from_iterator(lines, trainer)
described = json.loads(llama.to_str())
described["added_tokens"] = [token for token in described["added_tokens"] if token["id"] < 3]
described["pre_tokenizer"] = None
llama = Tokenizer.from_str(json.dumps(described))
llama.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
llama.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
llama.post_processor = processors.TemplateProcessing(single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1", special_tokens=[("<s>", 1)])
save("llama", llama, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>")


def train_bytes(pattern, normalizer=None, **settings):
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.normalizer = normalizer
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1500, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

# Llama 3: up to three digits, whole words of the vocabulary taken as they are
llama3 = train_bytes(WORDS % r"\p{N}{1,3}", ignore_merges=True)
names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
llama3.add_special_tokens([AddedToken(name, normalized=False) for name in names])
begin = ("<|begin_of_text|>", llama3.token_to_id("<|begin_of_text|>"))
template = processors.TemplateProcessing(single="<|begin_of_text|>:0 $A:0", pair="<|begin_of_text|>:0 $A:0 <|begin_of_text|>:1 $B:1", special_tokens=[begin])
llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
save("llama3", llama3, bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>", pad_token="<|end_of_text|>")

# Qwen2: NFC, digit by digit, nothing around a text
qwen2 = train_bytes(WORDS % r"\p{N}", normalizers.NFC())
qwen2.add_special_tokens([AddedToken(name, normalized=False) for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
qwen2.post_processor = processors.ByteLevel(trim_offsets=False)
save("qwen2", qwen2, eos_token="<|im_end|>", pad_token="<|endoftext|>")
