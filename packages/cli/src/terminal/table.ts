/** Plain tables: columns as wide as their widest cell, two spaces between. */

/** @param leading how many columns stand to the left; the others are figures and stand to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  leading = header.length,
): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      widths
        .map((width, column) =>
          column < leading ? (line[column] ?? '').padEnd(width) : (line[column] ?? '').padStart(width),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
