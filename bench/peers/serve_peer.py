"""transformers behind LitServe: `serve_peer.py <folder> --port P --workers W --threads T --batch B`; or, with
`--export <to>`, the folder that infinity reads: weights, ONNX as optimum exports it, a tokenizer that cuts texts."""

import argparse

import litserve
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

MOST_TOKENS = 512


class Guard(litserve.LitAPI):
    def __init__(self, folder, threads, **batching):
        super().__init__(**batching)
        self.folder, self.threads = folder, threads

    def setup(self, device):
        torch.set_num_threads(self.threads)
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(self.folder, attn_implementation='sdpa').eval()

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


def export(folder, to):
    from optimum.onnxruntime import ORTModelForSequenceClassification

    ORTModelForSequenceClassification.from_pretrained(folder, export=True).save_pretrained(to)
    AutoModelForSequenceClassification.from_pretrained(folder).save_pretrained(to)
    AutoTokenizer.from_pretrained(folder, model_max_length=MOST_TOKENS).save_pretrained(to)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('folder')
    parser.add_argument('--export')
    for name in ('port', 'workers', 'threads', 'batch'):
        parser.add_argument(f'--{name}', type=int, default=1)
    given = parser.parse_args()
    if given.export:
        export(given.folder, given.export)
    else:
        batching = {'max_batch_size': given.batch, 'batch_timeout': 0.005} if given.batch > 1 else {}
        api = Guard(given.folder, given.threads, **batching)
        server = litserve.LitServer(api, accelerator='cpu', workers_per_device=given.workers, timeout=60)
        server.run(port=given.port, host='127.0.0.1', generate_client_file=False, log_level='error')
