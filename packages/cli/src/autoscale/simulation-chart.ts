/** A simulation drawn: replicas, utilisation and staleness over the time, beside those of another trigger. */

import type { SimulatedSecond } from './scaling-simulation.ts';
import { type Panel, svgChart } from './svg-chart.ts';

export type SimulationChartOptions = {
  readonly title: string;
  readonly subtitle: string;
  readonly targetUtilization: number;
  readonly capacity: number;
  /** Side by side. */
  readonly simulations: readonly { readonly title: string; readonly seconds: readonly SimulatedSecond[] }[];
};

const BLUE = '#2563eb';
const GREEN = '#059669';
const ORANGE = '#d97706';
const RED = '#dc2626';
const GREY = '#9ca3af';
/** Of the target. */
const BAND = 0.15;
/** What is staler than this is as bad. */
const MOST_STALENESS_SECONDS = 60;
const MOST_VALUES = 720;

export function simulationChart(options: SimulationChartOptions): string {
  const { title, subtitle, targetUtilization, capacity, simulations } = options;
  const length = Math.max(...simulations.map(({ seconds }) => seconds.length));
  const secondsPerValue = Math.max(1, Math.ceil(length / MOST_VALUES));
  const sampled = simulations.map((one) => ({
    title: one.title,
    seconds: one.seconds.filter((_, at) => at % secondsPerValue === 0),
  }));
  // One scale for both, so that they can be compared.
  const all = sampled.flatMap(({ seconds }) => seconds);
  const most = (value: (second: SimulatedSecond) => number): number => Math.max(0, ...all.map(value));
  const needed = ({ load }: SimulatedSecond): number => load / capacity / targetUtilization;
  const stale = ({ stalenessSeconds }: SimulatedSecond): number => Math.min(stalenessSeconds, MOST_STALENESS_SECONDS);
  const panelsOf = (seconds: readonly SimulatedSecond[]): readonly Panel[] => [
    {
      title: 'Runners',
      unit: '',
      top: Math.max(
        most(needed),
        most(({ replicas }) => replicas),
      ),
      lines: [
        { label: 'take work', colour: BLUE, filled: true, values: seconds.map(({ ready }) => ready) },
        { label: 'decided', colour: ORANGE, values: seconds.map(({ replicas }) => replicas) },
        { label: 'needed', colour: GREY, dashed: true, values: seconds.map(needed) },
        ...(seconds.some(({ isBlind }) => isBlind)
          ? [{ label: 'blind', colour: RED, values: seconds.map(({ isBlind, replicas }) => (isBlind ? replicas : 0)) }]
          : []),
      ],
    },
    {
      title: 'Utilisation',
      unit: ' %',
      top: 100,
      band: {
        label: 'target ± 15 %',
        colour: GREEN,
        from: 100 * targetUtilization * (1 - BAND),
        to: 100 * targetUtilization * (1 + BAND),
      },
      lines: [{ label: 'busy', colour: BLUE, values: seconds.map(({ utilization }) => 100 * utilization) }],
    },
    {
      title: 'Age of the newest result',
      unit: ' s',
      top: most(stale),
      lines: [{ label: 'of a camera', colour: RED, filled: true, values: seconds.map(stale) }],
    },
    {
      title: 'Windows that wait',
      unit: '',
      top: most(({ lag }) => lag),
      lines: [{ label: 'lag', colour: GREY, filled: true, values: seconds.map(({ lag }) => lag) }],
    },
  ];
  const columns = sampled.map((one) => ({ title: one.title, panels: panelsOf(one.seconds) }));
  return svgChart({ title, subtitle, secondsPerValue, columns });
}
