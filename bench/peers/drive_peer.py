"""distilabel as a peer: its LLM for OpenAI-compatible servers, batch by batch as its pipelines do. JSON lines in and out.

The pipeline around it, with its processes and caches, is left out, which favours it.
"""

import json
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings('ignore')

# The protocol has stdout for itself; libraries that print go to stderr.
protocol = os.fdopen(os.dup(1), 'w', buffering=1)
os.dup2(2, 1)

from importlib.metadata import version  # noqa: E402

from distilabel.models.llms import OpenAILLM  # noqa: E402


def prompt_of(index):
    return f'Request {index}. ' + 'Write one short message that is rude to a neighbour, in plain words. ' * 7


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_mib():
    with open('/proc/self/statm') as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 2**20


def drive(llm, calls, in_flight, rss=None):
    tokens = 0
    for begin in range(0, calls, in_flight):
        batch = [
            [{'role': 'user', 'content': prompt_of(index)}] for index in range(begin, min(calls, begin + in_flight))
        ]
        for output in llm.generate_outputs(inputs=batch, max_new_tokens=64, temperature=1.0):
            tokens += sum(output['statistics']['output_tokens'])
        if rss is not None:
            rss.append(rss_mib())
    return tokens


def main():
    llm = None
    in_flight = 0
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command['cmd'] == 'open':
                in_flight = command['inFlight']
                llm = OpenAILLM(model='loopback', base_url=command['endpoint'], api_key='none', timeout=600)
                llm.load()
                reply = {'versions': {name: version(name) for name in ['distilabel', 'openai']}}
            else:
                calls = command['calls']
                drive(llm, in_flight, in_flight)  # connections
                rss = []
                cpu, start = cpu_seconds(), time.perf_counter()
                tokens = drive(llm, calls, in_flight, rss)
                seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
                assert tokens == calls * 24, f'{calls} calls brought {tokens} tokens'
                reply = {'ms': seconds * 1000, 'cpuMs': cpu * 1000, 'rssMiB': rss}
        except Exception as error:  # told to the other side, which stops
            reply = {'error': f'{type(error).__name__}: {error}'}
        protocol.write(json.dumps(reply) + '\n')


main()
