/** docs/metrics.md out of the metrics' own declarations in the sources: name, help and labels. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Metric = { readonly kind: string; readonly name: string; readonly help: string; readonly labels: string };

const DECLARATION =
  /new (Counter|Gauge|Histogram)(?:<[^(]*>)?\(\{\s*name: '(stream_infer_[a-z_]+)',\s*help:\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"),(?:\s*labelNames: (\[[^\]]*\]))?/g;

const FATES = `## The ledger

Every decoded frame ends in exactly one fate, and so does every invocation that was due. The ingest accounts for a frame until it is published, the scheduler from then on,
so that no frame has a fate at both:

- \`frames_decoded_total\` = the ingest's \`frames_total\` + \`frames_published_total\` + what is under way there + its \`unaccounted_frames\`;
- \`frames_published_total\` = \`frames_received_total\` + what the scheduler has not come to read yet;
- \`frames_received_total\` = the scheduler's \`frames_total\` + what is held still, since frames are let go of in order, + its \`unaccounted_frames\`;
- \`invocations_triggered_total\` = \`invocations_total\` + what is open + \`unaccounted_invocations\`.

What is under way, wanted or open is asked of whoever holds it, so \`unaccounted\` is 0 unless something was lost without a trace. \`/debug/ledger\` of both services shows
the same figures by stream: \`entered\`, \`handedOver\`, \`open\`, \`unaccounted\`, \`fates\`.

Realtime, where a process dies, its figures end with its last scrape. It told with each beat, once a second, what it had in hand; who takes its streams over counts that as
\`lost-with-process\`, and shows it as \`takenOver\`, not as entered again. Offline nothing is lost with a process: what was open is decoded and invoked again.

| fate of a frame | reason | counted by | what happened |
|---|---|---|---|
| \`not-needed\` | \`before-start\`, \`skipped\`, \`no-algorithm\` | ingest | It is before the start position; the play rate skips it; it is played, and in no algorithm's window. |
| | \`repeated\` | ingest | An earlier epoch of the run has published it, and it is answered. |
| | \`no-window\` | scheduler | No window that was due held it. |
| \`used\` | | scheduler | An algorithm was invoked on a window that held it. |
| \`replaced\` | | scheduler | Realtime: a newer window took the place of the last one that held it. Runners are too slow or too few. |
| \`expired\` | \`stale\`, \`stopped\` | scheduler | Realtime: the last window that held it grew too old; the run was ended. |
| | \`epoch-over\` | both | Its source was connected to anew, or another took the stream over, before it was published or used. Offline it is decoded again. |
| \`evicted\` | \`bus-behind\` | ingest | Realtime: the bus takes frames more slowly than they come. |
| | \`unread\` | scheduler | Realtime: the buffer dropped it before the scheduler read of it: the scheduler is behind, or was away. |
| | \`frame-gone\` | scheduler | Realtime: the buffer dropped a frame of its window before the runner fetched it. |
| \`gap\` | \`unread\` | scheduler | It was published, and was missing from the buffer. Somebody deleted it, or the bus lost it. |
| \`lost-in-decoder\` | | ingest | It was decoded and never came out of ffmpeg, which was ended or died. |
| \`lost-with-process\` | | both | Realtime: the process that had it died; what became of it is not known. |

| fate of an invocation | reason | what happened |
|---|---|---|
| \`completed\` | | Its result is published. |
| \`dead-lettered\` | | Its error is published, and a dead letter says what failed on which frames. |
| \`failed\` | | A replay failed again: its error is told, and its letter stands as it was. |
| \`replaced\` | | Realtime: a newer window took its place. |
| \`expired\` | \`stale\`, \`stopped\`, \`epoch-over\` | As for frames. |
| | \`frame-lost\`, \`frame-gone\` | A frame of its window was a gap, or evicted. |
| | \`results-full\` | Realtime: the result stream refused its result because it is full. |
| \`lost-with-process\` | | Realtime: the scheduler that had it died. |
`;

const SCRAPING = `## Scraping

Each service has \`/metrics\`, \`/v2/health/live\` and \`/v2/health/ready\` on a port of its own, and the API has none of them. The port is \`httpPort\` of the service's section,
or \`HTTP_PORT\` of a service that runs alone; by default a free one, which the service logs as it starts. \`stream-infer up\` tells all of them once they are there. For a Prometheus on
the same machine give them ports in the configuration file; with \`--runners\` above 1, all but the runners, which would want the same one:

\`\`\`yaml
ingest: {httpPort: 9101}
scheduler: {httpPort: 9102}
algoRunner: {httpPort: 9103}
collector: {httpPort: 9104}
\`\`\`

\`\`\`yaml
# prometheus.yml
scrape_configs:
  - job_name: stream-infer
    static_configs:
      - targets: ['127.0.0.1:9101', '127.0.0.1:9102', '127.0.0.1:9103', '127.0.0.1:9104']
\`\`\`

`;

const ROOT = join(import.meta.dirname, '..');
const KIT = 'packages/service-kit';
const SERVICES = ['ingest', 'scheduler', 'algo-runner', 'collector'] as const;
const OF_KIT = /(?<=from '@stream-infer\/service-kit\/)[a-z-]+(?=')/g;

export function metricsDocument(): string {
  const kit = sourcesOf(KIT);
  const services = SERVICES.map((service) => {
    const own = [...sourcesOf(`services/${service}`).values()];
    return { service, own, asked: new Set(own.flatMap((source) => source.match(OF_KIT) ?? [])) };
  });
  // A metric of the kit that services ask for is theirs; what none of them names, each of them has.
  const isCommon = (name: string): boolean => !services.some(({ asked }) => asked.has(name));
  const common = [...kit].flatMap(([name, source]) => (isCommon(name) ? [source] : []));
  const sections = [
    section('Every service', common),
    ...services.map(({ service, own, asked }) =>
      section(`\`${service}\``, [...own, ...[...asked].flatMap((name) => kit.get(name) ?? [])]),
    ),
  ];
  return `# Metrics

Each service exports these at \`/metrics\`, with the label \`service\`, beside those of its process. No URL is ever a label.

${SCRAPING}${sections.join('\n')}
${FATES}`;
}

function section(title: string, sources: readonly string[]): string {
  const rows = metricsOf(sources).map(
    ({ kind, name, help, labels }) => `| \`${name}\` | ${kind.toLowerCase()} | ${labels} | ${help} |`,
  );
  return `## ${title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** Name → text of a package's sources. */
function sourcesOf(owner: string): ReadonlyMap<string, string> {
  const folder = join(ROOT, owner, 'src');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  return new Map(names.map((name) => [name.slice(0, -'.ts'.length), readFileSync(join(folder, name), 'utf8')]));
}

function metricsOf(sources: readonly string[]): Metric[] {
  return sources
    .flatMap((source) => [...source.matchAll(DECLARATION)])
    .map(([, kind = '', name = '', quoted, doubleQuoted, labels = '']) => ({
      kind,
      name,
      help: (quoted ?? doubleQuoted ?? '').replaceAll("\\'", "'"),
      labels: [...labels.matchAll(/'([^']+)'/g)].map(([, label]) => `\`${label}\``).join(', '),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
