/** Line charts as SVG, as far as they are needed here: panels in rows and columns, each with axes, a legend, lines and bands. */

export type Line = {
  readonly label: string;
  readonly colour: string;
  /** What is no number is a gap. */
  readonly values: readonly number[];
  /** The area below it is filled. */
  readonly filled?: boolean;
  readonly dashed?: boolean;
};

export type Band = {
  readonly label: string;
  readonly colour: string;
  /** In values. */
  readonly from: number;
  readonly to: number;
};

export type Panel = {
  readonly title: string;
  readonly unit: string;
  /** At least the highest value shown. */
  readonly top: number;
  readonly lines: readonly Line[];
  readonly band?: Band;
};

export type Chart = {
  readonly title: string;
  readonly subtitle: string;
  /** What one value of a line spans. */
  readonly secondsPerValue: number;
  /** Side by side, each from top to bottom. */
  readonly columns: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
};

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const WIDTH = 1_280;
const MARGIN = 28;
const HEAD = 76;
const COLUMN_HEAD = 30;
const PANEL = { height: 190, left: 54, right: 12, top: 34, bottom: 26 } as const;
const MOST_POINTS = 700;
const INK = '#1f2937';
const FAINT = '#6b7280';
const RULE = '#e5e7eb';

export function svgChart({ title, subtitle, secondsPerValue, columns }: Chart): string {
  const rows = Math.max(...columns.map(({ panels }) => panels.length));
  const height = HEAD + COLUMN_HEAD + rows * PANEL.height + MARGIN;
  const columnWidth = (WIDTH - MARGIN) / columns.length;
  const drawn = columns.flatMap((column, at) => {
    const x = MARGIN / 2 + at * columnWidth;
    const heading = text(x + PANEL.left, HEAD + 16, column.title, { size: 15, weight: 600 });
    const panels = column.panels.map((panel, row) => {
      const y = HEAD + COLUMN_HEAD + row * PANEL.height;
      return drawPanel(panel, { x, y, width: columnWidth, height: PANEL.height }, secondsPerValue);
    });
    return [heading, ...panels];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN / 2 + PANEL.left, 34, title, { size: 21, weight: 700 }),
    text(MARGIN / 2 + PANEL.left, 57, subtitle, { size: 13, colour: FAINT }),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, unit, top, lines, band }: Panel, box: Box, secondsPerValue: number): string {
  const plot: Box = {
    x: box.x + PANEL.left,
    y: box.y + PANEL.top,
    width: box.width - PANEL.left - PANEL.right,
    height: box.height - PANEL.top - PANEL.bottom,
  };
  const highest = Math.max(
    top,
    ...lines.flatMap(({ values }) => values.filter(Number.isFinite).reduce((most, value) => Math.max(most, value), 0)),
  );
  const step = niceStep(highest / 4);
  const ceiling = Math.ceil(highest / step) * step || 1;
  const yOf = (value: number): number => plot.y + plot.height * (1 - Math.min(value, ceiling) / ceiling);
  const count = Math.max(2, ...lines.map(({ values }) => values.length));
  const xOf = (at: number): number => plot.x + (plot.width * at) / (count - 1);
  const grid = Array.from({ length: Math.round(ceiling / step) + 1 }, (_, at) => at * step).map((value) =>
    [
      rule(plot, yOf(value)),
      text(plot.x - 8, yOf(value) + 4, `${tidy(value)}${unit}`, { size: 11, colour: FAINT, anchor: 'end' }),
    ].join(''),
  );
  return [
    text(plot.x, box.y + 20, title, { size: 13, weight: 600 }),
    legend([...lines, ...(band ? [band] : [])], box.y + 20, {
      left: plot.x + widthOf(title) + 24,
      right: plot.x + plot.width,
    }),
    band &&
      `<rect x="${plot.x}" y="${round(yOf(band.to))}" width="${round(plot.width)}" height="${round(yOf(band.from) - yOf(band.to))}" fill="${band.colour}" fill-opacity="0.14"/>`,
    ...grid,
    ...timeTicks((count - 1) * secondsPerValue).map(({ second, label }) =>
      text(xOf(second / secondsPerValue), plot.y + plot.height + 17, label, {
        size: 11,
        colour: FAINT,
        anchor: 'middle',
      }),
    ),
    ...lines.map((line) => drawLine(line, xOf, yOf, plot.y + plot.height)),
  ]
    .filter((part) => part !== undefined)
    .join('\n');
}

