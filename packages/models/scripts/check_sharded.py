"""Weights split over several files, between transformers and us.

    python3 -m venv .venv && .venv/bin/pip install -r ../test/oracles/requirements.txt
    .venv/bin/python check_sharded.py make                      # test/oracles/bert-sharded, from test/oracles/bert-tiny
    .venv/bin/python check_sharded.py check <folder>            # a folder of ours that holds bert-tiny, split or not

`make` has transformers split the weights; the tests read them and split them the same way. `check` has transformers load
what we wrote and compares every weight and the logits with the original; `check-sharded.ts` makes such a folder and calls it.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForSequenceClassification

ORACLES = Path(__file__).resolve().parent.parent / 'test' / 'oracles'
ORIGINAL = ORACLES / 'bert-tiny'
MAX_SHARD_SIZE = 10_000  # bytes; bert-tiny has 70 thousand


def load(folder):
    return AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation='eager').eval()


def make():
    target = ORACLES / 'bert-sharded'
    shutil.rmtree(target, ignore_errors=True)
    model = load(ORIGINAL)
    model.save_pretrained(target, max_shard_size=MAX_SHARD_SIZE)
    meta = {'transformers': transformers.__version__, 'max_shard_size': MAX_SHARD_SIZE}
    (target / 'meta.json').write_text(json.dumps(meta, indent=1) + '\n')
    print(*sorted(file.name for file in target.iterdir()), sep='\n')


def check(folder):
    ours, original = load(folder), load(ORIGINAL)
    expected = original.state_dict()
    found = ours.state_dict()
    assert found.keys() == expected.keys(), found.keys() ^ expected.keys()
    wrong = [name for name in expected if not torch.equal(found[name], expected[name])]
    assert not wrong, wrong
    ids = torch.arange(1, 9)[None]
    assert torch.equal(ours(ids).logits, original(ids).logits)
    shards = len(list(Path(folder).glob('model-*.safetensors')))
    print(f'transformers {transformers.__version__} loads it: {len(found)} tensors from {shards or 1} files, the same logits')


if __name__ == '__main__':
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if sys.argv[1:] == ['make']:
        make()
    elif len(sys.argv) == 3 and sys.argv[1] == 'check':
        check(sys.argv[2])
    else:
        sys.exit(__doc__)
