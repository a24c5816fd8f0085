"""Reads the GGUF files that we write with llama.cpp's own Python package: names, types, shapes, values.

    python -m venv venv && venv/bin/pip install gguf
    node --conditions=source packages/models/test/gguf-oracles/write-cases.ts <folder>
    venv/bin/python packages/models/scripts/check_gguf.py <folder>

For every <case>.f32.gguf the f16 and q8_0 files beside it must hold what the package itself makes of the f32 values.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np

TYPES = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
}
FILE_TYPES = {"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
OUR_TOKEN_TYPES = set(int(kind) for kind in gguf.TokenType)


def expected_type(asked: str, shape: list[int]) -> gguf.GGMLQuantizationType:
    if len(shape) < 2:
        return TYPES["f32"]
    return TYPES["f16"] if asked == "q8_0" and shape[-1] % 32 else TYPES[asked]


def check_metadata(reader: gguf.GGUFReader, asked: str) -> None:
    field = lambda name: reader.fields[name].contents()
    architecture = field(gguf.Keys.General.ARCHITECTURE)
    assert architecture in ("llama", "qwen2"), architecture
    assert field(gguf.Keys.General.FILE_TYPE) == FILE_TYPES[asked]
    assert field(gguf.Keys.General.QUANTIZATION_VERSION) == gguf.GGML_QUANT_VERSION
    for key in (
        gguf.Keys.LLM.CONTEXT_LENGTH,
        gguf.Keys.LLM.EMBEDDING_LENGTH,
        gguf.Keys.LLM.BLOCK_COUNT,
        gguf.Keys.LLM.FEED_FORWARD_LENGTH,
        gguf.Keys.LLM.VOCAB_SIZE,
        gguf.Keys.Attention.HEAD_COUNT,
        gguf.Keys.Attention.HEAD_COUNT_KV,
        gguf.Keys.Attention.LAYERNORM_RMS_EPS,
        gguf.Keys.Rope.DIMENSION_COUNT,
        gguf.Keys.Rope.FREQ_BASE,
    ):
        assert field(key.format(arch=architecture)) > 0, key
    tokens = field(gguf.Keys.Tokenizer.LIST)
    assert len(tokens) == len(set(tokens)) == field(gguf.Keys.LLM.VOCAB_SIZE.format(arch=architecture))
    assert len(field(gguf.Keys.Tokenizer.TOKEN_TYPE)) == len(tokens)
    assert set(field(gguf.Keys.Tokenizer.TOKEN_TYPE)) <= OUR_TOKEN_TYPES
    assert field(gguf.Keys.Tokenizer.MODEL) in ("gpt2", "llama")
    assert field(gguf.Keys.Tokenizer.EOS_ID) < len(tokens)
    assert isinstance(field(gguf.Keys.Tokenizer.ADD_BOS), bool)
    assert field(gguf.Keys.Tokenizer.CHAT_TEMPLATE)


def check(folder: Path, case: str) -> None:
    shapes = json.loads((folder / f"{case}.json").read_text())["shapes"]
    floats = {tensor.name: tensor for tensor in gguf.GGUFReader(folder / f"{case}.f32.gguf").tensors}
    for asked in TYPES:
        reader = gguf.GGUFReader(folder / f"{case}.{asked}.gguf")
        check_metadata(reader, asked)
        tensors = {tensor.name: tensor for tensor in reader.tensors}
        assert set(tensors) - {"rope_freqs.weight"} == set(shapes), case
        for name, shape in shapes.items():
            tensor = tensors[name]
            assert list(reversed(tensor.shape.tolist())) == shape, (case, name)
            assert tensor.tensor_type == expected_type(asked, shape), (case, name)
            values = np.array(floats[name].data, dtype=np.float32)
            theirs = gguf.quants.quantize(values, tensor.tensor_type)
            assert theirs.tobytes() == np.array(tensor.data).tobytes(), (case, asked, name)
        print(f"{case} as {asked}: {len(tensors)} tensors, {len(reader.fields)} fields, as the package has them")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file in sorted(folder.glob("*.json")):
        check(folder, file.stem)
