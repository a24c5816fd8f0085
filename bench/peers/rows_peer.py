"""datatrove's MinHash deduplication of a JSONL file: `rows_peer.py <texts.jsonl> <folder>` prints ms, kept, version.

Its four stages with two tasks at once where they can be split. Reading and writing are part of it; words are cut at white space
(its default, spaCy, would take most of the time).
"""

import json
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils import word_tokenizers


class Split:
    """Words at white space."""

    def word_tokenize(self, text):
        return text.split()


word_tokenizers.load_word_tokenizer = lambda *_: Split()
import datatrove.pipeline.dedup.minhash as minhash  # noqa: E402

minhash.load_word_tokenizer = lambda *_: Split()


def main(file, folder):
    source = Path(folder) / 'source'
    source.mkdir()
    lines = Path(file).read_text().splitlines(keepends=True)
    for part in range(2):
        (source / f'{part}.jsonl').write_text(''.join(lines[part::2]))
    del lines
    work = Path(folder) / 'minhash'
    config = MinhashConfig(n_grams=3, num_buckets=14, hashes_per_bucket=8)
    read = lambda: JsonlReader(str(source))  # noqa: E731
    stages = [
        ([read(), MinhashDedupSignature(output_folder=f'{work}/signatures', config=config)], 2),
        ([MinhashDedupBuckets(input_folder=f'{work}/signatures', output_folder=f'{work}/buckets', config=config)], 14),
        ([MinhashDedupCluster(input_folder=f'{work}/buckets', output_folder=f'{work}/remove', config=config)], 1),
        ([read(), MinhashDedupFilter(input_folder=f'{work}/remove'), JsonlWriter(f'{work}/kept', compression=None)], 2),
    ]
    start = time.perf_counter()
    for number, (pipeline, tasks) in enumerate(stages):
        executor = LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=2, logging_dir=f'{folder}/logs/{number}')
        executor.run()
    ms = (time.perf_counter() - start) * 1e3
    kept = sum(len(part.read_text().splitlines()) for part in Path(f'{work}/kept').glob('*'))
    shutil.rmtree(work)
    print(json.dumps({'ms': ms, 'kept': kept, 'version': version('datatrove')}))


if __name__ == '__main__':
    main(*sys.argv[1:3])
