"""Reads an exported folder with pandas and Hugging Face datasets: the types are right, and the rows are those of data.jsonl.

pip install pandas pyarrow datasets; python check_parquet.py <folder with data.parquet, data.jsonl and README.md>
"""
import json
import math
import sys
from pathlib import Path

import datasets
import pandas as pd
import pyarrow.parquet as pq

TYPES = {
    "string": ["id", "prompt", "response", "source", "category", "kind", "response_kind", "teacher_category",
               "generator", "responder", "teacher", "instruction"],
    "double": ["soft_label", "log_odds"],
    "int32": ["label"],
    "bool": ["boundary", "disputed", "refusal", "cut_off"],
}
DATASETS = {"string": "string", "double": "float64", "int32": "int32", "bool": "bool"}

folder = Path(sys.argv[1])
lines = [json.loads(line) for line in (folder / "data.jsonl").read_text(encoding="utf-8").splitlines()]

schema = pq.read_schema(folder / "data.parquet")
for kind, names in TYPES.items():
    for name in names:
        assert str(schema.field(name).type) == kind, (name, schema.field(name).type)
assert sorted(schema.names) == sorted(sum(TYPES.values(), []))


def same(found, line):
    for name in schema.names:
        value = found[name]
        if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
            assert name not in line, name
        else:
            assert value == line[name], name


frame = pd.read_parquet(folder / "data.parquet")
assert len(frame) == len(lines)
for row, line in zip(frame.to_dict("records"), lines):
    same(row, line)

# the folder as a data set, by what its card says
loaded = datasets.load_dataset(str(folder), split="train", cache_dir=str(folder / ".cache"))
assert len(loaded) == len(lines)
for kind, names in TYPES.items():
    for name in names:
        assert loaded.features[name].dtype == DATASETS[kind], (name, loaded.features[name])
for row, line in zip(loaded, lines):
    same(row, line)
print(f"{len(lines)} rows; pandas {pd.__version__}, datasets {datasets.__version__}")
