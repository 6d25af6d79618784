// The Durable Streams reference server with its files in the folder that is given; tells its port and runs until it is killed.

import process from 'node:process';
import { DurableStreamTestServer } from '@durable-streams/server';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('name a folder');
const server = new DurableStreamTestServer({ port: 0, dataDir, compression: false });
await server.start();
process.stdout.write(`\nport ${new URL(server.url).port}\n`);
