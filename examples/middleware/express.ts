/**
 * A guard before a route of Express: unsafe prompts get 400, and the route never sees them.
 *
 *   app.post('/chat', express.json(), guardBody({ guard, promptOf: (body) => body.prompt }), chat);
 */
import type { RequestHandler } from 'express';
import { expectSafe, type GuardBodyOptions, UnsafeError } from './checked.ts';

export function guardBody<Body>({ guard, promptOf }: GuardBodyOptions<Body>): RequestHandler {
  return async (request, response, next) => {
    try {
      await expectSafe(guard, promptOf(request.body as Body));
    } catch (error) {
      if (!(error instanceof UnsafeError)) throw error;
      response.status(400).json({ error: error.message });
      return;
    }
    next();
  };
}
