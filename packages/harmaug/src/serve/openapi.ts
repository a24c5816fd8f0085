/** What the server can be asked, as OpenAPI 3.1, from the schemas that check it. */
import { z } from 'zod';
import { type RequestSchemas, replySchemas } from './schemas.ts';

const errors = {
  400: 'The body is not what is expected.',
  401: 'No key, or an unknown one.',
  413: 'The body is too large.',
  415: 'The body is no application/json.',
  500: 'A fault of the server or its guard.',
  502: 'The worker that had the request was lost.',
  503: 'The queue is full or the turn came too late; Retry-After says when to ask again.',
  504: 'There was no answer in time.',
} as const;

export function describeApi(requests: RequestSchemas) {
  const post = (name: keyof RequestSchemas, summary: string) => ({
    post: {
      operationId: name,
      summary,
      requestBody: { required: true, content: jsonOf(requests[name], 'input') },
      responses: {
        200: { description: 'What the guard says.', content: jsonOf(replySchemas[name], 'output') },
        ...Object.fromEntries(
          Object.entries(errors).map(([status, description]) => [
            status,
            { description, content: jsonOf(replySchemas.error, 'output') },
          ]),
        ),
      },
    },
  });
  const get = (summary: string, type: string, security?: []) => ({
    get: {
      summary,
      ...(security ? { security } : {}),
      responses: { 200: { description: 'Yes.', content: { [type]: {} } } },
    },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'HarmAug guard',
      version: '1',
      description: 'A small guard that says how likely an instruction, or an exchange, is to be harmful.',
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/v1/moderations': post('moderation', 'Judges texts; as OpenAI’s moderations.'),
      '/v1/check': post('check', 'Judges a prompt or an exchange, or several; says where in the text.'),
      '/v1/score': post('score', 'p(unsafe) of many prompts or exchanges.'),
      '/healthz': get('Whether the server lives.', 'application/json', []),
      '/readyz': get('Whether it would answer; 503 while it would not.', 'application/json', []),
      '/metrics': get('For Prometheus.', 'text/plain'),
      '/openapi.json': get('This description.', 'application/json', []),
    },
  };
}

function jsonOf(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io });
  return { 'application/json': { schema: described } };
}
