"""The hub's cache beside Python's huggingface_hub; `check-hub.ts` runs it against a hub on this machine.

    python check_hub.py fetch <repo>      snapshot_download of what a model needs; prints the folder
    python check_hub.py find <repo>       looks, offline, for what we fetched; prints what it found, as JSON

The environment says where: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE.
"""

import json
import sys
from pathlib import Path

import huggingface_hub
from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache

PATTERNS = ['config.json', '*.safetensors', '*.index.json', 'tokenizer*', 'vocab.txt', 'chat_template.jinja']


def fetch(repo):
    print(snapshot_download(repo, allow_patterns=PATTERNS))


def find(repo):
    cache = scan_cache_dir()
    (scanned,) = cache.repos
    (revision,) = scanned.revisions
    found = {
        'version': huggingface_hub.__version__,
        'repo': scanned.repo_id,
        'commit': revision.commit_hash,
        'refs': sorted(revision.refs),
        'files': sorted(file.file_name for file in revision.files),
        'warnings': [str(warning) for warning in cache.warnings],
        'incomplete': [str(file.file_path) for file in getattr(cache, 'incomplete_files', [])],
        'loaded': Path(try_to_load_from_cache(repo, 'model.safetensors')).stat().st_size,
        'snapshot': snapshot_download(repo, allow_patterns=PATTERNS),
    }
    print(json.dumps(found))


if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in ('fetch', 'find'):
        sys.exit(__doc__)
    {'fetch': fetch, 'find': find}[sys.argv[1]](sys.argv[2])
