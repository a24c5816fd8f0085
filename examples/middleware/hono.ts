/**
 * A guard before a route of Hono: unsafe prompts get 400, and the route never sees them.
 *
 *   app.post('/chat', guardBody({ guard, promptOf: (body) => body.prompt }), chat);
 */
import type { MiddlewareHandler } from 'hono';
import { expectSafe, type GuardBodyOptions, UnsafeError } from './checked.ts';

export function guardBody<Body>({ guard, promptOf }: GuardBodyOptions<Body>): MiddlewareHandler {
  return async (c, next) => {
    try {
      await expectSafe(guard, promptOf(await c.req.json<Body>()));
    } catch (error) {
      if (error instanceof UnsafeError) return c.json({ error: error.message }, 400);
      throw error;
    }
    return next();
  };
}
