/** With a database: collectors as many as the values say, and each becomes ready with the Secret as it is mounted. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFailed, test } from 'vitest';
import { certificateAuthority } from '../harness/certificates.ts';
import { exampleFile, findWorkload, render } from '../harness/chart.ts';
import { ManifestPods } from '../harness/manifest-pods.ts';
import { hasPostgres, OWNER_PASSWORD, startPostgres } from '../harness/postgres-server.ts';

const PREFIX = 'site-stream-infer';

test.skipIf(!hasPostgres)('collectors keep results in PostgreSQL (postgresql of the distribution)', async () => {
  await using opened = new AsyncDisposableStack();
  const directory = opened.adopt(await mkdtemp(join(tmpdir(), 'stream-infer-release-')), (each) =>
    rm(each, { recursive: true }),
  );
  const authority = opened.adopt(await certificateAuthority(), (each) => each.remove());
  const certificate = await authority.issue('localhost');
  const postgres = opened.adopt(await startPostgres({ certificate }), (each) => each.stop());
  const database = await postgres.createDatabase();
  const objects = await render({
    files: [exampleFile('trial.yaml')],
    values: {
      store: { kind: 'postgres', urlSecret: { name: 'results-db', caKey: 'ca.crt' } },
      collector: { replicas: 2 },
    },
  });
  const collector = findWorkload(objects, `${PREFIX}-collector`);
  expect([collector.kind, collector.spec.replicas]).toEqual(['Deployment', 2]);
  const pods = opened.adopt(
    new ManifestPods({
      objects,
      directory,
      network: 103,
      secrets: {
        'results-db': {
          url: postgres.url(database).replace('127.0.0.1', 'localhost'),
          'ca.crt': await readFile(authority.ca, 'utf8'),
        },
      },
    }),
    async (each) => void (await each.stop()),
  );
  onTestFailed(() => console.error(pods.logs()));
  const nats = await pods.start(findWorkload(objects, `${PREFIX}-nats`));
  await nats.ready();
  const pod = await pods.start(collector);
  await pod.ready();
  expect(await (await fetch(`http://${pod.address}:8080/v1/streams`)).json()).toEqual({ streams: [] });
  const schemas = await postgres.sql(database, "SELECT schemaname FROM pg_tables WHERE tablename = 'results'");
  expect(schemas).not.toBe('');
  for (const secret of [OWNER_PASSWORD, encodeURIComponent(OWNER_PASSWORD)]) expect(pod.log()).not.toContain(secret);
});
