/** The server as a function from Request to Response: testable without a port. */
import { randomUUID } from 'node:crypto';
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { Hono, type MiddlewareHandler } from 'hono';
import { ApiError, refused } from './api-error.ts';
import { readJson } from './body.ts';
import type { Judge } from './judge.ts';
import type { IsKnownKey } from './keys.node.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.node.ts';
import { moderationResult, moderationTexts } from './moderation.ts';
import { describeApi } from './openapi.ts';
import { type BodyLimits, requestSchemas } from './schemas.ts';

export interface AppLimits extends BodyLimits {
  readonly maxBodyBytes: number;
  /** From the body's end to the answer. */
  readonly timeoutMs: number;
  /** Requests under way; more are refused before their bodies are read. */
  readonly maxOpen: number;
}

export interface AppOptions {
  /** The guard's name in answers. */
  readonly name: string;
  readonly judge: Judge;
  readonly limits: AppLimits;
  /** Asked for each request, since keys may change; `null` lets everyone in. */
  readonly keys: () => IsKnownKey | null;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly isStopping: () => boolean;
}

interface Env {
  Variables: { id: string; texts: number };
}

export type App = Hono<Env>;

/** Routes without a key: they say nothing of requests. */
const OPEN = ['/healthz', '/readyz', '/openapi.json'];

export function createApp(options: AppOptions): App {
  const { name, judge, limits, metrics } = options;
  const schemas = requestSchemas(limits);
  const check = checker(options);
  const app: App = new Hono<Env>();
  app.use(observe(options));
  app.use(access(options));
  app.use('/v1/*', admit(options));
  app.onError((error, { get }) => {
    if (error instanceof ApiError) return error.toResponse();
    options.log({ event: 'fault', id: get('id'), name: error.name });
    return new ApiError(500, 'internal: the server failed at this request.', { code: 'internal' }).toResponse();
  });
  app.notFound(({ req }) => {
    const [isKnown, message] = paths.includes(req.path)
      ? [true, 'Expected another method; /openapi.json names it.']
      : [false, 'No such path. /openapi.json names what there is.'];
    return new ApiError(isKnown ? 405 : 404, message, { code: isKnown ? 'wrong_method' : 'not_found' }).toResponse();
  });

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => {
    const isReady = judge.isReady && !options.isStopping();
    return c.json({ status: isReady ? 'ready' : 'not ready' }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'content-type': metrics.contentType }));
  const description = describeApi(schemas);
  app.get('/openapi.json', (c) => c.json(description));

  app.post('/v1/moderations', async (c) => {
    const { input } = await readJson(c.req.raw, schemas.moderation, limits.maxBodyBytes);
    const answers = await check(c, moderationTexts(input));
    const results = answers.map((answer) => moderationResult(answer, judge.categories));
    return c.json({ id: `modr-${c.get('id')}`, model: name, results });
  });
  app.post('/v1/check', async (c) => {
    const body = await readJson(c.req.raw, schemas.check, limits.maxBodyBytes);
    if ('items' in body) return c.json({ model: name, results: await check(c, body.items.map(asRequest)) });
    const [answer] = await check(c, [asRequest(body)]);
    return c.json({ model: name, ...answer });
  });
  app.post('/v1/score', async (c) => {
    const { items } = await readJson(c.req.raw, schemas.score, limits.maxBodyBytes);
    const answers = await check(c, items.map(asRequest));
    return c.json({ model: name, scores: answers.map(({ score }) => score) });
  });
  const paths = app.routes.flatMap(({ path, method }) => (method === 'ALL' ? [] : [path]));
  return app;
}

function asRequest({ prompt, response }: { prompt: string; response?: string | undefined }): GuardRequest {
  return response === undefined ? { prompt } : { prompt, response };
}

/** Counts, logs and names every request. */
function observe({ metrics, log, isStopping }: AppOptions): MiddlewareHandler<Env> {
  return async (c, next) => {
    const startMs = performance.now();
    const id = randomUUID();
    c.set('id', id);
    c.set('texts', 0);
    await next();
    const ms = performance.now() - startMs;
    const route = c.req.routePath.startsWith('/') && !c.req.routePath.includes('*') ? c.req.routePath : 'other';
    const { status } = c.res;
    c.header('x-request-id', id);
    if (isStopping()) c.header('connection', 'close');
    metrics.observe({ route, status, seconds: ms / 1000 });
    log({ event: 'request', id, route, status, ms: Math.round(ms * 10) / 10, texts: c.get('texts') });
  };
}

/** Lets those in who know a key, where there are keys. */
function access({ keys }: AppOptions): MiddlewareHandler<Env> {
  return async (c, next) => {
    const isKnown = keys();
    if (isKnown !== null && !OPEN.includes(c.req.path)) {
      const [, key] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
      if (key === undefined || !isKnown(key)) {
        const message = 'Expected the header authorization: Bearer <key>, with a key that this server knows.';
        throw new ApiError(401, message, { code: 'invalid_api_key', headers: { 'www-authenticate': 'Bearer' } });
      }
    }
    await next();
  };
}

/** Refuses what is too much before it costs anything: reading and checking bodies is the most of what this process does. */
function admit({ limits: { maxOpen } }: AppOptions): MiddlewareHandler<Env> {
  let open = 0;
  return async (_, next) => {
    if (open >= maxOpen) throw refused('queue_full', 1);
    open += 1;
    try {
      await next();
    } finally {
      open -= 1;
    }
  };
}

type Context = Parameters<MiddlewareHandler<Env>>[0];

/** Asks the guard, until the client leaves or the time is up. */
function checker({ judge, limits, metrics }: AppOptions) {
  return async (c: Context, requests: readonly GuardRequest[]): Promise<GuardAnswer[]> => {
    c.set('texts', requests.length);
    const stop = new AbortController();
    const leave = () => stop.abort(new ApiError(499, 'The client left.', { code: 'client_left' }));
    const client = c.req.raw.signal;
    if (client.aborted) leave();
    client.addEventListener('abort', leave, { once: true });
    const timer = setTimeout(() => {
      const message = `No answer within ${limits.timeoutMs / 1000} s. Send less at once.`;
      stop.abort(new ApiError(504, message, { code: 'timeout' }));
    }, limits.timeoutMs);
    try {
      const answers = await judge.check(requests, stop.signal);
      for (const { verdict } of answers) metrics.countVerdict(verdict);
      return answers;
    } finally {
      clearTimeout(timer);
      client.removeEventListener('abort', leave);
    }
  };
}
