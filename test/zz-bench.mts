import { connectBus } from '@stream-infer/bus/bus';
import { startNatsServer } from './harness/nats-server.ts';
import { startIngest } from './harness/scripted-ingest.ts';
import { startRunner } from './harness/scripted-runner.ts';
import { startTestScheduler } from './harness/test-scheduler.ts';
import { directGet } from '@stream-infer/bus/direct-get';
import { algorithm, sourceFacts, streamSpec } from './model/specs.ts';
const streams = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 5000);
const server = await startNatsServer();
const bus = await connectBus({ url: server.url, prefix: 'b', name: 'bench' });
const scheduler = await startTestScheduler({ NATS_URL: server.url, NATS_PREFIX: 'b', LOG_LEVEL: 'info', ...(process.env.PROF && { NODE_OPTIONS: '--cpu-prof --cpu-prof-dir=/tmp/prof' }) });
const runner = await startRunner(bus, { id: 'one', definitions: ['a'], concurrency: 8, answer: () => ({ data: 1 }) });
const cpu = async () => { const t = await (await fetch(`${scheduler.addresses.http}/metrics`)).text(); return Number(/process_cpu_seconds_total\{[^}]*\} (\S+)/.exec(t)?.[1]); };
const c0 = await cpu(), m0 = process.cpuUsage();
const began = performance.now();
await Promise.all(Array.from({ length: streams }, async (_, i) => {
  const id = `s${i}`;
  const ingest = await startIngest(bus, streamSpec({ id, algorithms: [algorithm({ intervalFrames: 1 })] }), sourceFacts());
  await ingest.play(count);
  await ingest.end();
  for (;;) {
    if (await directGet(bus, bus.topology.resultsStream, { last_by_subj: bus.topology.endSubject(id, 'r1') })) break;
    await new Promise((r) => setTimeout(r, 20));
  }
  ingest.close();
}));
const s = (performance.now() - began) / 1000;
const m1 = process.cpuUsage(m0);
console.log({ streams, invocations: streams * count, perSecond: Math.round((streams * count) / s), schedulerCpuMsPerInvocation: (((await cpu()) - c0) * 1000) / (streams * count), benchCpuMs: (m1.user + m1.system) / 1000 / (streams * count), received: runner.received.length });
await runner.close(); await scheduler.stop(); await bus.close(); await server.stop();
process.exit(0);
