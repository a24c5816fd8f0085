/**
 * A guard before a route of Fastify: unsafe prompts get 400, and the route never sees them.
 *
 *   app.post('/chat', { preHandler: guardBody({ guard, promptOf: (body) => body.prompt }) }, chat);
 */
import type { preHandlerAsyncHookHandler } from 'fastify';
import { expectSafe, type GuardBodyOptions, UnsafeError } from './checked.ts';

export function guardBody<Body>({ guard, promptOf }: GuardBodyOptions<Body>): preHandlerAsyncHookHandler {
  return async (request, reply) => {
    try {
      await expectSafe(guard, promptOf(request.body as Body));
    } catch (error) {
      if (!(error instanceof UnsafeError)) throw error;
      return reply.code(400).send({ error: error.message });
    }
  };
}
