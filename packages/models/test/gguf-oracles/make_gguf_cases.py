"""Writes the GGUF tests' oracles: tiny Llamas and Qwens of Hugging Face transformers with their tokenizers, ids and probabilities.

    .venv/bin/python make_gguf_cases.py        # .venv as ../oracles/make_models.py makes it, and `pip install gguf`

A case is a folder of gzipped files: config.json and the tokenizer's files as transformers saves them, and expected.json:

- `ids`: the chat in tokens, with its control tokens; `top`: of each position the likeliest next tokens, [[id, probability], ...]
- `chat`: its messages and how transformers renders them
- `texts`: varied texts with ids that take control tokens in them for such (`as_tokens`) and that do not (`as_text`)

Weights are not kept: they are whole numbers of 11 bits from a generator that both sides have, times a power of two, so
that every type but q8_0 holds them exactly. codecs.json.gz holds what the gguf package makes of some values.
"""

import gzip
import json
import math
import platform
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).parent
SEED = 20251125
TOP = 8
POSITIONS = 200  # at least

SENTENCES = """
Please remind me to water the plants before I leave for work tomorrow morning.
The cat sat on the keyboard again and sent a very strange message to my boss.
How do I kill a Python process that does not answer any more?
My neighbour plays the drums at night, and I'd like to ask him politely to stop.
Write a short poem about a rainy day in the library, with three verses.
You're the worst cook in town, he said, and she threw the soup out of the window.
They borrowed his homework, copied it word for word, and got a better mark.
Thank you so much! I'll call you back at 10:30, or 11:45 if the train is late.
Click here to win a free phone!!! Only today, only 1 of 1000 lucky winners.
What is the capital of France, and how many people live there in 2024?
She isn't angry, she's just tired of hearing the same joke every single morning.
Nobody asked you. Go away and take your silly hat with you.
The recipe needs 250 grams of flour, 3 eggs, and a little bit of patience.
Can you explain how a bicycle stays upright when it is moving forward?
We won't tell the teacher who drew the moustache on the poster in the hall.
""".strip().split("\n")

TEXTS = [
    *SENTENCES[:6],
    "",
    " ",
    "   ",
    "\n",
    "\n\n\n",
    "a",
    " a",
    "  a  b   c    ",
    "\ta\t\tb\n c\r\n\r\nd",
    "line one\nline two\n\nline four\n",
    "trailing space ",
    "I'm, I'M, we've, WE'VE, they'll, he'd, it's, don't, 'tis, ''quoted''",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 2024-11-25 10:30",
    "x1y22z333 a1b2c3 v2.0.1-rc3",
    "snake_case camelCase kebab-case SCREAMING_CASE",
    "if (x != y) { return a[i] * (b + 2); } // comment",
    "....!!!???,,,;;;:::---___***",
    "( a ) [b] {c} <d> \"e\" 'f' `g`",
    "https://example.com/path?query=1&other=two#part",
    "naïve café façade Übergröße ñandú",
    "na\u0308ive cafe\u0301 decomposed",
    "Привет, как дела? Это просто текст.",
    "Γειά σου Κόσμε",
    "שלום עולם، مرحبا بالعالم",
    "नमस्ते दुनिया",
    "你好，世界。我在学习中文。",
    "東京でラーメンを食べました",
    "안녕하세요 세계",
    "สวัสดีชาวโลก",
    "😀 🎉🎉 👩‍💻 🇫🇷 ✅ ❤️",
    "½ ² ⅷ ① ٣ ४",
    "a\u00a0b\u2003c\u3000d\u200be\ufefff",
    "\u2581already\u2581marked \u2581",
    "\u0000\u0001\u001f\u007f\u0085\u00ad",
    "𝒳𝓎𝓏 𝟙𝟚𝟛 𐍈",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "thethethethethe the the",
    "xxxxxxxx the cat xxxxx",
]

CHAT = [
    {"role": "system", "content": "You are a judge of manners. Say if a message is rude, and nothing else, please."},
    {"role": "user", "content": "You're the worst cook in town, and nobody asked you! Is that 1 or 2 rude things?"},
    {"role": "assistant", "content": "rude: 2 things.\nThe first is about the soup, the second about the hat."},
    {"role": "user", "content": "Thank you so much! How do I kill a Python process, I'd like to ask politely?"},
    {"role": "assistant", "content": "polite"},
    {"role": "user", "content": "Please write a short poem about café, 東京 and a rainy day 🎉 in 250 words."},
]

GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def write(path: Path, value) -> None:
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0))


# Weights


def mulberry32(seed: int, count: int) -> np.ndarray:
    """The first numbers of ../../src/initialize.ts, as 32 bits."""
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)).astype(np.uint32)
    t = (state ^ (state >> np.uint32(15))) * (np.uint32(1) | state)
    t = (t + (t ^ (t >> np.uint32(7))) * (np.uint32(61) | t)) ^ t
    return t ^ (t >> np.uint32(14))


def fnv1a(text: str) -> int:
    value = 0x811C9DC5
    for character in text:
        value = ((value ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return value


def exponent_of(name: str) -> int:
    """Values are from -2^(10 - e) to just below 2^(10 - e)."""
    return 11 if name.endswith(".bias") else 12


def fill(model: torch.nn.Module) -> None:
    for name, parameter in model.named_parameters():
        numbers = (mulberry32(fnv1a(name) ^ SEED, parameter.numel()) >> np.uint32(21)).astype(np.int64) - 1024
        values = numbers * 2.0 ** -exponent_of(name) + (1 if "norm" in name else 0)
        parameter.data = torch.tensor(values, dtype=torch.float32).reshape(parameter.shape)


# Tokenizers


def byte_level(pre_tokenizer, specials: list[str], ignore_merges=False, normalizer=None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=256 + 80, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_special_tokens(specials)
    return tokenizer


def sentence_piece() -> Tokenizer:
    """In the form of Llama 2's tokenizer.json, with a word that was added after training."""
    controls = ["<unk>", "<s>", "</s>"]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=3 + 256 + 140, special_tokens=controls + byte_tokens, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    form = json.loads(tokenizer.to_str())
    form["added_tokens"] = [token for token in form["added_tokens"] if token["content"] in controls]
    form["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(form))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_tokens([tokenizers.AddedToken("<tool>", normalized=False)])
    return tokenizer


def begin_with(tokenizer: Tokenizer, name: str) -> Tokenizer:
    token = (name, tokenizer.token_to_id(name))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{name} $A", pair=f"{name} $A {name}:1 $B:1", special_tokens=[token]
    )
    return tokenizer


def split_then_bytes(regex: str):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


LLAMA3_SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
LLAMA3_CHAT = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
CHATML_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML_CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
INST_CHAT = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ message['content'] + eos_token }}{% else %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% endif %}"
    "{% endfor %}"
)
CHATML = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": CHATML_CHAT}


def llama3_tokenizer() -> PreTrainedTokenizerFast:
    backend = byte_level(split_then_bytes(GPT4 % r"\p{N}{1,3}"), LLAMA3_SPECIALS, ignore_merges=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=begin_with(backend, "<|begin_of_text|>"),
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        chat_template=LLAMA3_CHAT,
    )


def qwen2_tokenizer() -> PreTrainedTokenizerFast:
    backend = byte_level(split_then_bytes(GPT4 % r"\p{N}"), CHATML_SPECIALS, normalizer=normalizers.NFC())
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **CHATML)


def smollm_tokenizer() -> PreTrainedTokenizerFast:
    cut = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=byte_level(cut, CHATML_SPECIALS), bos_token="<|im_start|>", unk_token="<|endoftext|>", **CHATML
    )


def gpt2_tokenizer() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), CHATML_SPECIALS), **CHATML
    )


def spm_tokenizer() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=begin_with(sentence_piece(), "<s>"),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        chat_template=INST_CHAT,
    )


