/** What the Containerfile says that stands elsewhere too. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { SERVICE_NODE_FLAGS } from '../packages/cli/src/system/service-program.ts';

const containerfile = readFileSync(join(import.meta.dirname, '..', 'deploy', 'docker', 'Containerfile'), 'utf8');

test('services are started with the flags that the command starts them with', () => {
  const started = containerfile.match(/^ENTRYPOINT .*"node".*$/gm) ?? [];
  expect(started).toHaveLength(4);
  for (const line of started) {
    const [, flags] = /^ENTRYPOINT \["tini", "--", "node", (.*), "[^"]*main\.js"\]$/.exec(line) ?? [];
    expect(`[${flags}]`).toBe(JSON.stringify(SERVICE_NODE_FLAGS).replaceAll(',', ', '));
  }
});

test('the CUDA library that is taken is of the ONNX Runtime that the runner loads', () => {
  const [, version] = /^ARG ORT_CUDA_URL=\S*\/([^/\s]+)$/m.exec(containerfile) ?? [];
  expect(version).toBe(packageJson.devDependencies['onnxruntime-node']);
});
