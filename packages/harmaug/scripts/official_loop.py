"""The training loop of HarmAug's published code (imnotkind/HarmAug, src/kd_trainer.py) on a tiny DeBERTa-v2, dropout off.

    .venv/bin/python official_loop.py fixture <folder>                          what objective.test.ts reads
    .venv/bin/python official_loop.py run <folder> <spm.model> <data folder>    for check-official.ts, on real text

Its loss is 0.5 * (CE + KL), AdamW with decay on all but biases and LayerNorm, a linear schedule with warm-up, clipping to
norm 1. Two things differ from that code, on purpose: a prompt without a response is one text in training as it is in
evaluation (there it is a pair with ""), and a step is one batch (there, means of chunks of up to different sizes).

`run` writes the model, the rows it drew from <data folder>/train, their batches, the losses of 100 steps, and the scores of
the sets in <data folder>/official. The folder then holds public data: keep it out of the repository.
Versions: requirements.txt beside packages/models/test/oracles, and sentencepiece.
"""

import json
import platform
import random
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from sentencepiece import SentencePieceProcessor
from torch.nn import functional as F
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification, get_linear_schedule_with_warmup

SEED = 20241001
STEPS, WARM_UP, RATE, DECAY = 100, 10, 3e-3, 0.1
DEBERTA = dict(
    relative_attention=True,
    pos_att_type=['p2c', 'c2p'],
    share_att_key=True,
    norm_rel_ebd='layer_norm',
    max_relative_positions=-1,
    position_biased_input=False,
    type_vocab_size=0,
    pooler_hidden_act='gelu',
    pooler_dropout=0,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    num_labels=2,
)


def make_model(std, **shape):
    torch.manual_seed(SEED)
    model = DebertaV2ForSequenceClassification(DebertaV2Config(**DEBERTA, **shape))
    for name, parameter in model.named_parameters():
        if 'LayerNorm' not in name and not name.endswith('bias'):
            torch.nn.init.normal_(parameter, std=std)
    return model


def train(model, batches):
    """-> the loss of each step"""
    plain = [p for n, p in model.named_parameters() if n.endswith('bias') or 'LayerNorm' in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith('bias') or 'LayerNorm' in n)]
    groups = [{'params': decayed, 'weight_decay': DECAY}, {'params': plain, 'weight_decay': 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARM_UP, len(batches))
    model.train()
    losses = []
    for batch in batches:
        inputs = dict(batch)
        soft = inputs.pop('soft_labels')  # (B, 2)
        optimizer.zero_grad()
        output = model(**inputs)
        divergence = F.kl_div(F.log_softmax(output.logits, 1), soft, reduction='batchmean')
        loss = 0.5 * (output.loss + divergence)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def versions():
    return {
        'python': platform.python_version(),
        'torch': torch.__version__,
        'transformers': transformers.__version__,
    }


def write_fixture(folder):
    """Random ids whose label is whether token 7 occurs; soft labels are unsure about it."""
    vocab, batch, length = 40, 8, 10
    shape = dict(vocab_size=vocab, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=28)
    model = make_model(0.25, max_position_embeddings=32, position_buckets=8, **shape)
    model.save_pretrained(folder)
    generator = torch.Generator().manual_seed(SEED)
    batches = [make_batch(vocab, batch, length, generator) for _ in range(STEPS)]
    stacked = {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}
    losses = train(model, batches)
    save_file({**stacked, 'losses': torch.tensor(losses)}, Path(folder) / 'batches.safetensors')
    (Path(folder) / 'meta.json').write_text(json.dumps({**versions(), 'seed': SEED}, indent=2) + '\n')
    print(f'{folder}: loss {losses[0]:.4f} -> {losses[-1]:.4f}')


def make_batch(vocab, batch, length, generator):
    lengths = torch.randint(3, length + 1, (batch,), generator=generator)
    lengths[0] = length
    mask = (torch.arange(length) < lengths[:, None]).long()
    ids = torch.randint(8, vocab, (batch, length), generator=generator)
    labels = torch.randint(0, 2, (batch,), generator=generator)
    ids[:, 1] = torch.where(labels == 1, 7, ids[:, 1])
    certainty = 0.5 + 0.5 * torch.rand(batch, generator=generator)
    soft = torch.where(labels == 1, certainty, 1 - certainty)
    return {
        'input_ids': ids * mask,
        'attention_mask': mask,
        'labels': labels,
        'soft_labels': torch.stack([1 - soft, soft], 1),
    }


def write_run(folder, spm, data):
    """100 steps of 16 real rows, cut at 128 tokens; then every row of the official sets, cut at 256."""
    folder, data = Path(folder), Path(data)
    shape = dict(vocab_size=128_100, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)
    model = make_model(0.05, max_position_embeddings=512, position_buckets=256, **shape)
    model.save_pretrained(folder / 'student')
    shutil.copy(spm, folder / 'student' / 'spm.model')
    pieces = SentencePieceProcessor(model_file=str(spm))
    chooser = random.Random(SEED)
    rows = [json.loads(line) for name in ('prompts', 'pairs') for line in open(data / 'train' / f'{name}.jsonl')]
    rows = chooser.sample(rows, STEPS * 16)
    for row in rows:
        certainty = 0.5 + 0.5 * chooser.random()
        row['soft_label'] = certainty if row['label'] == 1 else 1 - certainty

    def encode(some, most):
        """Ids as the slow tokenizer of DeBERTa-v3 gives them: [CLS] prompt [SEP], or [CLS] prompt [SEP] response [SEP]."""
        texts = []
        for row in some:
            parts = [pieces.encode(row[name]) for name in ('prompt', 'response') if row.get(name) is not None]
            while sum(map(len, parts)) + len(parts) + 1 > most:
                max(parts, key=len).pop()
            texts.append([1] + [id for part in parts for id in [*part, 2]])
        longest = max(map(len, texts))
        return {
            'input_ids': torch.tensor([text + [0] * (longest - len(text)) for text in texts]),
            'attention_mask': torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts]),
        }

    def batch(some):
        soft = torch.tensor([row['soft_label'] for row in some])
        return {
            **encode(some, 128),
            'labels': torch.tensor([row['label'] for row in some]),
            'soft_labels': torch.stack([1 - soft, soft], 1),
        }

    losses = train(model, [batch(rows[i : i + 16]) for i in range(0, len(rows), 16)])
    model.eval()
    scores = {}
    for name in ('openai_moderation_eval', 'harmbench_eval'):
        items = json.loads((data / 'official' / f'{name}.json').read_text())
        scores[name] = []
        for i in range(0, len(items), 16):
            with torch.no_grad():
                logits = model(**encode(items[i : i + 16], 256)).logits
            scores[name] += torch.softmax(logits, -1)[:, 1].tolist()
    (folder / 'rows.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    (folder / 'expected.json').write_text(json.dumps({**versions(), 'losses': losses, 'scores': scores}))
    print(f'{folder}: loss {losses[0]:.4f} -> {losses[-1]:.4f}')


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['fixture', folder]:
            write_fixture(folder)
        case ['run', folder, spm, data]:
            write_run(folder, spm, data)
        case _:
            sys.exit(__doc__)
