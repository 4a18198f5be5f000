/** docs/metrics.md out of the metrics' own declarations in the sources: name, help and labels. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Metric = { readonly kind: string; readonly name: string; readonly help: string; readonly labels: string };

const DECLARATION =
  /new (Counter|Gauge|Histogram)(?:<[^(]*>)?\(\{\s*name: '(stream_infer_[a-z_]+)',\s*help:\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"),(?:\s*labelNames: (\[[^\]]*\]))?/g;

const ROOT = join(import.meta.dirname, '..');
const OWNERS = [
  'packages/service-kit',
  'services/ingest',
  'services/scheduler',
  'services/algo-runner',
  'services/collector',
] as const;

export function metricsDocument(): string {
  const sections = OWNERS.map((owner) => {
    const rows = metricsOf(owner).map(
      ({ kind, name, help, labels }) => `| \`${name}\` | ${kind.toLowerCase()} | ${labels} | ${help} |`,
    );
    const title = owner === 'packages/service-kit' ? 'Every service' : `\`${owner.split('/')[1]}\``;
    return `## ${title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Metrics

Each service exports these at \`/metrics\`, with the label \`service\`, beside those of its process. No URL is ever a label.

${sections.join('\n')}`;
}

function metricsOf(owner: string): Metric[] {
  const folder = join(ROOT, owner, 'src');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return sources
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(DECLARATION)])
    .map(([, kind = '', name = '', quoted, doubleQuoted, labels = '']) => ({
      kind,
      name,
      help: (quoted ?? doubleQuoted ?? '').replaceAll("\\'", "'"),
      labels: [...labels.matchAll(/'([^']+)'/g)].map(([, label]) => `\`${label}\``).join(', '),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
