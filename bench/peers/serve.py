"""Commands as JSON lines on stdin, replies as JSON lines on stdout: the other end of process.ts."""

import json
import sys


def serve(peer, commands):
    """Answers each line of `commands` with one on stdout."""
    replies, sys.stdout = sys.stdout, sys.stderr  # a library's print must not pass for a reply
    for line in commands:
        try:
            reply = peer.answer(json.loads(line))
        except Exception as error:
            reply = {'error': f'{type(error).__name__}: {error}'}
        print(json.dumps(reply), file=replies, flush=True)
