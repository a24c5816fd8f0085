"""A usual fine-tuning of a guard with transformers on PyTorch, driven by JSON lines as train_peer.py.

    {"cmd": "hello", "threads": 2}                -> versions, the folder of MiniLM's weights
    {"cmd": "open", "case": DistillCase}          -> steps, parameters
    {"cmd": "steps", "n": 20}                     -> ms of each further step
    {"cmd": "scores"}                             -> p(unsafe) of the validation rows, in their order; not timed
    {"cmd": "close"}

A case is that of ../distill/case.ts: rows of JSONL files with prompt, response or none, and label; hard labels alone, AdamW
with warm-up and linear decay, clipping to norm 1. `grouped` is the Trainer's group_by_length.
"""

import json
import sys

import torch
from transformers import AutoTokenizer, BertForSequenceClassification, get_linear_schedule_with_warmup

from serve import serve
from train_peer import Real, Trainer, hello


def read_rows(file):
    return [json.loads(line) for line in open(file, encoding='utf-8')]


class Run(Trainer):
    def __init__(self, case):
        torch.manual_seed(case['seed'])
        self.tokenizer = AutoTokenizer.from_pretrained(case['model'])
        self.max_length = case['maxLength']
        rows, validation = read_rows(case['train']), read_rows(case['validation'])
        self.ids = [self.encode(row) for row in rows]
        self.labels = [row['label'] for row in rows]
        self.validation = [self.encode(row) for row in validation]
        lengths = [len(text['input_ids']) for text in self.ids]
        size = case['batch']
        self.queue = []
        for _ in range(case['epochs']):
            order = Real.epoch(lengths, size, case['grouped'])
            self.queue += [order[i : i + size] for i in range(0, len(order), size)]
        model = BertForSequenceClassification.from_pretrained(case['model'], num_labels=2)
        super().__init__(model, model.config.hidden_dropout_prob, case['learningRate'])
        self.total = len(self.queue)
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, case['warmupSteps'], self.total)

    def encode(self, row):
        texts = [row['prompt']] if row.get('response') is None else [row['prompt'], row['response']]
        return self.tokenizer(*texts, truncation=True, max_length=self.max_length)

    def about(self):
        return {'steps': self.total, **super().about()}

    def steps(self, n):
        self.model.train()
        ms = []
        for _ in range(min(n, len(self.queue))):
            rows = self.queue.pop(0)
            inputs = self.tokenizer.pad([self.ids[i] for i in rows], return_tensors='pt')
            batch = {**inputs, 'labels': torch.tensor([self.labels[i] for i in rows])}
            ms.append(self.step(batch, autocast=False)[0])
            self.schedule.step()
        return {'ms': ms}

    @torch.no_grad()
    def scores(self):
        self.model.eval()
        order = sorted(range(len(self.validation)), key=lambda i: len(self.validation[i]['input_ids']))
        scores = [0.0] * len(order)
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            logits = self.model(**self.tokenizer.pad([self.validation[i] for i in rows], return_tensors='pt')).logits
            for i, score in zip(rows, torch.softmax(logits.double(), -1)[:, 1].tolist()):
                scores[i] = score
        return {'scores': scores}


class Peer:
    def __init__(self):
        self.run = None

    def answer(self, command):
        name, arguments = command['cmd'], {key: value for key, value in command.items() if key != 'cmd'}
        match name:
            case 'hello':
                return hello(**arguments)
            case 'open':
                self.run = None  # its memory first
                self.run = Run(**arguments)
                return self.run.about()
            case 'steps' | 'scores':
                return getattr(self.run, name)(**arguments)
            case 'close':
                self.run = None
                return {}
        raise ValueError(f'unknown command "{name}"')


if __name__ == '__main__':
    serve(Peer(), sys.stdin)
