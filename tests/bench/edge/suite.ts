// Suite `edge`: plain workerd on loopback, its client on one core and the server on the other; knows what its cases are called.

import process from 'node:process';
import { Workerd } from '../../support/workerd.ts';
import type { CaseResult, SuiteResult } from '../run.ts';
import { liveCases } from './live.ts';
import { logCases } from './log.ts';
import { pin } from './machine.ts';
import { Peer } from './peer.ts';
import { sqlCases } from './sql.ts';
import type { Rounds } from './rounds.ts';

const CLIENT_CORE = 0;
const SERVER_CORE = 1;

export async function edgeSuite(): Promise<SuiteResult> {
  pin(process.pid, CLIENT_CORE);
  const rounds: Rounds[] = [];
  {
    await using edge = await Workerd.start();
    await using peer = await Peer.start();
    await using bare = await Workerd.start('tests/workers/bench/bare.ts');
    for (const { pid } of [edge, peer, bare]) pin(pid, SERVER_CORE);
    rounds.push(...(await logCases(edge, peer, bare)));
  }
  {
    await using edge = await Workerd.start('tests/workers/bench/edge.ts');
    pin(edge.pid, SERVER_CORE);
    rounds.push(await sqlCases(edge));
  }
  {
    await using edge = await Workerd.start('tests/workers/bench/edge.ts');
    pin(edge.pid, SERVER_CORE);
    rounds.push(await liveCases(edge));
  }
  const cases: CaseResult[] = rounds.flatMap(({ results }) => results);
  return {
    suite: 'edge',
    cases,
    ratios: Object.fromEntries(rounds.flatMap(({ ratios }) => ratios)),
  };
}