function drawLine(
  { values, colour, filled, dashed }: Line,
  xOf: (at: number) => number,
  yOf: (value: number) => number,
  floor: number,
): string {
  const every = Math.max(1, Math.floor(values.length / MOST_POINTS));
  const kept = values.flatMap((value, at) => (at % every === 0 || at === values.length - 1 ? [{ at, value }] : []));
  const dashes = dashed ? ' stroke-dasharray="5 4"' : '';
  return unbroken(kept)
    .map((piece) => {
      const path = `M${piece.map(({ at, value }) => `${round(xOf(at))},${round(yOf(value))}`).join('L')}`;
      const ends = [piece.at(-1), piece[0]].map((end) => `L${round(xOf(end?.at ?? 0))},${round(floor)}`).join('');
      const area = filled ? `<path d="${path}${ends}Z" fill="${colour}" fill-opacity="0.16"/>` : '';
      return `${area}<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round"${dashes}/>`;
    })
    .join('');
}

type Point = { readonly at: number; readonly value: number };

/** The pieces between gaps. */
function unbroken(points: readonly Point[]): readonly (readonly Point[])[] {
  const pieces: Point[][] = [];
  let piece: Point[] | undefined;
  for (const point of points) {
    if (!Number.isFinite(point.value)) piece = undefined;
    else if (piece) piece.push(point);
    else {
      piece = [point];
      pieces.push(piece);
    }
  }
  // A point alone is a dot.
  return pieces.map((each) => (each.length === 1 ? [...each, ...each] : each));
}

/** From the right, as many as there is room for. */
function legend(
  entries: readonly { readonly label: string; readonly colour: string }[],
  y: number,
  { left, right }: { readonly left: number; readonly right: number },
): string {
  let x = right;
  let drawn = '';
  for (const { label, colour } of [...entries].reverse()) {
    x -= widthOf(label) + 17;
    if (x < left) return `${drawn}${text(x + widthOf(label) + 10, y, '…', { size: 11, colour: FAINT })}`;
    const swatch = `<rect x="${round(x)}" y="${y - 8}" width="12" height="8" rx="2" fill="${colour}"/>`;
    drawn += `${swatch}${text(x + 17, y, label, { size: 11, colour: FAINT })}`;
    x -= 14;
  }
  return drawn;
}

/** About, of small words. */
const widthOf = (words: string): number => words.length * 6.3 + (words.match(/[A-Z_]/g)?.length ?? 0) * 1.7;

type TextLook = {
  readonly size: number;
  readonly weight?: number;
  readonly colour?: string;
  readonly anchor?: 'middle' | 'end';
};

const text = (x: number, y: number, words: string, { size, weight = 400, colour = INK, anchor }: TextLook): string =>
  `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" fill="${colour}"${anchor ? ` text-anchor="${anchor}"` : ''}>${escaped(words)}</text>`;

const rule = ({ x, width }: Box, y: number): string =>
  `<line x1="${x}" x2="${round(x + width)}" y1="${round(y)}" y2="${round(y)}" stroke="${RULE}"/>`;

const TICKS_SECONDS = [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 86_400];
const MOST_TICKS = 7;

function timeTicks(seconds: number): readonly { readonly second: number; readonly label: string }[] {
  const every = TICKS_SECONDS.find((tick) => seconds / tick <= MOST_TICKS) ?? 86_400;
  const unit =
    every >= 3_600
      ? { seconds: 3_600, name: 'h' }
      : every >= 60
        ? { seconds: 60, name: 'min' }
        : { seconds: 1, name: 's' };
  return Array.from({ length: Math.floor(seconds / every) + 1 }, (_, at) => ({
    second: at * every,
    label: `${tidy((at * every) / unit.seconds)} ${unit.name}`,
  }));
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least || 1));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? power;
}

const tidy = (value: number): string => String(Math.round(value * 1_000) / 1_000);
const round = (value: number): string => String(Math.round(value * 10) / 10);
const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
