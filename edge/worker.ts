// The HTTP application of the edge: which route goes where, and what holds for all of them; knows no statement and no record.

import { Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import { RemoteLog } from './adapters/remote-log.ts';
import { AppendGroups } from './append-groups.ts';
import { Calls } from './calls.ts';
import { CodeStatements } from './code-statements.ts';
import { catalogOf, type EdgeEnv, partitionAt } from './env.ts';
import { Bodies } from './guard/bodies.ts';
import { Guard, type GuardOptions } from './guard/guard.ts';
import { type Entered, InFlight, UNCOUNTED } from './guard/in-flight.ts';
import { UnreadBodies } from './guard/unread-bodies.ts';
import type { Overload } from '../runtime/functions/registry.ts';
import type { Processor as ProcessorInCode } from '../runtime/functions/user-processor.ts';
import type { AppendResult, TopicPartition } from '../runtime/ports/log.ts';
import { partitionName } from './names.ts';
import type { Append } from './objects/append-queue.ts';
import { registerFunctions, registerProcessors } from './registry.ts';
import type { EdgeHono } from './routes/context.ts';
import { nothingAt } from './routes/elsewhere.ts';
import { errorResponse, overloaded, refusal } from './routes/errors.ts';
import { fetchRoutes } from './routes/fetch.ts';
import { ksqlRoutes } from './routes/ksql.ts';
import { RequestCounts } from './metrics/requests.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { migrationRoutes } from './routes/migrations.ts';
import { produceRoutes } from './routes/produce.ts';
import { querySocketRoutes } from './routes/query-socket.ts';
import { restoreRoutes } from './routes/restore.ts';
import { queryRoutes } from './routes/query.ts';
import { socketRoutes } from './routes/sockets.ts';
import { ticketRoutes } from './routes/tickets.ts';
import { topicRoutes } from './routes/topics.ts';
import { TopicCache } from './topic-cache.ts';
import { unwrap } from './wire.ts';

export interface EdgeOptions<Env extends EdgeEnv = EdgeEnv> extends GuardOptions<Env> {
  /** Functions that statements may call, beside the built-in ones; in each version that is deployed as long as a query calls them. */
  readonly functions?: readonly Overload[] | undefined;
  /** Processors in code, for every tenant: `statements` may create the streams that they read and write. */
  readonly processors?: readonly ProcessorInCode[] | undefined;
  /**
   * Statements that the code brings along, applied to each tenant in this order and once each, which is told by their text: what was applied
   * stays when its text goes, and a changed text is another one.
   */
  readonly statements?: readonly string[] | undefined;
}

/** What `createEdge` makes: a Worker, or what one with routes, cron triggers or queues of its own hands requests to. */
export interface Edge<Env> {
  fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response>;
}

/**
 * The Worker: `export default createEdge()`, beside the classes of its objects. To be called while the Worker's module is evaluated. Without
 * options it serves the keys of the secret MILLRACE_KEYS, and without that secret its own machine alone.
 */
export function createEdge<Env extends EdgeEnv = EdgeEnv>(
  options: EdgeOptions<Env> = {},
): Edge<Env> {
  if (options.functions !== undefined) registerFunctions(options.functions);
  if (options.processors !== undefined) registerProcessors(options.processors);
  const app = new Hono<EdgeHono>();
  const topics = new TopicCache();
  const appends = new AppendGroups();
  const guard = new Guard<Env>(options, async (env, { principal, nonce, expiresMs }) =>
    unwrap(catalogOf(env, principal.tenant).useTicket(nonce, expiresMs)),
  );
  const statements = new CodeStatements(options.statements ?? []);

  const requests = new RequestCounts();
  const inFlight = new InFlight({
    nowMs: () => Date.now(),
    turn: () => scheduler.wait(0),
    later: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });
  const bodies = new Bodies(inFlight);
  const refuse = (request: Request): Response => {
    requests.add('unknown', request.method, 429);
    const response = overloaded();
    guard.dress(request, response);
    return response;
  };

  app.use(async (c, next) => {
    await next();
    const route = matchedRoutes(c).findLast(({ path }) => path !== '/*');
    requests.add(route?.path ?? 'unknown', c.req.method, c.res.status);
  });
  app.use(async (c, next) => {
    const env = c.env as Env;
    const principal = await guard.admit(c.req.raw, env);
    const { tenant } = principal;
    c.set('principal', principal);
    await statements.applied(env, tenant);
    const { executionCtx } = c;
    const request = {
      waitUntil: (promise: Promise<unknown>) => executionCtx.waitUntil(promise),
      arrived: () => scheduler.wait(0),
    };
    const send = async (at: TopicPartition, append: Append): Promise<AppendResult> => {
      const partition = partitionAt(env, tenant, at);
      const all = (group: readonly Append[]) => partition.appendAll(group);
      return appends.append(partitionName(tenant, at), append, all, request);
    };
    const check = (at: TopicPartition) => topics.check(env, tenant, at);
    const calls = new Calls();
    const failed = (thrown: unknown) => calls.failed(thrown);
    const log = new RemoteLog({ env, tenant, send, check, failed });
    c.set('edge', { env, tenant, log, topics, bodies, calls });
    await next();
  });
  topicRoutes(app);
  produceRoutes(app);
  fetchRoutes(app);
  ksqlRoutes(app);
  queryRoutes(app);
  migrationRoutes(app);
  socketRoutes(app);
  querySocketRoutes(app);
  ticketRoutes(app);
  restoreRoutes(app);
  metricsRoutes(app, requests);

  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (path === '/*') continue;
    const of = methods.get(path) ?? new Set();
    // A HEAD is a GET whose body nobody sends.
    methods.set(path, of.add(method));
    if (method === 'GET') of.add('HEAD');
  }
  for (const [path, of] of methods) {
    const allow = [...of].join(', ');
    app.all(path, () => {
      const response = errorResponse(refusal('METHOD_NOT_ALLOWED', `this path has ${allow}`));
      response.headers.set('Allow', allow);
      return response;
    });
  }
  app.notFound(({ req }) => errorResponse(refusal('NOT_FOUND', nothingAt(req.path))));
  app.onError((thrown) => errorResponse(thrown));
  const unreadBodies = new UnreadBodies();
  const answer = async (
    entered: Entered,
    request: Request,
    env: Env,
    context: ExecutionContext,
  ): Promise<Response> => {
    if (entered.turn !== null && !(await entered.turn)) return refuse(request);
    try {
      const look = inFlight.look();
      if (look !== null) context.waitUntil(look);
      const response = await app.fetch(request, env, context);
      guard.dress(request, response);
      return response;
    } finally {
      inFlight.leave(entered);
    }
  };
  /** The answer, once it is sure to arrive. */
  const arriving = async (
    response: Response,
    request: Request,
    context: ExecutionContext,
  ): Promise<Response> => {
    if (response.status < 400 || request.method === 'GET') return response;
    const reading = unreadBodies.read(request);
    if (reading === null) return response;
    context.waitUntil(reading);
    await reading;
    return response;
  };
  return {
    async fetch(request, env, context) {
      const asked = guard.preflight(request);
      if (asked !== null) return asked;
      const entered = inFlight.enter(request);
      if (entered === null) return arriving(refuse(request), request, context);
      const answering = answer(entered, request, env, context);
      // Once its client has gone the platform drops what a request waits for, `finally` and all: nobody would give its place back.
      if (entered !== UNCOUNTED) context.waitUntil(answering);
      return arriving(await answering, request, context);
    },
  };
}
