"""transformers behind LitServe: `serve_peer.py <folder> --port P --workers W --threads T --batch B`; or, with
`--export <to>`, the folder that infinity reads: weights, ONNX as optimum exports it, a tokenizer that cuts texts.
`--precision int8`: PyTorch's dynamic quantisation, or optimum's."""

import argparse
from pathlib import Path

import litserve
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

MOST_TOKENS = 512


class Guard(litserve.LitAPI):
    def __init__(self, folder, threads, precision, **batching):
        super().__init__(**batching)
        self.folder, self.threads, self.precision = folder, threads, precision

    def setup(self, device):
        torch.set_num_threads(self.threads)
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(self.folder, attn_implementation='sdpa').eval()
        if self.precision == 'int8':
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)

    def decode_request(self, request):
        return request['input']

    def predict(self, texts):
        is_one = isinstance(texts, str)
        batch = self.tokenizer(
            [texts] if is_one else list(texts), padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors='pt'
        )
        with torch.inference_mode():
            scores = self.model(**batch).logits.softmax(-1)[:, 1].tolist()
        return scores[0] if is_one else scores

    def encode_response(self, score):
        return {'score': score}


def export(folder, to, precision):
    from optimum.onnxruntime import ORTModelForSequenceClassification, ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig

    ORTModelForSequenceClassification.from_pretrained(folder, export=True).save_pretrained(to)
    if precision == 'int8':
        quantizer = ORTQuantizer.from_pretrained(to, file_name='model.onnx')
        config = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=False)
        quantizer.quantize(save_dir=to, quantization_config=config)
        (Path(to) / 'model.onnx').unlink()  # the server takes what is there
    AutoModelForSequenceClassification.from_pretrained(folder).save_pretrained(to)
    AutoTokenizer.from_pretrained(folder, model_max_length=MOST_TOKENS).save_pretrained(to)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('folder')
    parser.add_argument('--export')
    parser.add_argument('--precision', choices=('fp32', 'int8'), default='fp32')
    for name in ('port', 'workers', 'threads', 'batch'):
        parser.add_argument(f'--{name}', type=int, default=1)
    given = parser.parse_args()
    if given.export:
        export(given.folder, given.export, given.precision)
    else:
        batching = {'max_batch_size': given.batch, 'batch_timeout': 0.005} if given.batch > 1 else {}
        api = Guard(given.folder, given.threads, given.precision, **batching)
        server = litserve.LitServer(api, accelerator='cpu', workers_per_device=given.workers, timeout=60)
        server.run(port=given.port, host='127.0.0.1', generate_client_file=False, log_level='error')
