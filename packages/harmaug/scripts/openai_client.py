"""OpenAI's Python client against a moderation service: `openai_client.py <url> <key> <input.json>` prints what it read, as JSON."""

import json
import sys

from openai import AuthenticationError, BadRequestError, OpenAI, __version__

url, key, file = sys.argv[1:]
client = OpenAI(base_url=url, api_key=key, max_retries=0)
with open(file, encoding='utf-8') as lines:
    inputs = json.load(lines)

results = [
    [
        {
            'flagged': result.flagged,
            'categories': result.categories.model_dump(exclude_unset=True),
            'scores': result.category_scores.model_dump(exclude_unset=True),
        }
        for result in client.moderations.create(model='omni-moderation-latest', input=one).results
    ]
    for one in inputs
]


def refusal(error_class, ask):
    try:
        ask()
    except error_class as error:
        return {'status': error.status_code, 'code': error.code, 'param': error.param}
    return None


image = [{'type': 'image_url', 'image_url': {'url': 'data:,'}}]
stranger = OpenAI(base_url=url, api_key='a-key-of-nobody', max_retries=0)
errors = {
    'image': refusal(BadRequestError, lambda: client.moderations.create(input=image)),
    'key': refusal(AuthenticationError, lambda: stranger.moderations.create(input='Hello')),
}
print(json.dumps({'version': __version__, 'results': results, 'errors': errors}))