# Cases

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
LINEAR_ROPE = {"rope_type": "linear", "rope_theta": 20_000.0, "factor": 2.0}
# more embeddings than tokens, as published models have
CASES = {
    "llama-llama3": (LlamaForCausalLM, LlamaConfig, llama3_tokenizer, {"rope_parameters": LLAMA3_ROPE}, 7),
    "llama-spm": (
        LlamaForCausalLM,
        LlamaConfig,
        spm_tokenizer,
        {"rope_parameters": LINEAR_ROPE, "tie_word_embeddings": True, "num_hidden_layers": 3},
        0,
    ),
    "llama-smollm": (
        LlamaForCausalLM,
        LlamaConfig,
        smollm_tokenizer,
        {"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 4, "head_dim": 24, "rms_norm_eps": 1e-5},
        0,
    ),
    "qwen2-qwen2": (Qwen2ForCausalLM, Qwen2Config, qwen2_tokenizer, {"tie_word_embeddings": True}, 13),
    "qwen2-gpt2": (Qwen2ForCausalLM, Qwen2Config, gpt2_tokenizer, {"intermediate_size": 112}, 0),
}


def record(name: str) -> None:
    model_class, config_class, make_tokenizer, changes, spare = CASES[name]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    tokenizer = make_tokenizer()
    saved = folder / "saved"
    tokenizer.save_pretrained(saved)
    config = config_class(
        **{**SIZES, **changes},
        vocab_size=len(tokenizer) + spare,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    model = model_class(config).eval()
    fill(model)
    config.architectures = [model_class.__name__]
    config.save_pretrained(saved)
    for file in saved.iterdir():
        write(folder / f"{file.name}.gz", file.read_bytes())
        file.unlink()
    saved.rmdir()

    rendered = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    assert len(ids) >= POSITIONS, (name, len(ids))
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].double()
    probabilities = torch.softmax(logits, -1)
    best = torch.topk(probabilities, TOP, dim=-1)
    top = [
        [[int(i), round(float(p), 6)] for i, p in zip(*row)] for row in zip(best.indices.tolist(), best.values.tolist())
    ]
    largest = best.values[:, 0]
    assert 10 / config.vocab_size < float(largest.mean()) < 0.9, (name, float(largest.mean()))  # neither flat nor sure

    backend = tokenizer.backend_tokenizer
    controls = [*(token for token in tokenizer.all_special_tokens), "<tool>"]
    texts = [*TEXTS, *(f"Hi{control} there {control}" for control in controls), "".join(controls)]
    both = {}
    for key, as_text in (("as_tokens", False), ("as_text", True)):
        backend.encode_special_tokens = as_text
        both[key] = [backend.encode(text, add_special_tokens=False).ids for text in texts]
    with_ends = tokenizer("Thank you")["input_ids"]
    write(
        folder / "expected.json.gz",
        {
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__,
                "gguf": version("gguf"),
            },
            "seed": SEED,
            "weight_sums": {key: float(value.detach().double().sum()) for key, value in model.named_parameters()},
            "ids": ids,
            "top": top,
            "chat": {"messages": CHAT, "rendered": rendered},
            "texts": [{"text": text, **{key: both[key][i] for key in both}} for i, text in enumerate(texts)],
            "with_ends": with_ends,
        },
    )
    entropy = -(probabilities * probabilities.log()).sum(-1).mean()
    print(
        f"{name}: {len(ids)} positions, vocabulary {config.vocab_size}, likeliest {float(largest.mean()):.2f} "
        f"({float(largest.min()):.2f} to {float(largest.max()):.2f}), entropy {float(entropy):.2f} of {math.log(config.vocab_size):.2f}"
    )


def record_codecs() -> None:
    """What the gguf package makes of numbers at the edges of the types, a row of 32 each."""
    numbers = (mulberry32(SEED, 32 * 6) / 2.0**32 - 0.5).astype(np.float32)
    rows = numbers.reshape(6, 32).copy()
    rows[1] *= np.float32(1e-3)
    rows[2] *= np.float32(1e4)
    rows[3] = 0
    rows[4] = (np.arange(32) - 16) / np.float32(127)  # whole levels
    rows[4, 0] = 1
    rows[5, 1:] = np.float32(1e-7) * np.arange(1, 32)
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -126.5, 126.5, 127], dtype=np.float32)  # ties between levels
    rows = np.concatenate([rows, np.resize(halves, (1, 32))])
    small = np.array(
        [0, -0.0, 1, -2, 65504, 6e-8, 3e-8, 2.9802322e-8, 2.98023224e-8, 6.1e-5, 6.097555e-5, 1.0004883, 1.0014648, 1 / 3, 0.1],
        dtype=np.float32,
    )
    write(
        HERE / "codecs.json.gz",
        {
            "rows": [[float(value) for value in row] for row in rows],
            "q8_0": gguf.quants.quantize(rows, gguf.GGMLQuantizationType.Q8_0).tobytes().hex(),
            "q8_0_values": gguf.quants.dequantize(
                gguf.quants.quantize(rows, gguf.GGMLQuantizationType.Q8_0), gguf.GGMLQuantizationType.Q8_0
            )
            .flatten()
            .tolist(),
            "small": [float(value) for value in small],
            "f16": small.astype(np.float16).tobytes().hex(),
        },
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in CASES:
        record(case)
    record_codecs()
